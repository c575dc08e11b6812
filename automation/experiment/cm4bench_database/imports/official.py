"""A row of the official summary table as a row of ours. Rounds since v2.0 have these columns, newer ones more."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cm4bench_database.row import Row, better

NEEDED = ("Organization", "Division", "Platform", "Model", "Scenario", "Result")
SAMPLES_PER_MULTISTREAM_QUERY = 8
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_SCORE = re.compile(rf"(?:(?P<name>[A-Za-z][\w-]*):\s*)?(?P<value>{_NUMBER.pattern})")
_YES = ("1", "1.0", "true", "yes")


def row(cells: Mapping[str, Any], *, valid: bool | None = True, checked: bool = True) -> Row:
    """One row of ours.

    Args:
        cells: by the names of the summary table's columns; values as text or as numbers.
        valid, checked: what is known about the result; a published table has only valid ones.
    """
    text = {name: _text(value) for name, value in cells.items() if isinstance(name, str)}
    said = text.get
    nodes = whole(said("number_of_nodes"))
    unit = said("Units") or said("Result_Units") or ""
    metric, score = _accuracy(said("Accuracy", ""))
    round_ = said("version", "")
    return Row(
        id="/".join(
            (round_, *(said(one, "") for one in ("Division", "Organization", "Platform", "Model", "Scenario")))
        ),
        source="official",
        organization=said("Organization", ""),
        submitter=said("Organization", ""),
        division=said("Division", ""),
        category=said("SystemType", ""),
        availability=said("Availability", "").lower(),
        round=round_,
        system=said("SystemName", "") or said("Platform", ""),
        platform=said("Platform", ""),
        accelerator=_named(said("accelerator_model_name", "")),
        accelerators=whole(said("total_accelerators")) or _product(nodes, whole(said("accelerators_per_node"))),
        nodes=nodes,
        processor=_named(said("host_processor_model_name", "")),
        processors=_product(nodes, whole(said("host_processors_per_node"))),
        cores=_product(nodes, whole(said("host_processors_per_node")), whole(said("host_processor_core_count"))),
        framework=said("framework", ""),
        model=said("Model", ""),
        benchmark=said("MlperfModel", "") or said("Model", ""),
        scenario=said("Scenario", ""),
        tier="full",
        precision=said("weight_data_types", ""),
        metric=_metric(unit),
        unit=unit,
        value=number(said("Result")),
        better=better(unit),
        accuracy=score,
        accuracy_metric=metric,
        valid=valid,
        checked=checked,
        inferred=said("inferred", "").lower() in _YES,
        host=said("operating_system", ""),
        notes=said("notes", ""),
    )


def with_power(rows: Iterable[Row]) -> list[Row]:
    """Second rows of results with power become figures of these, and tell them their watts or joules."""
    results: dict[str, list[Row]] = defaultdict(list)
    for one in rows:
        results[one.id].append(one)
    return [found for group in results.values() for found in _powered(group)]


def _powered(group: list[Row]) -> list[Row]:
    measured = {one.metric: one.value for one in group if one.metric in ("power", "energy")}
    if not measured:
        return group
    joules = _joules(group[0].scenario, measured.get("energy"))
    return [
        msgspec.structs.replace(
            one,
            power_w=measured.get("power"),
            joules_per_sample=joules,
            headline=one.metric not in measured,
            mode="power" if one.metric in measured else one.mode,
        )
        for one in group
    ]


def _joules(scenario: str, millijoules: float | None) -> float | None:
    """Streams state the energy of a query in millijoules; a query of MultiStream has eight samples."""
    if millijoules is None:
        return None
    samples = SAMPLES_PER_MULTISTREAM_QUERY if scenario.lower() == "multistream" else 1
    return millijoules / 1000 / samples


def _metric(unit: str) -> str:
    word = unit.lower()
    if "watt" in word:
        return "power"
    if "joule" in word:
        return "energy"
    return "throughput" if word.endswith("/s") else "latency" if "latency" in word else ""


def _accuracy(text: str) -> tuple[str, float | None]:
    """`76.46`, or `acc: 76.46  …`: name and value of the first score."""
    found = _SCORE.search(text)
    return (found["name"] or "", number(found["value"])) if found else ("", None)


def number(text: str | None) -> float | None:
    """A finite number, None for anything else."""
    try:
        value = float((text or "").replace(",", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def whole(text: str | None) -> int | None:
    """The whole number that a text begins with: submitters write `2`, `8 per node` and `N/A`."""
    found = re.match(r"\s*(\d{1,9})(?![\d.]*\d)", text or "")
    return int(found[1]) if found else None


def _product(*factors: int | None) -> int | None:
    known = [one for one in factors if one is not None]
    return math.prod(known) if len(known) == len(factors) else None


def _named(text: str) -> str:
    return "" if text.strip().lower() in ("n/a", "na", "none", "-") else text


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
