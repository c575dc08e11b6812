"""One finished run against the rules, and the layouts of the rounds."""

import shutil
from pathlib import Path

import pytest
from mlperf_checker import check_run, description
from mlperf_checker.layout import Layout, Place
from tests.checker import trees


@pytest.fixture
def tree(tmp_path: Path) -> trees.Tree:
    return trees.build(tmp_path / "tree", "open-v6.1")


def rules(folder: Path, benchmark: str = "resnet", scenario: str = "SingleStream", **more: str) -> set[str]:
    found = check_run(folder, benchmark, scenario, more.get("round", "v6.1"), more.get("division", "open"))
    assert all(Path(one.path).is_relative_to(folder) for one in found if one.rule != "benchmark-unknown")
    return {one.rule for one in found}


def test_a_good_run_has_no_findings(tree: trees.Tree) -> None:
    assert rules(tree.performance()) == set()
    assert rules(tree.accuracy()) == set()


def test_other_files_of_a_run_do_not_matter(tree: trees.Tree, tmp_path: Path) -> None:
    shutil.copytree(tree.performance(), tmp_path / "run")
    (tmp_path / "run" / "outcome.json").write_text("{}")
    assert rules(tmp_path / "run") == set()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"effective_min_duration_ms": 0}, "duration"),
        ({"result_validity": "INVALID"}, "result-invalid"),
        ({"num_errors": 2}, "loadgen-errors"),
        ({"effective_performance_sample_count": 3}, "performance-samples"),
    ],
)
def test_a_bad_run_is_named(tree: trees.Tree, changes: dict, rule: str) -> None:
    tree.log(tree.performance(), **changes)
    assert rules(tree.performance()) == {rule}


def test_a_bad_accuracy_run_is_named(tree: trees.Tree) -> None:
    tree.log(tree.accuracy(), effective_accuracy_sample_count=20)
    trees.write(tree.accuracy() / "accuracy.txt", "accuracy=10.0%\n")
    assert rules(tree.accuracy()) == {"accuracy-samples"}
    assert rules(tree.accuracy(), division="closed") == {"accuracy-samples", "accuracy-target"}


def test_a_run_of_another_round_or_of_nothing(tree: trees.Tree, tmp_path: Path) -> None:
    assert rules(tree.performance(), round="v6.0") == {"seeds"}
    (tmp_path / "empty").mkdir()
    assert rules(tree.performance(), benchmark="mynet") == {"benchmark-unknown"}
    assert rules(tmp_path / "empty") == {"performance-log"}


PLACE = Place("closed", "acme", "box", "resnet", "Offline")


@pytest.mark.parametrize(
    ("version", "results", "measurements", "test", "code"),
    [
        ("v5.0", "results", "measurements/box/resnet/Offline/box_cpu_Offline.json", "compliance", "code"),
        ("v5.1", "results", "measurements/box/resnet/Offline/box_cpu_Offline.json", "compliance", "code"),
        ("v6.0", "results", "results/box/resnet/Offline/measurements.json", "results", "src"),
        ("v6.1", "results", "results/box/resnet/Offline/measurements.json", "results", "src"),
    ],
)
def test_where_files_lie(version: str, results: str, measurements: str, test: str, code: str) -> None:
    layout, home = Layout.of(version), "closed/acme"
    assert str(layout.performance(PLACE)) == f"{home}/{results}/box/resnet/Offline/performance/run_1"
    assert str(layout.measurements_file(PLACE, "cpu")) == f"{home}/{measurements}"
    assert layout.is_measurements_file(layout.measurements_file(PLACE, "cpu").name, PLACE)
    assert str(layout.compliance(PLACE, "TEST01")) == f"{home}/{test}/box/resnet/Offline/TEST01"
    assert str(layout.code("closed", "acme")) == f"{home}/{code}"
    assert str(layout.system_file("closed", "acme", "box")) == f"{home}/systems/box.json"
    assert layout.nameplate == (version == "v6.1")
    assert (layout.max_accuracy_log_bytes, layout.max_file_bytes) == (10240, 50 * 1024 * 1024)


@pytest.mark.parametrize("version", ["v5.0", "v5.1", "v6.0", "v6.1"])
def test_keys_of_a_description(version: str) -> None:
    assert {one.name for one in description.keys(version)} == set(trees.SYSTEM_KEYS)
    assert len(description.keys(version, network=True)) == len(trees.SYSTEM_KEYS) + 13
    empty = {one.name for one in description.keys(version) if one.may_be_empty}
    assert {"hw_notes", "sw_notes", "system_type_detail", "host_processor_caches"} <= empty
    assert "cooling" not in empty


def test_objections_tell_what_to_write() -> None:
    said = description.objections({"status": "soon", "division": "open"}, "v6.1", division="closed", submitter="acme")
    by_key = {one.key: one for one in said}
    assert "available, preview, rdi" in by_key["status"].remedy
    assert '"division": "closed"' in by_key["division"].remedy
    assert "missing" in by_key["cooling"].cause
    assert len(said) == len(trees.SYSTEM_KEYS)


def test_the_network_division_wants_a_network() -> None:
    said = description.objections({"is_network": "false"}, "v6.1", division="network")
    assert "is_network" in {one.key for one in said}
