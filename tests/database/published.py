"""Small files in the forms that others publish."""

from __future__ import annotations

import csv
import json
from pathlib import Path

HEAD = (
    *("Organization", "Availability", "Division", "SystemType", "SystemName", "Platform", "Model", "MlperfModel"),
    *("Scenario", "Result", "Accuracy", "number_of_nodes", "host_processor_model_name", "host_processors_per_node"),
    *("host_processor_core_count", "accelerator_model_name", "accelerators_per_node", "Location", "framework"),
    *("operating_system", "notes", "compilance", "errors", "version", "inferred", "has_power", "Units"),
)
NEW = (*HEAD[:17], "total_accelerators", *HEAD[17:], "weight_data_types", "design_power_watts", "PrivateID")


def cells(**changes: object) -> dict[str, object]:
    """One row of a summary table."""
    told: dict[str, object] = {
        "Organization": "Acme",
        "Availability": "Available",
        "Division": "closed",
        "SystemType": "datacenter",
        "SystemName": "A big box",
        "Platform": "box8",
        "Model": "resnet",
        "MlperfModel": "resnet",
        "Scenario": "Offline",
        "Result": 1000.0,
        "Accuracy": "acc: 76.460",
        "number_of_nodes": "2",
        "host_processor_model_name": "A processor",
        "host_processors_per_node": "2",
        "host_processor_core_count": "32",
        "accelerator_model_name": "An accelerator",
        "accelerators_per_node": "4",
        "version": "v5.0",
        "inferred": "0",
        "has_power": "False",
        "Units": "Samples/s",
        "weight_data_types": "fp8",
    }
    return {**told, **changes}


def summary(path: Path, rows: list[dict[str, object]], head: tuple[str, ...] = NEW) -> Path:
    """A summary.csv."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, head, extrasaction="ignore", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return path


def log_line(key: str, value: object, error: bool = False) -> str:
    """A line of loadgen's detail log."""
    flag = "true" if error else "false"
    return (
        f':::MLLOG {{"key": "{key}", "value": {json.dumps(value)}, "time_ms": 1.0, "namespace": "mlperf::logging", '
        f'"event_type": "POINT_IN_TIME", "metadata": {{"is_error": {flag}, "is_warning": false, '
        f'"file": "a.cc", "line_no": 1, "pid": 1, "tid": 1}}}}'
    )


def old_tree(root: Path, scenario: str = "Offline", **values: object) -> Path:
    """A results tree of a round that is not known: one result."""
    told = {"effective_scenario": scenario, "result_validity": "VALID", "result_samples_per_second": 250.0, **values}
    run = root / "closed" / "Acme" / "results" / "box8" / "ssd-mobilenet" / scenario / "performance" / "run_1"
    run.mkdir(parents=True, exist_ok=True)
    (run / "mlperf_log_detail.txt").write_text("\n".join(log_line(key, value) for key, value in told.items()))
    systems = root / "closed" / "Acme" / "systems"
    systems.mkdir(exist_ok=True)
    said = {"system_name": "A big box", "system_type": "edge", "status": "available", "number_of_nodes": 1}
    said |= {"accelerators_per_node": 2, "accelerator_model_name": "An accelerator", "sw_notes": ["odd"]}
    (systems / "box8.json").write_text(json.dumps(said))
    return root


def training_log(path: Path, status: str = "success", stop: bool = True) -> Path:
    """A training log of ninety seconds."""
    entries: list[dict[str, object]] = [
        {"key": "submission_benchmark", "value": "bert", "time_ms": 1},
        {"key": "submission_org", "value": "Acme", "time_ms": 1},
        {"key": "submission_division", "value": "closed", "time_ms": 1},
        {"key": "submission_platform", "value": "box8", "time_ms": 1},
        {"key": "global_batch_size", "value": 256, "time_ms": 1},
        {"key": "run_start", "value": None, "time_ms": 1000, "event_type": "INTERVAL_START"},
        {"key": "eval_accuracy", "value": 0.7, "time_ms": 50000},
        {"key": "eval_accuracy", "value": 0.72, "time_ms": 90000},
    ]
    if stop:
        entries.append({"key": "run_stop", "value": None, "time_ms": 91000, "metadata": {"status": status}})
    lines = (f":::MLLOG {json.dumps({'namespace': '', 'event_type': 'POINT_IN_TIME', **one})}" for one in entries)
    path.write_text("noise\n" + "\n".join(lines) + "\n:::MLLOG {broken\n")
    return path
