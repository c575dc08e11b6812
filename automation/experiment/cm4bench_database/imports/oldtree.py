"""Results trees of rounds whose rules are not known here (v2.0 … v4.0): read from the logs, judged by no rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cm4bench_database.imports import official
from cm4bench_database.imports.found import Found
from cm4bench_database.row import Row

if TYPE_CHECKING:
    from mlperf_checker.detaillog import DetailLog
    from mlperf_checker.reading import Files

_NS_PER_MS = 1_000_000
# The submission checkers of those rounds: the first key that a log has counts. Early stopping is judged since v2.1.
_KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "singlestream": (
        ("early_stopping_latency_ss", "Latency (ms)"),
        ("result_90.00_percentile_latency_ns", "Latency (ms)"),
    ),
    "multistream": (
        ("early_stopping_latency_ms", "Latency (ms)"),
        ("result_99.00_percentile_per_query_latency_ns", "Latency (ms)"),
    ),
    "offline": (("result_samples_per_second", "Samples/s"),),
    "server": (("result_scheduled_samples_per_sec", "Queries/s"), ("result_completed_samples_per_sec", "Queries/s")),
}
_TOKEN_KEYS = {"offline": "result_tokens_per_second", "server": "result_completed_tokens_per_second"}
_NAMES = {"singlestream": "SingleStream", "multistream": "MultiStream", "offline": "Offline", "server": "Server"}
_SYSTEM = (
    *("number_of_nodes", "host_processor_model_name", "host_processors_per_node", "host_processor_core_count"),
    *("accelerator_model_name", "accelerators_per_node", "framework", "operating_system"),
)


def read(folder: Path, round_: str) -> Found:
    """All results whose performance log is there; ``valid`` is what loadgen said."""
    from mlperf_checker.folders import look
    from mlperf_checker.reading import Files

    files = Files(folder, look(folder))
    found = Found(f"results tree of {round_}, not checked: its rules are not known")
    for place in _places(files):
        row = _row(files, place, round_)
        if isinstance(row, str):
            found.set_aside.append(("/".join(place), row))
        else:
            found.rows.append(row)
    return found


def round_by_seeds(folder: Path) -> str:
    """The round that the seeds of the first log belong to; empty for seeds of a round that is not known."""
    from mlperf_checker import roundfiles
    from mlperf_checker.folders import look
    from mlperf_checker.reading import Files
    from mlperf_checker.rules.performance import SEEDS

    files = Files(folder, look(folder))
    for place in _places(files):
        log = _log(files, place)
        if not isinstance(log, str):
            seeds = {key: log.get(f"effective_{key}") for key in SEEDS}
            known = roundfiles.of_seeds({key: value for key, value in seeds.items() if isinstance(value, int)})
            return known.name if known else ""
    return ""


Place = tuple[str, str, str, str, str, str]


def _places(files: Files) -> Iterator[Place]:
    """Division, submitter, "results", system, model, scenario."""
    for folder in files.tree.below():
        parts = tuple(folder.path.split("/"))
        if len(parts) == 6 and parts[0] in ("closed", "open", "network") and parts[2] == "results":
            yield parts


def _log(files: Files, place: Place) -> DetailLog | str:
    from mlperf_checker.detaillog import parse
    from mlperf_checker.reading import Unreadable

    content = files.read("/".join((*place, "performance", "run_1", "mlperf_log_detail.txt")))
    return f"its performance log: {content.why}" if isinstance(content, Unreadable) else parse(content)


def _row(files: Files, place: Place, round_: str) -> Row | str:
    log = _log(files, place)
    if isinstance(log, str):
        return log
    division, submitter, _, system, model, scenario = place
    figure = _figure(log, scenario.lower(), model)
    if figure is None:
        return _missing(log, scenario)
    cells: dict[str, Any] = {
        "Organization": submitter,
        "Division": division,
        "Platform": system,
        "Model": model,
        "Scenario": _NAMES.get(scenario.lower(), scenario),
        "Result": figure[0],
        "Units": figure[1],
        "version": round_,
        "inferred": int(log.scenario.lower() != scenario.lower()),
        **_described(files, division, submitter, system),
    }
    return official.row(cells, valid=log.text("result_validity") == "VALID", checked=False)


def _figure(log: DetailLog, scenario: str, model: str) -> tuple[float, str] | None:
    # a result that was inferred from another scenario's run is not computed anew here
    if log.scenario.lower() != scenario:
        return None
    tokens = log.number(_TOKEN_KEYS.get(scenario, ""))
    if tokens and ("llama" in model or "mixtral" in model):
        return tokens, "Tokens/s"
    for key, unit in _KEYS.get(scenario, ()):
        if value := log.number(key):
            return (value / _NS_PER_MS if "latency" in key else value), unit
    return None


def _missing(log: DetailLog, scenario: str) -> str:
    if log.scenario.lower() != scenario.lower():
        return f"it was inferred from a run of {log.scenario or 'no scenario'}, which is not done anew here"
    return "its log has no result"


def _described(files: Files, division: str, submitter: str, system: str) -> dict[str, Any]:
    from mlperf_checker.reading import Unreadable

    said = files.object(f"{division}/{submitter}/systems/{system}.json")
    if isinstance(said, Unreadable):
        return {}
    kept = {name: _plain(said.get(name)) for name in _SYSTEM}
    return {
        **kept,
        "Availability": _plain(said.get("status")),
        "SystemType": _plain(said.get("system_type")),
        "SystemName": _plain(said.get("system_name")),
        "notes": _plain(said.get("sw_notes")),
    }


def _plain(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
