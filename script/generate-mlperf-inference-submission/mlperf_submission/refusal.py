"""One thing that stands in the way of a submission, and what becomes of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mlperf_submission.errors import SubmissionError

NOT_SUBMITTABLE = "NOT-SUBMITTABLE.md"
MOST_SHOWN = 40


@dataclass(frozen=True)
class Refusal:
    """One thing that stands in the way. ``final``: a demonstration is refused for it too."""

    subject: str
    cause: str
    command: str = ""
    final: bool = False

    def __str__(self) -> str:
        return f"{self.subject}: {self.cause}" + (f"\n    {self.command}" if self.command else "")


def refuse(against: Iterable[Refusal], *, demonstration: bool) -> None:
    """Stop where something stands in the way; a demonstration only where even it is impossible.

    Raises:
        SubmissionError: naming everything at once.
    """
    counted = [one for one in against if one.final or not demonstration]
    if not counted:
        return
    shown = "\n".join(f"  {one}" for one in counted[:MOST_SHOWN])
    more = f"\n  … and {len(counted) - MOST_SHOWN} more" if len(counted) > MOST_SHOWN else ""
    cause = f"{len(counted)} things stand in the way of this submission:\n{shown}{more}"
    hint = "" if demonstration else "--demonstration packs it all the same, marked as not submittable"
    raise SubmissionError(cause, hint)


def not_submittable(refusals: Iterable[Refusal], objections: Iterable[str]) -> str:
    """The page that lies beside a demonstration, with all reasons."""
    reasons = [f"- {one.subject}: {one.cause}" for one in refusals] + [f"- {one}" for one in objections]
    return (
        "# Not submittable\n\nThis tree is a demonstration: it has the form of an MLPerf submission and none of its "
        "meaning. Its numbers are no MLPerf results.\n\nWhat stands against it:\n\n" + "\n".join(reasons) + "\n"
    )
