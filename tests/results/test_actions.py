"""`cm show experiment` and `cm report experiment`."""

from __future__ import annotations

from pathlib import Path

import pytest
from samples import record
from tests.workbench import ROOT, CommandLine

from cm4bench_results import ResultStore, actions


def test_show_prints_every_stored_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ResultStore(tmp_path).save(record())
    result = actions.show({"results_dir": str(tmp_path), "out": "con"})
    assert result == {"return": 0, "results_dir": str(tmp_path), "ids": [record().id]}
    assert "efficientnet-lite0" in capsys.readouterr().out


def test_report_is_made_from_records_alone(tmp_path: Path) -> None:
    ResultStore(tmp_path / "results").save(record())
    result = actions.report({"results_dir": str(tmp_path / "results"), "output": str(tmp_path / "one.html")})
    assert result == {"return": 0, "report": str(tmp_path / "one.html")}
    assert "41.25" in (tmp_path / "one.html").read_text()


@pytest.mark.parametrize("action", [actions.show, actions.report])
def test_an_empty_folder_is_an_error_with_what_to_type(tmp_path: Path, action: object) -> None:
    result = action({"results_dir": str(tmp_path)})  # type: ignore[operator]
    assert result["return"] == 1
    assert "--results_dir" in result["error"]


def test_an_unreadable_record_is_named(tmp_path: Path) -> None:
    path = ResultStore(tmp_path).save(record())
    path.write_text("{")
    assert str(path) in actions.show({"results_dir": str(tmp_path)})["error"]


def test_cmind_finds_the_automation(tmp_path: Path) -> None:
    line = CommandLine(tmp_path)
    line("cm", "add", "repo", f"--path={ROOT}")
    ResultStore(line.cwd / "cm4bench-results").save(record())
    done = line("cm", "show", "experiment")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "efficientnet-lite0" in done.stdout
