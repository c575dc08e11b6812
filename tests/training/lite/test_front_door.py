"""`run mlperf-lite` and `cm add experiment` through cmind: from a file to reports, and refusals before a training."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.workbench import ROOT, CommandLine

from cm4bench_trainings import find


@pytest.fixture(scope="module")
def cmr(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    line = CommandLine(tmp_path_factory.mktemp("lite"))
    added = line("cm", "add", "repo", f"--path={ROOT}")
    assert added.returncode == 0, added.stderr
    done = line("cm", "add", "experiment", "--template=own_dataset")
    assert done.returncode == 0 and "next: cmr" in done.stdout, done.stdout + done.stderr
    file = line.cwd / "own_dataset.yaml"
    file.write_text(file.read_text().replace("name: resnet ", "name: linear ").replace("csv]", "csv, excel]"))
    return line


@pytest.fixture(scope="module")
def trained(cmr: CommandLine) -> Path:
    """The template, trained."""
    flags = ("--config=own_dataset.yaml", "--results_dir=results", "--threads=1", "--monitor_every=0.2")
    done = cmr("cmr", "run mlperf-lite", *flags, "--runs=2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^VALID: .* to top1 0.95", done.stdout, re.MULTILINE)) == 2
    assert "energy: not measured: " in done.stdout
    return cmr.cwd / "results"


@pytest.mark.slow
def test_the_template_trains_and_reports(trained: Path) -> None:
    (folder,) = trained.iterdir()
    for name in ("trainings.html", "trainings.md", "trainings.csv", "trainings.xlsx", "summary.json"):
        assert (folder / name).is_file()
    first, second = find(folder).trainings
    assert (first.seed, second.seed, first.benchmark, first.dataset) == (0, 1, "own", "mydata")
    assert first.config["recipe"] == {} and first.config["target"] == 0.95
    assert first.monitor.samples and first.monitor.rss_max_bytes


@pytest.mark.slow
def test_log_and_report_tell_the_same_time(trained: Path) -> None:
    from trainer.mllog import time_to_train

    for one in find(trained).trainings:
        log = time_to_train(next(one.folder.glob("result_*.txt")))
        assert log == pytest.approx(one.time_to_train_s, abs=0.01)


@pytest.mark.slow
def test_reports_of_the_results_folder_by_cm(cmr: CommandLine, trained: Path) -> None:
    done = cmr("cm", "report", "experiment", "--results_dir=results")
    assert done.returncode == 0 and (trained / "trainings.html").is_file(), done.stdout + done.stderr


@pytest.mark.slow
def test_a_missed_target_is_an_error_unless_it_is_allowed(cmr: CommandLine, trained: Path) -> None:
    flags = ("--config=own_dataset.yaml", "--results_dir=missed", "--threads=1", "--target=1.5", "--epochs=1")
    done = cmr("cmr", "run mlperf-lite", *flags)
    assert done.returncode != 0 and "target not reached in 1 of 1 trainings" in done.stdout + done.stderr
    allowed = cmr("cmr", "run mlperf-lite", *flags, "--missed=allow")
    assert allowed.returncode == 0 and "NOT VALID" in allowed.stdout
    assert len(list((cmr.cwd / "missed").glob("*/trainings.html"))) == 2, "reports are written either way"


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("seed: 0", "sead: 0", r"own_dataset.yaml:\d+: there is no training.sead\s.*did you mean seed\?"),
        pytest.param("device: auto", "device: tpu", r"device is 'tpu'.*allowed: auto", marks=pytest.mark.slow),
    ],
)
def test_a_wrong_file_trains_nothing(cmr: CommandLine, tmp_path: Path, old: str, new: str, cause: str) -> None:
    file = cmr.cwd / "own_dataset.yaml"
    (tmp_path / "own_dataset.yaml").write_text(file.read_text().replace(old, new))
    done = cmr("cmr", "run mlperf-lite", f"--config={tmp_path / 'own_dataset.yaml'}", "--results_dir=none")
    assert done.returncode != 0 and re.search(cause, done.stdout + done.stderr, re.DOTALL)
    assert "Traceback" not in done.stderr and not (cmr.cwd / "none").exists()


@pytest.mark.parametrize(
    ("flag", "cause"),
    [("--template=resnet_cifar", "did you mean resnet_cifar10?"), ("--template=own_dataset", "is there already")],
)
def test_add_experiment_refuses(cmr: CommandLine, flag: str, cause: str) -> None:
    done = cmr("cm", "add", "experiment", flag)
    assert done.returncode != 0 and cause in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_the_plan_of_a_short_command_is_whole(cmr: CommandLine) -> None:
    done = cmr("cmr", "run mlperf-lite _resnet _cifar10", "--plan=json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "get-mlperf-lite-config" not in json.dumps(json.loads(done.stdout[done.stdout.index("{") :]))


def test_a_default_and_a_file_that_differ_from_a_flag_are_told(cmr: CommandLine) -> None:
    flags = ("--config=own_dataset.yaml", "--model=resnet", "--results_dir=none")
    done = cmr("cmr", "run mlperf-lite", *flags)
    assert done.returncode != 0 and "--model=resnet, and the file says linear" in done.stdout + done.stderr
    assert not (cmr.cwd / "none").exists()


@pytest.mark.slow
@pytest.mark.parametrize("template", ["resnet_digits", "efficientnet_digits", "vit_digits", "unet_nuclei"])
def test_templates_are_trained_for_an_epoch(cmr: CommandLine, template: str) -> None:
    assert cmr("cm", "add", "experiment", f"--template={template}").returncode == 0
    flags = (f"--config={template}.yaml", f"--results_dir={template}", "--threads=1")
    done = cmr("cmr", "run mlperf-lite _smoke", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    (one,) = find(cmr.cwd / template).trainings
    assert one.epochs == 1 and one.model is not None and one.dataset == template.partition("_")[2]
