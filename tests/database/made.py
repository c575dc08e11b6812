"""Records in folders, made for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from samples import performance, record

from cm4bench_results import Figure, ResultStore

SCENARIOS = {"offline": "Offline", "server": "Server", "singlestream": "SingleStream"}


def save(home: Path, record_id: str, value: float = 41.25, **changes: object) -> Path:
    """Store a record that differs from the sample's in its id and its figure."""
    scenario = SCENARIOS.get(record_id.rpartition("/")[2], "Offline")
    made = record(id=record_id, **changes)
    run = performance(figures=(Figure("samples per second", value, "samples/s"), Figure("p99 latency", 12.6, "ms")))
    subject = replace(made.subject, scenario=scenario)  # type: ignore[arg-type]
    return ResultStore(home).save(replace(made, runs=(run, *made.runs[1:]), subject=subject))
