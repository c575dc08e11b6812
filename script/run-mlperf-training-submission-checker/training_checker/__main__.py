"""`python -m training_checker FOLDER` or `--log FILE`. Exit code 0: fit for submission, 1: not, 2: could not check."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from training_checker import conduct, screen, summary
from training_checker.errors import CheckError
from training_checker.report import Report
from training_checker.rules_of_tree import BYPASSES


def main(arguments: list[str] | None = None) -> int:
    """Check, print what was found, and keep what is to be kept."""
    options = _options(arguments)
    try:
        report = _check(options)
        _keep(report, options)
    except CheckError as error:
        print(f"error: {error.cause}", *([f"next: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    print("\n".join(screen.lines(report, everything=options.all)))
    return 0 if report.ok else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training_checker", description="Check a training submission.")
    parser.add_argument("folder", type=Path, nargs="?", help="the submitter's folder: systems/, results/, benchmarks/")
    parser.add_argument("--log_file", "--log", dest="log", type=Path, help="check one log instead")
    parser.add_argument("--benchmark", default="", help="with --log_file: the benchmark or task that it must be of")
    parser.add_argument("--version", "--ruleset", default="", help="ruleset, as v4.0; own for this project's rules")
    parser.add_argument("--usage", default="", choices=["", "training", "hpc"])
    parser.add_argument("--bypass", action="append", default=[], choices=BYPASSES, help="skip a check, as upstream can")
    parser.add_argument("--csv", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", type=Path, help="write the results to this file")
    parser.add_argument("--json", type=Path, help="write findings and results to this file")
    parser.add_argument("--upstream_log", type=Path, help="write what upstream's package checker says to this file")
    parser.add_argument("--all", action="store_true", help="show all findings")
    options = parser.parse_args(arguments)
    if (options.folder is None) == (options.log is None):
        parser.error("give a folder, or --log_file")
    return options


def _check(options: argparse.Namespace) -> Report:
    if options.log:
        return conduct.check_log(options.log, benchmark=options.benchmark, version=options.version, usage=options.usage)
    bypass = frozenset(options.bypass)
    return conduct.check_tree(options.folder, version=options.version, usage=options.usage, bypass=bypass)


def _keep(report: Report, options: argparse.Namespace) -> None:
    texts = (
        (options.csv, summary.as_csv(report.rows)),
        (options.markdown, summary.as_markdown(report.rows)),
        (options.json, json.dumps(as_data(report), indent=1) + "\n"),
        (options.upstream_log, "".join(f"{line}\n" for line in report.upstream)),
    )
    for path, text in texts:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def as_data(report: Report) -> dict[str, object]:
    """The report for programs."""
    return {
        "ruleset": report.ruleset,
        "ok": report.ok,
        "summary": report.counts,
        "package_checker_accepts": report.accepted,
        "results": [{**asdict(row), "minutes": row.minutes} for row in report.rows],
        "findings": [asdict(one) for one in report.findings],
    }


if __name__ == "__main__":
    sys.exit(main())
