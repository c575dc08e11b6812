"""Published results of every form become rows; what is none is named."""

import json
from pathlib import Path

import pytest

from cm4bench_database import Database, DatabaseError, actions
from cm4bench_database.imports import Options, read

from .published import HEAD, cells, log_line, old_tree, summary, training_log


def test_a_row_of_a_summary(tmp_path: Path) -> None:
    (row,) = read(summary(tmp_path / "summary.csv", [cells()])).rows
    assert row.id == "v5.0/closed/Acme/box8/resnet/Offline"
    told = (row.accelerators, row.nodes, row.processors, row.cores, row.precision, row.availability)
    assert told == (8, 2, 4, 128, "fp8", "available")
    assert (row.value, row.metric, row.unit, row.better) == (1000.0, "throughput", "Samples/s", "higher")
    assert (row.accuracy, row.accuracy_metric, row.valid, row.source) == (76.46, "acc", True, "official")


def test_columns_of_old_rounds(tmp_path: Path) -> None:
    path = summary(tmp_path / "summary.csv", [cells(version="", Accuracy=76.46)], HEAD)
    (row,) = read(path, Options("v2.0")).rows
    assert (row.round, row.accelerators, row.accuracy) == ("v2.0", 8, 76.46)


def test_power_rows_become_figures_of_their_result(tmp_path: Path) -> None:
    rows = [cells(has_power="True"), cells(has_power="True", Result=500.0, Units="Watts"), cells(Model="bert-99")]
    home = tmp_path / "home"
    home.mkdir()
    actions.import_({"results_dir": str(home), "from": str(summary(tmp_path / "summary.csv", rows))})
    found = Database.open(home).query(
        "SELECT model, metric, per_watt, per_accelerator, per_core FROM results WHERE headline ORDER BY model"
    )
    assert found.rows == [
        ("bert-99", "throughput", None, 125.0, 1000 / 128),
        ("resnet", "throughput", 2.0, 125.0, 1000 / 128),
    ]
    assert len(Database.open(home).records(metric="power")) == 1


@pytest.mark.parametrize(("scenario", "joules"), [("SingleStream", 0.08), ("MultiStream", 0.01)])
def test_energy_of_streams(tmp_path: Path, scenario: str, joules: float) -> None:
    rows = [cells(Scenario=scenario, Units="Latency (ms)"), cells(Scenario=scenario, Result=80.0, Units="millijoules")]
    found = read(summary(tmp_path / "summary.csv", rows)).rows
    assert [(one.metric, one.headline, one.joules_per_sample) for one in found] == [
        ("latency", True, joules),
        ("energy", False, joules),
    ]


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"Result": "fast"}, "no number"), ({"Result": ""}, "no Result"), ({"Result": "nan"}, "no number"),
     ({"Platform": ""}, "no Platform")],
)  # fmt: skip
def test_a_bad_row_is_set_aside_and_the_others_stay(tmp_path: Path, changes: dict, word: str) -> None:
    found = read(summary(tmp_path / "summary.csv", [cells(**changes), cells()]))
    assert len(found.rows) == 1
    ((where, reason),) = found.set_aside
    assert where.endswith("row 1") and word in reason


@pytest.mark.parametrize("text", ["N/A", "", "two", "-3", "1.5", "9" * 30])
def test_counts_that_are_none(tmp_path: Path, text: str) -> None:
    rows = [cells(number_of_nodes=text, accelerators_per_node=text)]
    (row,) = read(summary(tmp_path / "summary.csv", rows)).rows
    assert row.accelerators is None and row.cores is None


def test_json_results(tmp_path: Path) -> None:
    path = tmp_path / "cm-result.json"
    path.write_text(json.dumps([cells(Accuracy=76.46, number_of_nodes=2, has_power=False), "junk"]))
    found = read(path)
    assert (found.rows[0].value, found.rows[0].accelerators) == (1000.0, 8)
    assert found.set_aside[0][1] == "it is no object"


def test_a_checkout_of_json_results(tmp_path: Path) -> None:
    for number, text in enumerate((json.dumps([cells(Model="a")]), json.dumps([cells(Model="b")]), "{")):
        folder = tmp_path / "experiment" / f"name{number}" / "20240101"
        folder.mkdir(parents=True)
        (folder / "cm-result.json").write_text(text)
    found = read(tmp_path)
    assert sorted(row.model for row in found.rows) == ["a", "b"]
    assert "no JSON" in found.set_aside[0][1]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "x,y\n1,2\n"), ("a.csv", ""), ("a.csv", "\x00\xff"), ("a.json", "{"), ("a.json", "[" * 99999),
     ("a.json", "[1]"), ("a.txt", "nothing"), ("a.csv", 'Organization,"')],
)  # fmt: skip
def test_foreign_files_are_refused_by_name(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(DatabaseError, match=name):
        read(tmp_path / name)


def test_an_empty_folder_and_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="nothing that can be imported"):
        read(tmp_path)
    with pytest.raises(DatabaseError, match="there is no"):
        read(tmp_path / "none")


def test_a_tree_of_an_unknown_round(tmp_path: Path) -> None:
    (row,) = read(old_tree(tmp_path / "inference_results_v3.0")).rows
    assert row.id == "v3.0/closed/Acme/box8/ssd-mobilenet/Offline"
    assert (row.value, row.unit, row.valid, row.checked) == (250.0, "Samples/s", True, False)
    assert (row.system, row.accelerators, row.notes) == ("A big box", 2, '["odd"]')


