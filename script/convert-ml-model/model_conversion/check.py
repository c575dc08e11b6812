"""Is the converted model the same function? Both answer the same real samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.arrays import Array
from harness.errors import HarnessError

Answer = Callable[[list[Array]], Sequence[Array]]

# Largest error that is let through, as a share of the original's largest value: rounding for floats; 8-bit models are
# judged by the benchmark's own metric, so that only a broken one is refused here.
TOLERANCE = {"fp32": 1e-3, "bf16": 1e-3, "fp16": 2e-2, "int8": 0.5}


@dataclass(frozen=True)
class Agreement:
    """How far two models differ on `samples` samples.

    Attributes:
        error: largest difference over the original's largest value, over all outputs.
        same_top: share of samples (or positions) whose largest entry of the first output is the same one.
    """

    samples: int
    error: float
    same_top: float


def agreement(original: Answer, converted: Answer, batches: Sequence[list[Array]]) -> Agreement:
    """Compare on the given batches."""
    import numpy as np

    error, same, rows, samples = 0.0, 0, 0, 0
    for batch in batches:
        before, after = original(batch), converted(batch)
        for one, other in zip(before, after, strict=True):
            _require_shape(one, other)
            finite = np.isfinite(one) & (np.abs(one) < 1e4)  # large negative values are masks
            scale = float(np.abs(one[finite]).max(initial=1e-9))
            worst = float(np.abs(one[finite] - other[finite]).max(initial=0.0)) / scale
            error = error if worst <= error else worst  # an undefined one stays
        tops = before[0].argmax(axis=-1) == after[0].argmax(axis=-1)
        same, rows, samples = same + int(tops.sum()), rows + tops.size, samples + len(before[0])
    return Agreement(samples, error, same / max(rows, 1))


def _require_shape(one: Array, other: Array) -> None:
    if one.shape != other.shape:
        raise HarnessError("load", f"the converted model gives {other.shape} where the original gives {one.shape}")


def require(found: Agreement, precision: str) -> None:
    """Refuse a conversion that is another function; raises HarnessError of kind `load`."""
    if not found.error <= TOLERANCE[precision]:  # NaN too
        cause = f"the converted model differs by {100 * found.error:.2g} % of the original's largest value"
        raise HarnessError("load", f"{cause} (allowed for {precision}: {100 * TOLERANCE[precision]:g} %)", _HINT)


_HINT = "--backend=pytorch runs the original; for int8 try --quantisation=dynamic"
