"""Differences of results in words: what was measured first, then whether to believe it, then the numbers."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from cm4bench.errors import CMBenchError
from cm4bench.tools.resultdifference import compare_results, read_result

RECORD = {
    "schema_version": 1,
    "subject": {"model": "resnet50", "scenario": "Offline", "device": "cpu"},
    "tier": "synthetic",
    "division": "demonstration",
    "host": {"cpu_model": "A", "cpu_cores": 2},
    "versions": {"torch": "2.1"},
    "quality": {"metric": "top-1", "value": 76.0, "unit": "%"},
    "runs": [
        {
            "mode": "performance",
            "validity": {"valid": True},
            "configuration": {"batch": 8, "output_dir": "/a", "model": {"name": "resnet50"}},
            "figures": [{"metric": "samples per second", "value": 100.0, "unit": "1/s"}],
            "device": {"used": "cpu", "name": "A", "verdict": {"valid": True}},
        }
    ],
}


def other(*path, value):
    record = copy.deepcopy(RECORD)
    inner = record
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return record


def test_equal():
    assert compare_results(RECORD, RECORD) == []


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("subject", "device"), "cuda", "measured: device was cpu, is cuda"),
        (("tier",), "full", "tier: was synthetic, is full"),
        (("runs", 0, "figures", 0, "value"), 80.0, "performance: samples per second was 100 1/s, is 80 1/s (-20.0 %)"),
        (("quality", "value"), 75.0, "quality: top-1 was 76 %, is 75 % (-1.3 %)"),
        (
            ("runs", 0, "configuration", "model", "name"),
            "x",
            "performance configuration: model.name was resnet50, is x",
        ),
        (("versions", "torch"), "2.2", "versions: torch was 2.1, is 2.2"),
        (("host", "cpu_cores"), 4, "host: cpu_cores was 2, is 4"),
        (
            ("runs", 0, "validity"),
            {"valid": False, "reasons": ["too short"]},
            "performance validity: was valid, is invalid (too short)",
        ),
        (
            ("runs", 0, "device", "verdict"),
            {"valid": False, "reasons": ["throttled"]},
            "performance device: was A (cpu), is A (cpu), doubted: throttled",
        ),
    ],
)
def test_each_difference(path, value, words):
    assert compare_results(RECORD, other(*path, value=value)) == [words]


def test_where_a_record_lies_does_not_matter():
    assert compare_results(RECORD, other("runs", 0, "configuration", "output_dir", value="/b")) == []


def test_where_cached_data_lies_does_not_matter():
    paths = [f"/{home}/repos/local/cache/{entry * 16}/data" for home, entry in (("a", "1"), ("b/CM", "2"))]
    old, new = (other("runs", 0, "configuration", "dataset", value=path) for path in paths)
    assert compare_results(old, new) == []
    old, new = (
        {**other("runs", 0, "configuration", "conf", value=f"/x/{run}/off/c"), "id": f"{run}/off"} for run in "ab"
    )
    assert compare_results(old, new) == []
    assert compare_results(RECORD, other("runs", 0, "configuration", "dataset", value="/data/mine"))


def test_a_run_stands_for_its_only_scenario(tmp_path: Path):
    for scenario in ("offline", "server"):
        (tmp_path / scenario).mkdir()
        (tmp_path / scenario / "result.json").write_text(json.dumps(RECORD))
        if scenario == "offline":
            assert read_result(tmp_path) == RECORD
    with pytest.raises(CMBenchError, match="holds several results: offline, server"):
        read_result(tmp_path)


def test_order_and_missing_runs():
    new = other("runs", 0, "figures", 0, "value", value=50.0)
    new["tier"] = "full"
    new["runs"].append({**RECORD["runs"][0], "mode": "accuracy"})
    kinds = [line.partition(":")[0] for line in compare_results(RECORD, new)]
    assert kinds == ["tier", "accuracy", "performance"]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("{", "is no JSON"),
        ("[]", "neither a lock nor a result"),
        (json.dumps({**RECORD, "schema_version": 9}), "schema 9"),
    ],
)
def test_what_is_no_result(tmp_path: Path, content: str, cause: str):
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(CMBenchError, match=cause):
        read_result(tmp_path)


def test_a_folder_stands_for_its_record(tmp_path: Path):
    (tmp_path / "result.json").write_text(json.dumps(RECORD))
    assert read_result(tmp_path) == read_result(tmp_path / "result.json") == RECORD
    with pytest.raises(CMBenchError, match="cannot be read"):
        read_result(tmp_path / "none")


def test_real_records_are_understood():
    """The record's own writer and this reader speak of the same fields."""
    from tests.results.samples import record

    from cm4bench_results.record import dumps

    data = json.loads(dumps(record()))
    assert compare_results(data, data) == []
    assert {"subject", "runs", "tier", "versions", "host"} <= data.keys()
