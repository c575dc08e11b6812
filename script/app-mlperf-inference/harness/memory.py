"""How many prepared samples fit into memory."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from harness.errors import HarnessError

SHARE = 0.5  # of the available memory may hold samples; the model and loadgen's queries need the rest


def available_bytes() -> int:
    """Memory that can still be had, the smaller of the machine's and the control group's."""
    import psutil

    free = int(psutil.virtual_memory().available)
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        return min(free, int(limit.read_text()) - int(used.read_text()))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return free


def peak_rss_bytes() -> int:
    """Most memory that this process ever held."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def samples_that_fit(sample_bytes: int, limit_mb: int | None) -> int:
    """Number of samples within `limit_mb` MiB, or within half of the available memory.

    Raises:
        HarnessError: kind `dataset`, when not even one fits.
    """
    budget = limit_mb << 20 if limit_mb else int(available_bytes() * SHARE)
    fitting = budget // sample_bytes
    if fitting < 1:
        raise HarnessError(
            "dataset", f"one sample takes {sample_bytes} bytes, but only {budget} bytes may hold samples"
        )
    return fitting


def performance_sample_count(asked: int | None, benchmark: int, total: int, fitting: int) -> tuple[int, str]:
    """Return loadgen's performance sample count and a note where it had to be reduced (empty otherwise).

    Args:
        asked: what the user asked for explicitly, or None.
        benchmark: what mlperf.conf says for the benchmark; 0 means the whole set.
        total: samples in the data set.
        fitting: samples that fit into memory.

    Raises:
        HarnessError: kind `dataset`, when an explicit wish cannot be met.
    """
    if asked is not None:
        if asked > min(total, fitting):
            reason = f"the data set has {total}" if asked > total else f"only {fitting} fit into memory"
            raise HarnessError("dataset", f"performance_sample_count {asked} was asked for, but {reason}")
        return asked, ""
    wanted = benchmark or total
    count = min(wanted, total, fitting)
    if count == wanted:
        return count, ""
    reason = f"the data set has {total} samples" if total <= fitting else f"{fitting} samples fit into memory"
    return count, f"performance sample count reduced from {wanted} to {count}: {reason}"


# What allocators say; frameworks raise RuntimeError or classes of their own.
_EXHAUSTED = ("out of memory", "not enough memory", "can't allocate memory", "failed to allocate memory", "bad_alloc")


def is_exhausted(error: BaseException) -> bool:
    """True where an exception says that memory ran out, on the host or on a GPU."""
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _EXHAUSTED)


def release() -> None:
    """Give back what an abandoned batch held."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
