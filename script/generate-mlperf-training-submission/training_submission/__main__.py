"""Command line: `python -m training_submission RUNS… --description=FILE --output=FOLDER`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mlperf_submission.errors import SubmissionError

from training_submission.order import Order


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 for a submission on disk, 1 for one that was refused, 2 for wrong usage."""
    from training_submission.packing import pack
    from training_submission.screen import summary

    values = vars(_parser().parse_args(arguments))
    records, locations = tuple(values.pop("records")), values.pop("locations")
    try:
        packed = pack(Order(records=records, **values))
    except SubmissionError as error:
        _tell(error, locations)
        return 1
    print(summary(packed))
    if locations:
        _write(locations, tree=str(packed.tree), tarball=str(packed.tarball))
    return 0


def _tell(error: SubmissionError, locations: Path | None) -> None:
    """Into the file for a caller, else on the terminal."""
    if locations:
        _write(locations, cause=error.cause, hint=error.hint)
    else:
        print(f"error: {error.cause}", *([f"next: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)


def _write(path: Path, **content: str) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training_submission", description="pack trainings into a submission"
    )
    parser.add_argument("records", nargs="+", type=Path, help="folders of runs, or folders that hold some")
    parser.add_argument("--description", type=Path, required=True, help="systems/<name>.json")
    parser.add_argument("--output", type=Path, required=True, help="folder for the submission's own folder")
    parser.add_argument("--submitter", default="")
    parser.add_argument("--division", default="open", choices=["open", "closed"])
    parser.add_argument("--version", default="", help="ruleset, as v4.0")
    parser.add_argument("--status", default="", choices=["", "available", "cloud", "preview", "rdi"])
    parser.add_argument("--implementation", default="cm4bench", help="name of the code's folder")
    parser.add_argument("--scaling", default="strong", choices=["strong", "weak"], help="for hpc")
    parser.add_argument("--locations", type=Path, help="write where everything is, or why there is nothing, as JSON")
    for name in ("demonstration", "replace"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
