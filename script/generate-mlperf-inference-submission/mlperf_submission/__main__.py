"""Command line: `python -m mlperf_submission RECORDS… --description=FILE --output=FOLDER`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mlperf_submission.errors import SubmissionError
from mlperf_submission.order import Order


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 for a submission on disk, 1 for one that was refused, 2 for wrong usage."""
    from mlperf_submission.packing import pack
    from mlperf_submission.screen import summary

    options = _parser().parse_args(arguments)
    values = {key: value for key, value in vars(options).items() if key != "records"}
    try:
        packed = pack(Order(records=tuple(options.records), **values))
    except SubmissionError as error:
        print(f"error: {error.cause}", *([f"next: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        return 1
    print(summary(packed))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mlperf_submission", description="pack results into a submission")
    parser.add_argument("records", nargs="+", type=Path, help="result.json files, or folders that hold some")
    parser.add_argument("--description", type=Path, required=True, help="systems/<name>.json")
    parser.add_argument("--output", type=Path, required=True, help="folder for the submission's own folder")
    for name in ("submitter", "division", "round"):
        parser.add_argument(f"--{name}", default="")
    for name in ("lock", "calibration", "measurements", "analyzer_table", "power_settings"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("infer", "demonstration", "replace"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
