"""`cm find experiment`, `cm export experiment`."""

import csv
import io
import json
from pathlib import Path

import pytest

from cm4bench_database import Table, actions
from cm4bench_database.export import export

from .made import save


def test_find_prints_the_judged_figures(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = actions.find({"results_dir": str(home), "out": "con", "scenario": "Offline"})
    assert done["return"] == 0 and len(done["rows"]) == 1
    printed = capsys.readouterr().out
    assert "41.25" in printed
    assert len(printed.splitlines()) == 2  # a head, and one line for the row


def test_find_all_figures(home: Path) -> None:
    assert len(actions.find({"results_dir": str(home), "all": "yes"})["rows"]) == 6


def test_find_by_sql(home: Path) -> None:
    done = actions.find({"results_dir": str(home), "sql": "SELECT count(*) AS n FROM results"})
    assert done["rows"] == [{"n": 6}]


def test_find_as_csv(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    actions.find({"results_dir": str(home), "out": "csv", "columns": "scenario, value"})
    assert list(csv.reader(io.StringIO(capsys.readouterr().out)))[:2] == [["scenario", "value"], ["Offline", "41.25"]]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"modell": "x"}, "did you mean --model"),
        ({"sql": "SELECT", "model": "x"}, "do not go together"),
        ({"sql": "SELEC"}, "DESCRIBE results"),
        ({"limit": "many"}, "--limit=100"),
        ({"results_dir": "/no/such/folder"}, "--results_dir"),
    ],
)
def test_mistakes_are_named(home: Path, given: dict, word: str) -> None:
    done = actions.find({"results_dir": str(home), **given})
    assert done["return"] == 1
    assert word in done["error"]


def test_what_is_set_aside_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "20260131-093005-net-4f1a/server/result.json"
    path.write_text("{")
    assert len(actions.find({"results_dir": str(home)})["rows"]) == 2
    assert f"set aside: {path}" in capsys.readouterr().err


TABLE = Table(("name", "value", "ok", "n"), [("=1+1", 1.5, True, 7), ('a,"b"\n\x01', float("nan"), None, None)])


def test_export_csv_and_json(tmp_path: Path) -> None:
    rows = list(csv.reader(export(TABLE, "csv", tmp_path / "x.csv").open(newline="")))
    assert rows[1] == ["=1+1", "1.5", "True", "7"] and rows[2][1] == ""
    read = json.loads(export(TABLE, "json", tmp_path / "x.json").read_text())
    assert read[0] == {"name": "=1+1", "value": 1.5, "ok": True, "n": 7} and read[1]["value"] is None


def test_export_parquet(tmp_path: Path) -> None:
    import duckdb

    path = export(TABLE, "parquet", tmp_path / "it's.parquet")
    found = duckdb.read_parquet(str(path))
    assert [str(kind) for kind in found.types] == ["VARCHAR", "DOUBLE", "BOOLEAN", "BIGINT"]
    assert found.fetchall()[0] == ("=1+1", 1.5, True, 7)


def test_export_xlsx_has_no_formulas(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    sheet = openpyxl.load_workbook(export(TABLE, "xlsx", tmp_path / "x.xlsx")).active
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s")
    assert sheet["B2"].value == 1.5


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "xlsx"])
def test_a_failed_export_leaves_nothing(tmp_path: Path, form: str) -> None:
    (tmp_path / "taken").mkdir()
    done = actions.export({"results_dir": str(tmp_path), "output": str(tmp_path / "taken"), "out": form})
    assert done["return"] == 1 and "cannot be written" in done["error"]
    assert [path.name for path in tmp_path.iterdir() if "taken" in path.name] == ["taken"]


def test_export_takes_the_form_from_the_file(home: Path, tmp_path: Path) -> None:
    done = actions.export({"results_dir": str(home), "output": str(tmp_path / "x.json"), "out": "con"})
    assert done == {"return": 0, "output": str(tmp_path / "x.json"), "count": 3}
    assert json.loads((tmp_path / "x.json").read_text())[0]["sha256"]


def test_find_writes_whole_files_too(home: Path, tmp_path: Path) -> None:
    for number in range(110):
        save(home, f"20260301-000000-net-{number:04d}/offline")
    done = actions.find({"results_dir": str(home), "output": str(tmp_path / "x.csv"), "out": "con"})
    assert done["count"] == 113
