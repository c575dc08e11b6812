"""Reproducing a crate here: verify, name what differs, run, compare, judge; and the report on it in three forms."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cm4bench_crates.badges import Badge, badges
from cm4bench_crates.comparing import Comparison, compare
from cm4bench_crates.errors import CrateError
from cm4bench_crates.opening import opened
from cm4bench_crates.replaying import Attempt, attempt
from cm4bench_crates.verification import Contents, read
from cm4bench_results.store import write_atomically

NAME = "reproduction"
FORMS = ("html", "md", "json")


@dataclass(frozen=True)
class Reproduction:
    """What was found out. ``changed`` are differences of this host, in words."""

    title: str
    problems: tuple[str, ...]
    changed: tuple[str, ...]
    attempt: Attempt
    comparison: Comparison | None
    badges: tuple[Badge, Badge, Badge]

    @property
    def reproduced(self) -> bool:
        """Whether the results were made again, from a crate that tells no contradictions."""
        return not self.problems and self.badges[2].holds


def reproduce(
    cm: Any,
    crate: Path,
    results: Path,
    given: Mapping[str, Any],
    accepted: Collection[str],
    tolerance: float | None,
) -> Reproduction:
    """Reproduce ``crate``; new results go into ``results``. A crate that contradicts itself is judged and not run.

    Raises:
        CrateError: it is no crate, or not to be trusted at all.
    """
    with opened(crate) as folder:
        contents = read(folder)
        if contents.problems:
            tried = Attempt(failure="the crate contradicts itself; nothing was run", hint="get the crate again")
        else:
            tried = attempt(cm, contents, results, given, accepted)
        return _judged(contents, tried, tolerance)


def _judged(contents: Contents, tried: Attempt, tolerance: float | None) -> Reproduction:
    compared = compare(contents.records, contents.repeats, tried.records, tolerance) if tried.records else None
    changed = tuple(_words(one) for one in tried.drift)
    return Reproduction(contents.title, contents.problems, changed, tried, compared, badges(contents, tried, compared))


def _words(one: Mapping[str, str]) -> str:
    return ": ".join(filter(None, ("host" if one["kind"] == "note" else one["kind"], one["subject"], one["text"])))


def write_reports(found: Reproduction, folder: Path) -> list[Path]:
    """`reproduction.html`, `.md` and `.json` in ``folder``.

    Raises:
        CrateError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        targets = [folder / f"{NAME}.{form}" for form in FORMS]
        for target, text in zip(targets, (_rendered(found, "html"), _rendered(found, "md"), _json(found)), strict=True):
            write_atomically(target, text)
    except OSError as error:
        raise CrateError(f"{folder} cannot be written: {error.strerror}", "--results_dir=FOLDER") from None
    return targets


def _rendered(found: Reproduction, form: str) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=form == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["line"] = _one_line
    text: str = environment.get_template(f"{NAME}.{form}.jinja").render(found=found)
    return text


def _one_line(text: str) -> str:
    """Text of a crate that can start neither a line nor markup of its own in Markdown."""
    flat = " ".join(str(text).split())
    for mark in "\\`*_[]<>|#":
        flat = flat.replace(mark, f"\\{mark}")
    return flat


def _json(found: Reproduction) -> str:
    body = {
        "title": found.title,
        "reproduced": found.reproduced,
        "problems": found.problems,
        "changed": found.changed,
        "failure": found.attempt.failure,
        "next": found.attempt.hint,
        "results": [stored.record.id for stored in found.attempt.records],
        "figures": [asdict(one) for one in found.comparison.verdicts] if found.comparison else [],
        "badges": [{**asdict(badge), "holds": badge.holds} for badge in found.badges],
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"
