"""autotune: the batch size, and the division of cores into workers, that give this host its best throughput.

Every probe is an ordinary short Offline run in a process of its own. Batch sizes are doubled while that pays; then the
cores are divided in other ways at the size that was best. The answer is remembered for this host, model and backend.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from harness import device
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.hashing import sha256_of
from harness.outcome import Outcome

FILE_NAME = "tuning.json"
PROBE_S = 4.0
FIRST_SAMPLES = 4
PAYS = 1.03  # a larger batch costs memory and latency, so it has to gain this much
LARGEST = {"cpu": 256, "cuda": 4096}

RunOne = Callable[[RunConfig], Outcome]


class Layout(msgspec.Struct, frozen=True, order=True):
    """How work is cut: `workers` side by side, each with `threads` of the framework, `batch_size` samples a call."""

    batch_size: int
    threads: int
    workers: int

    def __str__(self) -> str:
        return f"batch {self.batch_size}, {self.workers} x {self.threads} threads"


class Probe(msgspec.Struct, frozen=True):
    """What one layout gave, in samples per second of Offline."""

    layout: Layout
    samples_per_second: float


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """The best layout, and everything that was tried."""

    layout: Layout
    samples_per_second: float
    probes: tuple[Probe, ...]
    host: str
    model: str

    def write(self, path: Path) -> None:
        """Write as JSON in one step; raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")
        part.replace(path)


def tune(config: RunConfig, memory: Path | None, run_one: RunOne) -> Tuning:
    """The remembered layout for `config` on this host, or a newly measured one; also written to the output folder.

    Args:
        config: any run of the model. Its `threads` and `workers`, where set, are kept as they are.
        memory: folder of what was found before; None remembers nothing.
        run_one: makes one run.

    Raises:
        HarnessError: the kind of a failed first probe.
    """
    known = None if memory is None else memory / f"{_key(config)}.json"
    tuning = _remembered(known)
    if tuning is None:
        tuning = _Tuner(config, run_one).tune()
        if known is not None:
            tuning.write(known)
    tuning.write(Path(config.output_dir) / FILE_NAME)
    return tuning


def read(path: Path) -> Tuning:
    """Read a tuning; raises OSError or msgspec.MsgspecError."""
    return msgspec.json.decode(path.read_bytes(), type=Tuning)


def _remembered(path: Path | None) -> Tuning | None:
    try:
        return None if path is None else read(path)
    except (OSError, msgspec.MsgspecError):
        return None  # never tuned, or by another version of this file


def _key(config: RunConfig) -> str:
    """What the best layout depends on. The weights count by content, since one name can mean several files."""
    weights = Path(config.model.weights) if config.model.weights else None
    parts = (
        *(_host(), str(device.allowed_cores()), config.device, config.backend, config.precision, config.implementation),
        *(config.task, config.model.architecture, sha256_of(weights) if weights else str(config.model.seed)),
        *(str(config.compile), str(config.channels_last), str(config.threads), str(config.workers)),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _host() -> str:
    return f"{platform.node()}, {device.cpu_model()}"


class _Tuner:
    def __init__(self, config: RunConfig, run_one: RunOne) -> None:
        self._config, self._run_one = config, run_one
        self._probes: list[Probe] = []

    def tune(self) -> Tuning:
        cores = len(device.allowed_cores())
        threads = self._config.threads or max(1, cores // self._config.workers)
        best = self._best_batch(Layout(1, threads, self._config.workers))
        for layout in self._other_divisions(best.layout, cores):
            best = max(best, self._probe(layout), key=lambda probe: probe.samples_per_second)
        return Tuning(
            layout=best.layout,
            samples_per_second=best.samples_per_second,
            probes=tuple(self._probes),
            host=_host(),
            model=self._config.model.name,
        )

    def _best_batch(self, layout: Layout) -> Probe:
        """Double the batch until two doublings in a row gained nothing."""
        best, in_vain = self._probe(layout), 0
        while in_vain < 2 and 2 * layout.batch_size <= self._largest():
            layout = msgspec.structs.replace(layout, batch_size=2 * layout.batch_size)
            try:
                probe = self._probe(layout)
            except HarnessError:
                break  # the memory ends here, or the model takes single samples only
            pays = probe.samples_per_second > PAYS * best.samples_per_second
            best, in_vain = (probe, 0) if pays else (best, in_vain + 1)
        return best

    def _largest(self) -> int:
        return LARGEST[self._config.device.partition(":")[0]]

    def _other_divisions(self, layout: Layout, cores: int) -> Iterator[Layout]:
        """Two workers, four, … up to one per core; not where the user fixed the division, nor on a GPU."""
        if self._config.device != "cpu" or self._config.threads or self._config.workers > 1:
            return
        workers = 2
        while workers <= cores:
            yield Layout(layout.batch_size, cores // workers, workers)
            workers *= 2

    def _probe(self, layout: Layout) -> Probe:
        """A first short run tells how many samples the probe that counts may have."""
        count = max(FIRST_SAMPLES, 2 * layout.batch_size * layout.workers)
        rate = self._rate(layout, count)
        if count / rate < PROBE_S:
            rate = self._rate(layout, int(rate * PROBE_S) + 1)
        probe = Probe(layout, rate)
        self._probes.append(probe)
        print(f"  {layout}: {rate:.4g} samples/s", flush=True)
        return probe

    def _rate(self, layout: Layout, samples: int) -> float:
        config = msgspec.structs.replace(
            self._config,
            **msgspec.structs.asdict(layout),
            **dict.fromkeys(("target_qps", "target_latency_ns", "user_conf", "quality_target", "max_query_count")),
            scenario="Offline",
            mode="performance",
            min_duration_ms=0,
            min_query_count=samples,
            equal_issue=False,
            ledger=False,
            output_dir=str(Path(self._config.output_dir) / "probes" / f"{len(self._probes) + 1:02d}"),
        )
        outcome = self._run_one(config)
        if outcome.failure and outcome.failure.kind != "invalid":
            raise HarnessError(outcome.failure.kind, outcome.failure.cause, outcome.failure.hint)
        figures = {one.key: one.value for one in outcome.loadgen.figures} if outcome.loadgen else {}
        if not figures.get("result_samples_per_second"):
            raise HarnessError("search", "the probe gave no result_samples_per_second")
        return figures["result_samples_per_second"]
