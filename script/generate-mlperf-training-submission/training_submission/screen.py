"""What a packed submission looks like on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from mlperf_submission.refusal import NOT_SUBMITTABLE
from training_checker.summary import as_markdown

from training_submission.packing import Packed


def summary(packed: Packed) -> str:
    """Results, what the checkers say, and where everything is."""
    return "\n".join(_lines(packed))


def _lines(packed: Packed) -> Iterator[str]:
    yield as_markdown(packed.report.rows).rstrip()
    yield from packed.notes
    if packed.is_demonstration:
        yield f"A demonstration: NOT submittable. {packed.folder / NOT_SUBMITTABLE} says why."
    yield packed.report.counts
    yield f"tree: {packed.tree}"
    yield f"tarball: {packed.tarball}"
