"""The report as JSON: one entry per system, model and scenario, with its performance and its power."""

from __future__ import annotations

import json
from pathlib import Path

from mlperf_final_report.results import POWER_UNITS
from mlperf_final_report.sheets import Report


def write(report: Report, path: Path) -> None:
    """Write the entries, in the order of the sheets."""
    entries: dict[tuple[str, str, str], dict[str, object]] = {}
    for sheet in report.sheets:
        suite, division = sheet.title.split(" - ")[:2]
        for line in sheet.lines:
            for column, value in line.values.items():
                about = {"ID": line.id, "Unique ID": line.key, "Suite": suite, "Category": division, **line.about}
                about |= {"Model": column.benchmark, "Scenario": column.scenario}
                about |= {"Details": line.details, "Code": line.code, "version": report.round}
                entry = entries.setdefault((line.key, column.benchmark, column.scenario), about)
                kind = "Power" if column.unit in POWER_UNITS else "Performance"
                entry |= {f"{kind}_Result": value, f"{kind}_Units": column.unit}
    path.write_text(json.dumps(list(entries.values()), indent=1), encoding="utf-8")
