"""The summary table: a row per result, with the columns of upstream's summary.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlperf_checker import figures
from mlperf_checker.context import ResultFolder
from mlperf_checker.layout import order
from mlperf_checker.nameplate import Capacity, capacity
from mlperf_checker.reading import Unreadable
from mlperf_checker.report import Report
from mlperf_checker.rules.measurements import found_file

_SINCE_V5 = ("total_accelerators", "weight_data_types", "design_power_watts", "PrivateID")
COLUMNS = (
    "Organization",
    "Availability",
    "Division",
    "SystemType",
    "SystemName",
    "Platform",
    "Model",
    "MlperfModel",
    "Scenario",
    "Result",
    "Accuracy",
    "number_of_nodes",
    "host_processor_model_name",
    "host_processors_per_node",
    "host_processor_core_count",
    "accelerator_model_name",
    "accelerators_per_node",
    "total_accelerators",
    "Location",
    "framework",
    "operating_system",
    "notes",
    "compliance",
    "errors",
    "version",
    "inferred",
    "has_power",
    "Units",
    "weight_data_types",
    "design_power_watts",
    "PrivateID",
)
_SYSTEM_COLUMNS = (
    "number_of_nodes",
    "host_processor_model_name",
    "host_processors_per_node",
    "host_processor_core_count",
    "accelerator_model_name",
    "accelerators_per_node",
    "framework",
    "operating_system",
)


def columns(version: str) -> tuple[str, ...]:
    """The columns of a round's table."""
    return COLUMNS if order(version) >= order("v5.0") else tuple(one for one in COLUMNS if one not in _SINCE_V5)


def row(result: ResultFolder, value: float | None, accuracy: Mapping[str, str]) -> dict[str, object]:
    """A result's row, without its power."""
    system, place, submission = result.system, result.place, result.submission
    new = submission.is_since("v5.0")
    scores = "  ".join(f"{metric}: {found}" for metric, found in accuracy.items())
    return {
        "Organization": place.submitter,
        "Availability": system.said("status") if new else system.said("status").lower(),
        "Division": place.division,
        "SystemType": system.said("system_type"),
        "SystemName": system.said("system_name"),
        "Platform": place.system,
        "Model": place.benchmark,
        "MlperfModel": result.benchmark.name if result.benchmark else "",
        "Scenario": place.scenario if new else result.scenario,
        "Result": value,
        "Accuracy": scores if new else next(iter(accuracy.values()), ""),
        **{name: system.said(name) for name in _SYSTEM_COLUMNS},
        "total_accelerators": _product(system.said("number_of_nodes"), system.said("accelerators_per_node")),
        "Location": str(result.performance.path if new else result.path),
        "notes": ". ".join(filter(None, (system.said("hw_notes"), system.said("sw_notes")))),
        "compliance": place.division if new else 1,
        "errors": 0,
        "version": submission.round.name,
        "inferred": int(result.is_inferred),
        "has_power": result.has_power,
        "Units": figures.unit(result),
        "weight_data_types": _weight_types(result),
        "design_power_watts": _design_power(result),
        "PrivateID": "",
    }


def write(report: Report, path: Path) -> None:
    """Write the rows of the results that can be submitted; a result with power has a second row.

    Raises:
        OSError: the file cannot be written.
    """
    names = columns(report.round)
    text = io.StringIO()
    text.write(",".join(names) + "\n")
    rows = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    rows.writerows([[one.get(name, "") for name in names] for one in _rows(report)])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8", errors="backslashreplace")


def _rows(report: Report) -> Iterable[Mapping[str, Any]]:
    for one in report.verdicts:
        if one.ok:
            yield one.row
            if one.power is not None:
                yield {**one.row, "Result": one.power, "Units": one.power_unit}


def _product(nodes: str, accelerators: str) -> object:
    return int(nodes) * int(accelerators) if nodes.isdecimal() and accelerators.isdecimal() else ""


def _weight_types(result: ResultFolder) -> object:
    path = found_file(result)
    said = result.submission.files.object(path) if path else Unreadable("")
    return "" if isinstance(said, Unreadable) else said.get("weight_data_types", "")


def _design_power(result: ResultFolder) -> object:
    """Watts that the system's supplies can give, for results with power (since v6.1)."""
    layout, system = result.submission.layout, result.system
    if not result.has_power or not layout.nameplate:
        return ""
    if said := system.said("system_power_capacity"):
        return said
    found = capacity(result.submission.files, layout.nameplate_file(system.submitter.division, *system.scope[1:]))
    return found.watts if isinstance(found, Capacity) else ""
