"""From a stored result to the command that makes it again, or makes a submission of it."""

from __future__ import annotations

import shlex

from cm4bench_results.record import ResultRecord

_SHORT = ("_short", "_find-performance", "_performance-only", "_accuracy-only", "_plan")


def command(record: ResultRecord, *, submission: bool = False) -> str:
    """The command line of a result; with ``submission`` at full length and packed."""
    request = record.request
    words = list(request.argv) or [" ".join((*request.tags, *(f"_{name}" for name in request.variations)))]
    if not any(word.startswith("--scenario") for word in words) and not _names_scenario(record, words[0]):
        words[0] += f" _{record.subject.scenario.lower()}"
    if submission:
        words = [_lengthened(words[0]), *(word for word in words[1:] if not word.startswith("--min_duration"))]
    return " ".join(("cmr", *(shlex.quote(word) for word in words)))


def _names_scenario(record: ResultRecord, tags: str) -> bool:
    return f"_{record.subject.scenario.lower()}" in tags.replace(",", " ").lower().split()


def _lengthened(tags: str) -> str:
    kept = [word for word in tags.replace(",", " ").split() if word not in _SHORT]
    return " ".join((*kept, *(() if "_submission" in kept else ("_submission",))))
