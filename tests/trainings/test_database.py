"""Trainings in the results database: found, compared, and watched for regressions like everything else."""

import importlib.util
from pathlib import Path

import pytest

from .made import METERED, changed, failed, training

if importlib.util.find_spec("duckdb") is None:
    pytest.skip("duckdb is not there", allow_module_level=True)

from cm4bench_compare import actions as comparing
from cm4bench_database import actions


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Six nightly trainings, the last three with another torch and half as slow again."""
    for night in range(6):
        folder = tmp_path / f"night-{night}" / "run_0"
        training(folder, seed=0, monitor=METERED, created=f"2026-01-{night + 1:02}T00:00:00+00:00")
        torch, factor = ("2.13.0", 1.0) if night < 3 else ("2.14.0", 1.5)
        changed(folder, software={"python": "3.11.7", "torch": torch}, time_to_train_s=factor * (10 + 0.01 * night))
    return tmp_path


def test_a_training_is_a_row(home: Path) -> None:
    row, *_ = actions.find({"results_dir": str(home), "id": "night-0/run_0"})["rows"]
    assert (row["scenario"], row["model"], row["metric"]) == ("Training", "resnet_digits", "time to top1 0.97")
    assert (row["value"], row["unit"], row["better"], row["valid"]) == (10.0, "s", "lower", True)
    assert (row["tier"], row["accuracy"], row["power_w"], row["batch_size"]) == ("embedded", 0.98, 250.0, 64)
    assert row["joules_per_sample"] == pytest.approx(3000 / 6000) and row["framework"] == "torch 2.13.0"


def test_throughput_stands_beside_it(home: Path) -> None:
    rows = actions.find({"results_dir": str(home), "all": "yes", "id": "night-0/run_0"})["rows"]
    assert {row["metric"]: row["value"] for row in rows}["samples per second"] == 600.0


def test_a_training_without_a_result_is_not_lost_and_not_valid(tmp_path: Path) -> None:
    failed(tmp_path / "a" / "run_0")
    (row,) = actions.find({"results_dir": str(tmp_path)})["rows"]
    assert row["value"] is None and row["valid"] is False and "the loss is nan" in row["notes"]


def test_what_cannot_be_read_is_set_aside(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(home / "night-5" / "run_0", schema="cm4bench-training/9")
    assert len(actions.find({"results_dir": str(home)})["rows"]) == 5
    assert "these readers know cm4bench-training/1" in capsys.readouterr().err


def test_a_regression_is_found_with_its_cause(home: Path) -> None:
    (found,) = comparing.detect({"results_dir": str(home)})["changes"]
    assert found["regression"] and found["after_id"] == "night-3/run_0"
    assert found["change"] == pytest.approx(0.5, abs=0.01) and "torch 2.13.0 → 2.14.0" in found["changed"]


def test_versions_are_compared(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = comparing.compare({"results_dir": str(home), "by": "torch", "out": "con"})
    assert done["return"] == 0
    printed = capsys.readouterr().out
    assert "2.13.0" in printed and "2.14.0" in printed and "worse" in printed


def test_times_to_different_targets_are_not_compared(home: Path, tmp_path: Path) -> None:
    folder = home / "night-0" / "run_0"
    quality = {"metric": "top1", "value": 0.98, "target": 0.9, "higher_is_better": True}
    changed(folder, quality=quality)
    done = comparing.compare({"results_dir": str(home), "artifact": "night-0/run_0", "artifacts": ["night-1/run_0"]})
    assert done["return"] == 1 and "no figure in common" in done["error"]


def test_gpus_and_versions_of_cuda(tmp_path: Path) -> None:
    for cuda, seconds in (("12.8", 10.0), ("13.0", 8.0)):
        for run in range(3):
            folder = tmp_path / f"cuda-{cuda}" / f"run_{run}"
            made = training(folder, seed=run, monitor=METERED)
            changed(
                folder,
                host={**made.host, "accelerators": ["Imagined 9000"] * 2},
                software={**made.software, "cuda": cuda},
                time_to_train_s=seconds + 0.01 * run,
            )
    row, *_ = actions.find({"results_dir": str(tmp_path)})["rows"]
    assert (row["accelerator"], row["accelerators"], row["system"]) == ("Imagined 9000", 2, "Imagined 9000")
    done = comparing.compare({"results_dir": str(tmp_path), "by": "cuda"})
    assert "better" in str(done["rows"]) and "12.8" in str(done["rows"])
