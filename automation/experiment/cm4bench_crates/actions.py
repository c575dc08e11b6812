"""`cm capture|reproduce experiment`: CM dictionaries in and out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cm4bench_crates.errors import CrateError
from cm4bench_results.store import RESULTS_DIR_KEY, default_results_dir

# What cmind says of this access, and our own flags; the rest goes on to the run.
_OF_THIS_CALL = (
    *("action", "automation", "artifact", "artifacts", "parsed_automation", "parsed_artifact", "parsed_artifacts"),
    *("cmd", "out", "control", "self_module", "results_dir", "accept", "tolerance"),
)
Action = Callable[[Any, Mapping[str, Any]], dict[str, Any]]


def guarded(action: Action) -> Action:
    """A refusal becomes CM's error dictionary, with the next command in it."""

    def run(cm: Any, i: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return action(cm, i)
        except CrateError as error:
            hint = f"\nnext: {error.hint}" if error.hint else ""
            return {"return": 1, "error": f"{error.cause}{hint}"}

    return run


@guarded
def capture(cm: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """Pack a result. Returns `output`, the crate's path."""
    from cm4bench_crates.capture import capture as captured
    from cm4bench_crates.metadata import About
    from cm4bench_crates.selection import choose

    given = str(i.get("results_dir") or os.environ.get(RESULTS_DIR_KEY) or "")
    chosen = choose(str(i.get("artifact") or ""), default_results_dir({RESULTS_DIR_KEY: given}, Path.cwd()))
    target = Path(str(i.get("output") or f"{chosen.run}.crate.zip")).expanduser().absolute()
    words = {key: str(i.get(key) or "") for key in ("author", "license", "identifier")}
    done = captured(cm, chosen, target, About(str(i.get("title") or chosen.run), **words), str(i.get("lock") or ""))
    if i.get("out") == "con":
        print(f"crate: {done.target} ({done.files} files, {len(chosen.repeats)} repeats)")
        print(f"lock: {done.lock_origin}")
        for name in done.redacted:
            print(f"redacted: {name}")
        if not words["license"]:
            print("no licence stated; --license=CC-BY-4.0 would let others use it")
    return {"return": 0, "output": str(done.target), "redacted": list(done.redacted)}


@guarded
def reproduce(cm: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """Reproduce a crate. Returns `reproduced`, `reports` and `changed`; exit code 3 where it was not reproduced."""
    from cm4bench_crates.reproduction import reproduce as reproduced
    from cm4bench_crates.reproduction import write_reports

    if not i.get("artifact"):
        raise CrateError("no crate was named", "cm reproduce experiment FOLDER|FILE.zip|FILE.tar.gz")
    given = str(i.get("results_dir") or os.environ.get(RESULTS_DIR_KEY) or "")
    results = default_results_dir({RESULTS_DIR_KEY: given}, Path.cwd())
    crate = Path(str(i["artifact"])).expanduser().absolute()
    found = reproduced(cm, crate, results, _flags(i), _accepted(i), _tolerance(i))
    reports = write_reports(found, results)
    if i.get("out") == "con":
        _print(found, reports)
    answer = {"reproduced": found.reproduced, "changed": list(found.changed), "reports": [str(p) for p in reports]}
    if found.reproduced:
        return {"return": 0, **answer}
    why = found.problems or found.badges[2].missing
    if found.attempt.failure:
        why = (found.attempt.failure, *found.problems, *(f"{d['kind']}: {d['text']}" for d in found.attempt.refused))
    lines = "\n".join(f"  {line}" for line in why)
    hint = found.attempt.hint or f"{reports[0]} has the details; --tolerance=SHARE allows more"
    return {"return": 3, "error": f"not reproduced\n{lines}\nnext: {hint}", **answer}


def _print(found: Any, reports: list[Path]) -> None:
    for line in found.changed:
        print(f"different here: {line}")
    for one in found.comparison.verdicts if found.comparison else ():
        print(one)
    for badge in found.badges:
        print(f"{badge.name}: {'yes' if badge.holds else 'no'}")
    print(f"report: {reports[0]}")


def _flags(i: Mapping[str, Any]) -> dict[str, Any]:
    """What goes on to the run: paths of data that lie elsewhere here, and secrets, which no crate holds."""
    return {**{key: value for key, value in i.items() if key not in _OF_THIS_CALL}, "out": i.get("out") or ""}


def _accepted(i: Mapping[str, Any]) -> frozenset[str]:
    from cm4bench.errors import CMBenchError
    from cm4bench.tools.replay import parse_accepted

    try:
        return parse_accepted(str(i.get("accept") or ""))
    except CMBenchError as error:
        raise CrateError(error.cause, error.hint or "") from None


def _tolerance(i: Mapping[str, Any]) -> float | None:
    """`--tolerance=0.1` or `10%`."""
    text = str(i.get("tolerance") or "").strip()
    if not text:
        return None
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < float("inf"):
        raise CrateError(f"--tolerance={text} is no share of a figure", "--tolerance=0.1, or 10%")
    return share
