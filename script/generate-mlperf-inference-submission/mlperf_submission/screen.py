"""What a packed submission looks like on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from mlperf_submission.packing import Packed
from mlperf_submission.refusal import NOT_SUBMITTABLE


def summary(packed: Packed) -> str:
    """Results with their verdicts, what is not in it, and where everything is."""
    return "\n".join(_lines(packed))


def _lines(packed: Packed) -> Iterator[str]:
    for one in packed.report.verdicts:
        place, state = one.place, "right in form" if one.ok else "refused by the checker"
        value = "" if one.value is None else f", {one.value:g} {one.unit}"
        inferred = ", inferred" if one.inferred else ""
        yield f"{place.benchmark} {place.scenario}: {state}{value}{inferred}"
    yield from packed.left_out
    yield from packed.notes
    if packed.is_demonstration:
        yield f"A demonstration: NOT submittable. {packed.folder / NOT_SUBMITTABLE} says why."
    else:
        yield packed.report.counts
    yield f"tree: {packed.tree}"
    yield f"tarball: {packed.tarball}"
