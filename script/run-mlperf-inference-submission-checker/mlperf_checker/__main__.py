"""`python -m mlperf_checker FOLDER --version v6.1 …`. Exit code 0: fit for submission, 1: not, 2: could not check."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlperf_checker import conduct, roundfiles, screen, table, upstream
from mlperf_checker.report import Report


def main(arguments: list[str]) -> int:
    """Check a folder and print what was found."""
    try:
        options = _options(arguments)
    except ModuleNotFoundError as error:
        print(
            f"error: the Python package {error.name} is missing\npip install msgspec pyyaml packaging", file=sys.stderr
        )
        return 2
    from harness.errors import HarnessError

    try:
        return _check(options)
    except HarnessError as error:
        print(f"error: {error.cause}\n{error.hint}", file=sys.stderr)
    except OSError as error:
        print(f"error: {error.strerror}: {error.filename}", file=sys.stderr)
    return 2


def _options(arguments: list[str]) -> argparse.Namespace:
    names = roundfiles.names()
    parser = argparse.ArgumentParser(prog="python -m mlperf_checker", description="Check an MLPerf submission.")
    parser.add_argument("folder", type=Path, help="holds closed/, open/ or network/")
    words = f"the round: {', '.join(names)} (default: the one that the seeds in the logs tell)"
    parser.add_argument("--version", help=words)
    parser.add_argument("--submitter", help="look at this one only")
    parser.add_argument("--json", type=Path, help="write verdicts and findings to this file")
    parser.add_argument("--csv", type=Path, help="write the summary table to this file")
    parser.add_argument("--upstream", type=Path, help="a checkout of mlcommons/inference: compare with its checker")
    parser.add_argument("--all", action="store_true", help="show all findings")
    return parser.parse_args(arguments)


def _check(options: argparse.Namespace) -> int:
    begin = time.monotonic()
    version = options.version or conduct.round_of(options.folder, options.submitter)
    report = conduct.check_tree(options.folder, version, options.submitter)
    seconds = time.monotonic() - begin
    if options.csv:
        table.write(report, options.csv)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(as_data(report), indent=1), encoding="utf-8")
    if options.upstream:
        theirs = upstream.run(options.upstream, options.folder, version, options.submitter)
        print("\n".join(upstream.lines(report, theirs, seconds)))
    print("\n".join(screen.lines(report, everything=options.all)))
    return 0 if report.ok else 1


def as_data(report: Report) -> dict[str, Any]:
    """The report for programs."""
    return {
        "round": report.round,
        "ok": report.ok,
        "summary": report.counts,
        "results": [{key: value for key, value in asdict(one).items() if key != "row"} for one in report.verdicts],
        "findings": [asdict(one) for one in report.findings],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
