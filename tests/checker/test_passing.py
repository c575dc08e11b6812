"""Trees that are as they should be."""

import csv
from pathlib import Path

import pytest
from mlperf_checker import check_tree, table
from mlperf_checker.report import Report
from tests.checker import trees


def report_of(tree: trees.Tree) -> Report:
    return check_tree(tree.root, tree.version)


@pytest.mark.parametrize("kind", trees.KINDS)
def test_a_good_tree_passes(tmp_path: Path, kind: str) -> None:
    tree = trees.build(tmp_path / "tree", kind)
    report = report_of(tree)
    assert [str(one) for one in report.errors] == []
    assert [one.place.scenario for one in report.verdicts] == sorted(tree.scenarios)
    assert all(one.ok and one.value for one in report.verdicts)


def test_numbers_are_in_the_published_units(tmp_path: Path) -> None:
    found = {one.place.scenario: one for one in report_of(trees.build(tmp_path, "closed-v6.1")).verdicts}
    assert (found["SingleStream"].value, found["SingleStream"].unit) == (5.1, "Latency (ms)")
    assert (found["MultiStream"].value, found["MultiStream"].unit) == (40.5, "Latency (ms)")
    assert (found["Offline"].value, found["Offline"].unit) == (200.5, "Samples/s")
    assert found["Offline"].accuracy == {"acc": "76.460"}


def test_tokens_are_counted_where_the_round_counts_tokens(tmp_path: Path) -> None:
    found = {one.place.scenario: one for one in report_of(trees.build(tmp_path, "tokens-v6.1")).verdicts}
    assert (found["Offline"].value, found["Offline"].unit) == (2005.5, "Tokens/s")
    assert (found["Interactive"].value, found["Interactive"].inferred) == (501.5, False)


def test_power_is_the_mean_inside_the_window(tmp_path: Path) -> None:
    one = report_of(trees.build(tmp_path, "power-v6.1")).verdicts[0]
    watts, seconds, queries = sum(200 + minute for minute in range(10)) / 10, 610.0, 122_000
    assert one.power == pytest.approx(watts * seconds * 1000 / queries)
    assert one.power_unit == "millijoules"


@pytest.mark.parametrize(
    ("scenario", "value"),
    [("MultiStream", 8 * 5.6), ("Offline", 200.0)],
)
def test_results_inferred_from_single_stream(tmp_path: Path, scenario: str, value: float) -> None:
    tree = trees.build(tmp_path, "open-v6.1")
    tree.result("SingleStream").rename(tree.result(scenario))
    one = report_of(tree).verdicts[0]
    assert (one.ok, one.inferred, one.value) == (True, True, pytest.approx(value))


def test_offline_inferred_from_multi_stream(tmp_path: Path) -> None:
    tree = trees.Tree(tmp_path, scenarios=("MultiStream",)).build()
    tree.result("MultiStream").rename(tree.result("offline"))
    one = report_of(tree).verdicts[0]
    assert (one.ok, one.inferred, one.value) == (True, True, pytest.approx(8 * 1000 / 40))


@pytest.mark.parametrize(("kind", "columns"), [("open-v4.1", 27), ("open-v6.1", 31), ("power-v6.1", 31)])
def test_the_summary_table_has_the_rounds_columns(tmp_path: Path, kind: str, columns: int) -> None:
    tree = trees.build(tmp_path / "tree", kind)
    table.write(report_of(tree), tmp_path / "deep" / "summary.csv")
    rows = list(csv.reader((tmp_path / "deep" / "summary.csv").open()))
    assert {len(row) for row in rows} == {columns}
    assert len(rows) == (3 if tree.power else 2)
    named = dict(zip(rows[0], rows[1], strict=True))
    assert (named["Organization"], named["MlperfModel"], named["Result"]) == ("acme", "resnet", "5.1")
    if tree.power:
        assert dict(zip(rows[0], rows[2], strict=True))["Units"] == "millijoules"


def test_own_model_names_count_as_what_the_mapping_says(tmp_path: Path) -> None:
    tree = trees.Tree(tmp_path, benchmark="mynet", official="resnet").build()
    assert {one.rule for one in report_of(tree).errors} == {"benchmark-unknown"}
    trees.write(tree.home / "model_mapping.json", '{"mynet": "resnet"}')
    report = report_of(tree)
    assert report.ok
    assert report.verdicts[0].row["MlperfModel"] == "resnet"


def test_one_submitter_of_many(tmp_path: Path) -> None:
    good = trees.build(tmp_path, "open-v6.1")
    bad = trees.Tree(tmp_path, submitter="other").build()
    bad.code.rename(bad.home / "sources")
    assert not check_tree(tmp_path, "v6.1").ok
    report = check_tree(tmp_path, "v6.1", submitter=good.submitter)
    assert report.ok
    assert len(report.verdicts) == 1
