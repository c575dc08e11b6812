"""`python -m mlperf_final_report summary.csv [--output FOLDER] [--repository ADDRESS]`. Exit code 1 for a mistake."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mlperf_final_report import data, numbers, page, results, sheets, workbook
from mlperf_final_report.rounds import rules


def main(arguments: list[str]) -> int:
    """Write final-report.xlsx, final-report.html, final-report_results.json and ids.json."""
    parser = argparse.ArgumentParser(prog="python -m mlperf_final_report", description="The report of a round.")
    parser.add_argument("table", type=Path, help="summary.csv of the submission checker")
    parser.add_argument("--output", type=Path, help="folder for the files (default: beside the table)")
    parser.add_argument("--repository", default="", help="web address of the results' repository, for links")
    options = parser.parse_args(arguments)
    try:
        _write(options.table, options.output or options.table.parent, options.repository.rstrip("/"))
    except results.TableError as error:
        print(f"error: {error.cause}\n{error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.strerror}: {error.filename}", file=sys.stderr)
        return 1
    return 0


def _write(table: Path, folder: Path, repository: str) -> None:
    found = results.read(table)
    order, allowed = rules(found[0].cells["version"])
    folder.mkdir(parents=True, exist_ok=True)
    ids = numbers.numbered(sheets.keys(found), folder / "ids.json", found[0].cells["version"])
    report = sheets.build(found, order, allowed, ids, repository)
    workbook.write(report, folder / "final-report.xlsx")
    page.write(report, folder / "final-report.html")
    data.write(report, folder / "final-report_results.json")
    print(f"{folder / 'final-report.xlsx'}: {len(report.sheets)} sheets from {len(found)} rows")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
