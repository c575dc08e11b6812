"""The reports: what they say, that they are safe and self-contained, and that a real browser draws them."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from cm4bench_results import ResultStore
from cm4bench_results import actions as results_actions
from cm4bench_trainings import TrainingError, actions, find
from cm4bench_trainings.html import render
from cm4bench_trainings.markdown import render as render_markdown
from cm4bench_trainings.markdown import sparkline
from cm4bench_trainings.reports import NAMES, write

from .made import METERED, changed, failed, training

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
EVIL = '</script><script>alert("x")</script><img src=x>|`*'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two seeds on a GPU with a meter, one failure."""
    for seed in range(2):
        training(tmp_path / "results" / "made" / f"run_{seed}", seed, monitor=METERED)
    failed(tmp_path / "results" / "never" / "run_0")
    return tmp_path / "results"


@pytest.mark.parametrize("form", [render, render_markdown])
def test_config_system_metrics_and_verdict_are_there(home: Path, form: object) -> None:
    text = form(find(home), "Trainings").replace("\\", "")  # type: ignore[operator]
    for fact in ("resnet", "0.98", "embedded", "NOT VALID", "the loss is nan", "A processor", "batch_size", "78000"):
        assert fact in text
    for fact in ("3,000 J, mean 250 W, peak 300 W", "Imagined 9000", "mean 55, max 61", "2.13.0", "time to train"):
        assert fact in text
    assert "10 s to top1 0.97" in text and "energy-delay product" in text and "36000" in text.replace(",", "")


def test_the_plots_are_of_loss_quality_rate_power_and_load(home: Path) -> None:
    text = render(find(home), "Trainings")
    for plot in ("quality", "loss", "learning-rate"):
        assert f'id="group-1-{plot}"' in text
    for plot in ("power", "utilisation", "memory", "temperature"):
        assert f'id="training-1-1-{plot}"' in text
    assert "Power over the seconds of training. all that is metered: 250 at first" in text


def test_what_was_not_measured_is_said_and_not_drawn(tmp_path: Path) -> None:
    training(tmp_path / "run_0")
    text = render(find(tmp_path), "Trainings")
    assert "not measured: no RAPL, the training used no GPU" in text
    assert 'id="training-1-1-power"' not in text and 'id="training-1-1-utilisation"' in text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    folder = tmp_path / EVIL.replace("/", "_") / "run_0"
    training(folder, dataset=EVIL, software={EVIL: EVIL})
    changed(folder, benchmark=EVIL, recipe={EVIL: [EVIL]})
    found = find(tmp_path)
    text = render(found, EVIL)
    assert "<img" not in text and "<script>alert" not in text
    markdown = render_markdown(found, EVIL)
    assert not re.search(r"(?<!\\)<(img|script)", markdown)
    assert all(line.count(" | ") == 1 for line in markdown.splitlines() if line.startswith("| batch")), "cells hold"


def test_the_report_refers_to_nothing_outside(home: Path) -> None:
    text = render(find(home), "Trainings")
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', text) == []
    assert "default-src 'none'" in text


def test_without_curves_there_is_no_plotly(tmp_path: Path) -> None:
    failed(tmp_path / "run_0")
    (tmp_path / "run_0" / "monitor.csv").unlink()
    assert len(render(find(tmp_path), "Trainings")) < 60_000


def number(text: str) -> float | str:
    """Excel has one kind of number."""
    return float(text) if re.fullmatch(r"[\d.e-]+", text) and text.count("-") < 2 and text.count(".") < 2 else text


def test_three_runs_read_back_equal_from_csv_and_excel(home: Path) -> None:
    write(find(home), home, ("csv", "excel"))
    rows = list(csv.reader((home / NAMES["csv"]).open(newline="")))
    sheet = openpyxl.load_workbook(home / NAMES["xlsx"]).active
    cells = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert len(rows) == 4 and [list(map(number, row)) for row in cells] == [list(map(number, row)) for row in rows]
    values = dict(zip(rows[0], rows[1], strict=True))
    assert (values["name"], values["quality"], values["energy_j"]) == ("made/run_0", "0.98", "3000.0")


def test_reports_are_idempotent(home: Path) -> None:
    forms = ("html", "md", "csv")
    first = [path.read_bytes() for path in write(find(home), home, forms)]
    assert [path.read_bytes() for path in write(find(home), home, forms)] == first


def test_broken_results_are_flagged_in_the_reports(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "never" / "run_0" / "result.json").write_text('{"schema": "cm4bench-training/1"')
    done = results_actions.report({"results_dir": str(home), "out": "con"})
    assert done["return"] == 0
    for path in done["reports"][:2]:
        assert "it is no training result" in Path(path).read_text()
    assert "set aside: " in capsys.readouterr().err


def test_cm_report_and_show_understand_a_folder_of_trainings(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = home / "mine.md"
    assert results_actions.report({"results_dir": str(home), "output": str(target)})["report"] == str(target)
    assert target.read_text().startswith("# Training results")
    shown = results_actions.show({"results_dir": str(home), "out": "con"})
    assert len(shown["trainings"]) == 3 and shown["ids"] == []
    printed = capsys.readouterr().out
    assert "made/run_1" in printed and "time to train" in printed


def test_a_picture_of_all_curves(home: Path) -> None:
    pytest.importorskip("matplotlib")
    changed(home / "made" / "run_0", benchmark="$x_{", dataset="_hidden")
    (path,) = write(find(home), home, ("png",))
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG") and len(content) > 20_000
    assert write(find(home), home, ("png",))[0].read_bytes() == content
    assert not list(home.glob(".*"))


def test_inference_and_trainings_in_one_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from samples import record

    ResultStore(home).save(record(id="20260131-093005-net-4f1a/offline"))
    assert [stored.record.id for stored in ResultStore(home).records()] == ["20260131-093005-net-4f1a/offline"]
    done = results_actions.report({"results_dir": str(home), "out": "con", "output": str(home / "inference.html")})
    assert Path(done["report"]).name == "inference.html" and (home / "trainings.html").is_file()
    shown = results_actions.show({"results_dir": str(home), "out": "con"})
    assert len(shown["ids"]) == 1 and len(shown["trainings"]) == 3
    assert "efficientnet-lite0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("i", "word"),
    [({"output": "x.pdf"}, "'pdf' is no form of report"), ({"forms": "html,doc"}, "'doc' is no form of report")],
)
def test_an_unknown_form_is_refused(home: Path, i: dict[str, str], word: str) -> None:
    done = actions.report(home, i)
    assert done["return"] == 1 and word in done["error"] and "next: forms: html" in done["error"]


def test_a_report_that_cannot_be_written_says_so(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        write(find(home), home / "file" / "below", ("html",))


def test_a_sparkline_rises_with_its_values() -> None:
    assert sparkline([0, 1, 2, 3]) == "▁▃▆█"
    assert sparkline([5.0] * 3) == "▁▁▁"
    assert len(sparkline(range(1000))) == 60


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt install chromium")
def test_a_browser_draws_every_plot_offline(home: Path, tmp_path: Path) -> None:
    (page,) = write(find(home), home, ("html",))
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True).stdout
    assert 'data-drawn="yes"' in dom
    # quality, loss and learning rate of two seeds; of each of these two runs power, load, memory and temperature
    assert len(re.findall(r'<path class="js-line"', dom)) >= 6 + 2 * 5
