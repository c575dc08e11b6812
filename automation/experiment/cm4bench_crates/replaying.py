"""Running what the crate's lock holds, on this host: first the drift in words, then the run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cm4bench_crates.errors import CrateError
from cm4bench_crates.layout import LOCK
from cm4bench_crates.locking import SCRIPT
from cm4bench_crates.verification import Contents
from cm4bench_results.record import RecordError
from cm4bench_results.store import RESULTS_DIR_KEY, ResultStore, StoredRecord, load_file

# What another machine always has: another host. Everything else must be accepted by name.
ALWAYS_ACCEPTED = frozenset({"host", "note"})


@dataclass(frozen=True)
class Attempt:
    """What happened here. ``drift`` and ``outcome`` are differences as dictionaries with kind, subject and text.

    ``failure`` says why there are no new ``records``; ``refused`` are the differences that stood in the way.
    """

    drift: tuple[Mapping[str, str], ...] = ()
    refused: tuple[Mapping[str, str], ...] = ()
    outcome: tuple[str, ...] = ()
    records: tuple[StoredRecord, ...] = ()
    failure: str = ""
    hint: str = ""

    @property
    def accepted(self) -> list[str]:
        """Differences that would have stood in the way."""
        found = [one for one in self.drift if one["kind"] not in ALWAYS_ACCEPTED and one not in self.refused]
        return [": ".join(filter(None, (one["kind"], one["subject"], one["text"]))) for one in found]


def attempt(cm: Any, contents: Contents, results: Path, given: Mapping[str, Any], accepted: Collection[str]) -> Attempt:
    """Name the drift, and run unless it stands in the way. ``given`` are flags for the run (paths, tokens)."""
    asked = {**given, **_place(contents, results, given), "replay": str(contents.folder / LOCK)}
    looked = _access(cm, {**asked, "plan": True, "out": ""})
    if looked["return"]:
        cause, hint = _cause(looked)
        return Attempt(failure=cause, hint=hint)
    drift = tuple(looked["drift"])
    refused = tuple(one for one in drift if one["kind"] not in {*accepted, *ALWAYS_ACCEPTED})
    if refused:
        kinds = ",".join(dict.fromkeys(one["kind"] for one in refused))
        return Attempt(
            drift, refused, failure="not as locked; nothing was run", hint=f"restore it, or --accept={kinds}"
        )
    return _run(cm, asked, drift, results, accepted)


def _run(
    cm: Any, asked: Mapping[str, Any], drift: tuple[Mapping[str, str], ...], results: Path, accepted: Collection[str]
) -> Attempt:
    before = set(ResultStore(results).paths())
    answer = _access(cm, {**asked, "accept": ",".join(sorted({*accepted, *ALWAYS_ACCEPTED}))})
    try:
        new = [StoredRecord(load_file(path), path) for path in ResultStore(results).paths() if path not in before]
    except RecordError as error:
        raise CrateError(str(error), "run it again") from None
    cause, hint = _cause(answer) if answer["return"] else ("", "")
    if not new:
        return Attempt(drift, failure=cause or "it ran, and left no result", hint=hint)
    # with new records it ran to its end, and what differs is what came out
    told = [line.strip() for line in cause.splitlines()[1:]]
    return Attempt(drift, (), tuple(dict.fromkeys([*told, *_came_out(cm, asked, drift, accepted)])), tuple(new))


def _came_out(
    cm: Any, asked: Mapping[str, Any], drift: tuple[Mapping[str, str], ...], accepted: Collection[str]
) -> list[str]:
    """What is not as locked only since the run: replay itself compares no data with a lock made from a plan."""
    looked = _access(cm, {**asked, "plan": True, "out": ""})
    kinds = {"data", "package", "tool"} - set(accepted)
    found = [one for one in looked.get("drift") or () if one["kind"] in kinds and one not in drift]
    return [f"{one['kind']}: {one['subject']}: {one['text']}" for one in found]


def _place(contents: Contents, results: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Where new results go: by the option if the locked request has it, for that would win; else by its key."""
    if "results_dir" in contents.lock.request.options:
        return {"results_dir": str(results)}
    return {"env": {**(given.get("env") or {}), RESULTS_DIR_KEY: str(results)}}


def _access(cm: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Another access of cmind; what it says of its own errors on the console is not said twice."""
    output = cm.output
    answer: dict[str, Any] = cm.access({"action": "run", "automation": SCRIPT, **asked})
    cm.output = output
    return answer


def _cause(answer: Mapping[str, Any]) -> tuple[str, str]:
    details = answer.get("cm4bench") or {}
    return str(details.get("cause") or answer.get("error") or "it failed"), str(details.get("hint") or "")
