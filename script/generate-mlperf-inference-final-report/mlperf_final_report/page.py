"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from mlperf_final_report.sheets import Report

TEMPLATE = Path(__file__).with_name("page.html.jinja")


def write(report: Report, path: Path) -> None:
    """Write the page. Whatever the table holds is shown as text."""
    from jinja2 import Environment, StrictUndefined

    maker = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = maker.from_string(TEMPLATE.read_text(encoding="utf-8")).render(report=report)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