def test_latencies_of_an_old_tree_are_in_milliseconds(tmp_path: Path) -> None:
    values = {"early_stopping_latency_ss": 2_500_000, "result_validity": "INVALID"}
    (row,) = read(old_tree(tmp_path, "SingleStream", **values), Options("v3.0")).rows
    assert (row.value, row.unit, row.valid, row.better) == (2.5, "Latency (ms)", False, "lower")


def test_a_result_that_was_inferred_is_named(tmp_path: Path) -> None:
    found = read(old_tree(tmp_path / "v3.0", effective_scenario="SingleStream"))
    assert found.rows == [] and "inferred from a run of SingleStream" in found.set_aside[0][1]


def test_a_tree_of_nobody_knows_which_round(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as found:
        read(old_tree(tmp_path / "mine"))
    assert "--round=" in found.value.hint


def test_links_out_of_a_tree_are_not_followed(tmp_path: Path) -> None:
    secret = old_tree(tmp_path / "secret")
    root = old_tree(tmp_path / "v3.0")
    (root / "open").symlink_to(secret / "closed")
    (root / "closed" / "Acme" / "results" / "loop").symlink_to(root)
    found = read(root)
    assert len(found.rows) == 1
    assert all("secret" not in row.path for row in found.rows)


def test_a_tree_without_logs_names_each_result(tmp_path: Path) -> None:
    root = old_tree(tmp_path / "v3.0")
    next(root.rglob("mlperf_log_detail.txt")).unlink()
    assert read(root).set_aside == [
        ("closed/Acme/results/box8/ssd-mobilenet/Offline", "its performance log: it is missing")
    ]


def test_endpoints_folders_are_recognised(tmp_path: Path) -> None:
    (tmp_path / "performance").mkdir()
    (tmp_path / "performance" / "result_summary.json").write_text("{}")
    assert "endpoints" in read(tmp_path).set_aside[0][1]


def test_training_logs(tmp_path: Path) -> None:
    folder = tmp_path / "Acme" / "results" / "box8" / "bert"
    folder.mkdir(parents=True)
    training_log(folder / "result_0.txt")
    training_log(folder / "result_1.txt", status="aborted")
    training_log(folder / "result_2.txt", stop=False)
    found = read(tmp_path, Options("v4.0"))
    assert [(one.value, one.unit, one.valid, one.accuracy) for one in found.rows] == [
        (1.5, "min", True, 0.72),
        (1.5, "min", False, 0.72),
    ]
    assert "run_stop" in found.set_aside[0][1]


def test_a_log_of_loadgen_is_no_training_log(tmp_path: Path) -> None:
    (tmp_path / "result_0.txt").write_text(log_line("loadgen_version", "5.0"))
    with pytest.raises(DatabaseError, match="nothing that can be imported"):
        read(tmp_path / "result_0.txt")


def test_importing_again_replaces(tmp_path: Path) -> None:
    path = summary(tmp_path / "summary.csv", [cells()])
    given = {"results_dir": str(tmp_path / "home"), "from": str(path)}
    assert actions.import_(given)["results"] == 1
    summary(path, [cells(Result=7.0), cells(Model="bert-99")])
    assert actions.import_(given)["results"] == 2
    assert sorted(Database.open(tmp_path / "home").records(headline=True).column("value")) == [7.0, 1000.0]


def test_the_same_result_from_two_origins_counts_once(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    actions.import_({"results_dir": home, "from": str(summary(tmp_path / "a.csv", [cells()]))})
    done = actions.import_({"results_dir": home, "from": str(summary(tmp_path / "b.csv", [cells(), cells(Model="x")]))})
    assert (done["results"], done["known"]) == (1, 1)


def test_imports_survive_a_deleted_database(tmp_path: Path) -> None:
    home = tmp_path / "home"
    actions.import_({"results_dir": str(home), "from": str(summary(tmp_path / "summary.csv", [cells()]))})
    for path in (home / ".database").glob("*.duckdb"):
        path.unlink()
    assert len(Database.open(home).records(source="official")) == 1


def test_a_corrupt_import_is_set_aside(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = actions.import_({"results_dir": str(home), "from": str(summary(tmp_path / "summary.csv", [cells()]))})
    Path(done["path"]).write_text('{"rows": 3}')
    database = Database.open(home)
    assert [one.path for one in database.set_aside()] == [done["path"]]


def test_without_from() -> None:
    assert "--from=PATH" in actions.import_({})["error"]


MIRROR_WANTED = "set CM4BENCH_TEST_RESULTS_TREE to a checkout of inference_results_v4.1"


@pytest.mark.slow
@pytest.mark.timeout(1800)  # reads 1.5 GB twice
def test_counts_of_a_published_round_equal_the_checkers(tmp_path: Path) -> None:
    """Needs the published tree: 1.5 GB, so it is never fetched here."""
    import os
    import subprocess
    import sys

    root = os.environ.get("CM4BENCH_TEST_RESULTS_TREE")
    if not root:
        pytest.skip(MIRROR_WANTED)
    done = actions.import_({"results_dir": str(tmp_path / "home"), "from": root})
    table = tmp_path / "summary.csv"
    checker = Path(__file__).parents[2] / "script" / "run-mlperf-inference-submission-checker"
    command = [sys.executable, "-m", "mlperf_checker", root, "--version", "v4.1", "--csv", str(table)]
    subprocess.run(command, cwd=checker, check=False, capture_output=True)
    rows = [row for row in read(table).rows if row.headline]
    assert (done["valid"], len(rows)) == (len(rows), len({row.id for row in rows}))
