"""Whole runs with the real loadgen."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.harness.conftest import write_dataset

import harness
from harness import search, supervise
from harness.__main__ import main
from harness.config import ModelConfig
from harness.hashing import sha256

pytest.importorskip("mlperf_loadgen")

SCENARIOS = {
    "Offline": {},
    "SingleStream": {},
    "MultiStream": {"min_query_count": 700},
    "Server": {"target_qps": 2000.0, "min_query_count": 1000},
}

IMAGES = "image_classification.task:ImageClassification"


@pytest.fixture
def telling_images(tmp_path):
    """300 images, each filled with its label: whoever mixes samples up scores below 100 %."""
    labels = np.arange(300) % 256
    images = np.broadcast_to(labels.astype(np.uint8)[:, None, None, None], (300, 2, 2, 3))
    return write_dataset(tmp_path / "telling", images, labels, mean=(0.0,) * 3, std=(1.0,) * 3)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_sample_keeps_its_answer(configure, telling_images, scenario):
    """Also over several loaded sets, partial batches, and batches smaller than a query."""
    outcome = supervise.run(
        configure(
            scenario=scenario,
            mode="accuracy",
            task=IMAGES,
            backend="tests.harness.faulty:ReadsPixels",
            dataset=str(telling_images),
            batch_size=7,
            performance_sample_count=64,
            quality_target=100.0,
            target_qps=2000.0 if scenario == "Server" else None,
        )
    )
    assert outcome.failure is None
    assert (outcome.quality.correct, outcome.quality.total) == (300, 300)
    assert (Path(outcome.config.output_dir) / "accuracy.txt").read_text() == "accuracy=100.000%, good=300, total=300\n"
    assert sum(size * count for size, count in outcome.batch_histogram.items()) >= 300  # MultiStream pads
    assert max(outcome.batch_histogram) <= 7


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_performance_run_gives_a_complete_record(configure, scenario):
    outcome = supervise.run(configure(scenario=scenario, ledger=True, **SCENARIOS[scenario]))
    assert outcome.failure is None
    assert outcome.validity.valid
    assert outcome.loadgen.num_errors == 0
    assert outcome.loadgen.seeds.keys() == {"qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed"}
    assert all(outcome.loadgen.seeds.values())
    assert outcome.loadgen.figure.value > 0
    assert outcome.loadgen.figure in _without_name(outcome)
    assert outcome.device.used == "cpu"
    assert outcome.device.cpu.busy_cores > 0
    assert outcome.ledger.null_cpu_us_per_sample > 0
    assert outcome.ledger.share > 0
    assert outcome.latencies.kept > 0
    assert not outcome.submittable.ok
    folder = Path(outcome.config.output_dir)
    assert outcome.file_sha256["mlperf_log_detail.txt"] == sha256(folder / "mlperf_log_detail.txt")
    assert (folder / "mlperf_log_trace.json").stat().st_size == 0


def _without_name(outcome):
    import msgspec

    figure = outcome.loadgen.figure
    return [msgspec.structs.replace(one, metric=figure.metric) for one in outcome.loadgen.figures]


def test_a_failed_quality_target_fails_the_run(configure, tiny_dataset):
    outcome = supervise.run(
        configure(
            mode="accuracy",
            task=IMAGES,
            dataset=str(tiny_dataset),
            quality_target=90.0,
        )
    )
    assert outcome.failure.kind == "accuracy"
    assert "top-1 is 4.167 % (1 of 24), target 90 %" in outcome.failure.cause


def test_too_few_images_are_a_hard_error(configure, tiny_dataset):
    np.save(tiny_dataset / "samples.npy", np.zeros((23, 8, 8, 3), np.uint8))
    outcome = supervise.run(configure(task=IMAGES, dataset=str(tiny_dataset)))
    assert outcome.failure.kind == "dataset"
    assert "has shape (23, 8, 8, 3), dataset.json says 24 samples" in outcome.failure.cause


def test_user_conf_is_used_and_kept(configure, tmp_path):
    conf = tmp_path / "sized.conf"
    conf.write_text("resnet50.Offline.min_query_count = 321\n*.*.performance_sample_count_override = 64\n")
    outcome = supervise.run(configure(user_conf=str(conf), min_query_count=None))
    assert outcome.failure is None
    assert outcome.loadgen.effective["effective_samples_per_query"] == 321
    assert outcome.loadgen.effective["effective_performance_sample_count"] == 64
    assert (Path(outcome.config.output_dir) / "user.conf").read_text() == conf.read_text()


def test_an_earlier_run_leaves_nothing_behind(configure):
    first = supervise.run(configure(mode="accuracy"))
    assert first.failure is None
    (Path(first.config.output_dir) / "mlperf_log_accuracy.json").write_text("old")
    second = supervise.run(configure(backend="tests.harness.faulty:LoadFails"))
    assert second.failure.kind == "load"
    assert not list(Path(second.config.output_dir).glob("mlperf_log_*"))


def test_an_output_folder_that_cannot_be_made(configure, tmp_path):
    (tmp_path / "file").write_text("")
    outcome = supervise.run(configure(output_dir=str(tmp_path / "file" / "run")))
    assert outcome.failure.kind == "config"
    assert "file/run" in outcome.failure.cause


def test_progress_is_reported(configure):
    seen = []
    supervise.run(configure(backend="tests.harness.faulty:Slow", min_query_count=16_000), seen.append)
    assert {"load", "loadgen", "done"} <= {one.phase for one in seen}
    assert seen[-1].completed == 16_000


@pytest.mark.parametrize(("scenario", "key"), [("Offline", "target_qps"), ("MultiStream", "target_latency")])
def test_find_performance_measures_what_sizes_a_run(configure, monkeypatch, scenario, key):
    monkeypatch.setattr(search, "PROBE_S", 0.2)
    outcome = supervise.run(
        configure(backend="tests.harness.faulty:Slow", scenario=scenario, mode="find-performance", min_query_count=None)
    )
    assert outcome.failure is None
    assert outcome.found.key == key
    assert len(outcome.found.trials) == 2
    if key == "target_qps":
        assert 500 < outcome.found.value < 16_000  # 1 ms per batch of 16 at best
    else:
        assert 1.0 < outcome.found.value < 30


def test_find_performance_brackets_the_server_rate(configure, monkeypatch):
    monkeypatch.setattr(search, "PROBE_S", 0.3)
    monkeypatch.setattr(search, "SHORTEST_BUDGET_S", 6.0)
    monkeypatch.setattr(search, "LONGEST_TRIAL_S", 0.5)
    outcome = supervise.run(
        configure(
            backend="tests.harness.faulty:Slow",
            scenario="Server",
            mode="find-performance",
            target_latency_ns=200_000_000,
            min_query_count=None,
            min_duration_ms=5_000,
        )
    )
    assert outcome.failure is None
    rates = {trial.target_qps: trial.valid for trial in outcome.found.trials if trial.target_qps}
    best = max(rate for rate, valid in rates.items() if valid)
    assert 0.5 * best < outcome.found.value <= best


def test_a_server_rate_that_a_longer_trial_does_not_hold_is_lowered(configure, monkeypatch):
    seeker = search._Search(configure(scenario="Server", min_duration_ms=600_000), None)
    asked = []

    def trial(rate, seconds=search.PROBE_S, room=1.0):
        asked.append((rate, seconds))
        return rate < 80 if seconds > search.PROBE_S else rate < 100  # what holds for long is less

    monkeypatch.setattr(seeker, "_rate_is_valid", trial)
    monkeypatch.setattr(seeker, "steady", lambda _: 110.0)
    monkeypatch.setattr(seeker, "_refuse_hopeless", lambda: None)
    rate = seeker.server()
    assert 60 < rate < 80
    assert asked[-1] == (rate, search.LONGEST_TRIAL_S)


@pytest.mark.parametrize(
    ("rate", "queries", "percentile"), [(1000.0, 700, 99.0), (10.0, 80, 90.0), (2.0, 24, 70.0), (0.1, 12, 50.0)]
)
def test_a_slow_model_gets_a_trial_that_it_can_finish(rate, queries, percentile):
    assert search.trial_size(rate) == (queries, percentile)


def test_find_performance_says_when_no_rate_can_be_valid(configure, monkeypatch):
    monkeypatch.setattr(search, "PROBE_S", 0.2)
    outcome = supervise.run(
        configure(
            backend="tests.harness.faulty:Slow", scenario="Server", mode="find-performance", target_latency_ns=500_000
        )
    )
    assert outcome.failure.kind == "search"
    assert "more than the Server limit of 0.5 ms" in outcome.failure.cause


def test_command_line(configure, tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_text(configure().to_json())
    root = Path(harness.__file__).parent.parent
    done = subprocess.run([sys.executable, "-m", "harness", "run", str(path)], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "samples/s (VALID, tier synthetic)" in done.stdout
    path.write_text(json.dumps(json.loads(path.read_text()) | {"batch_size": -1}))
    assert main(["run", str(path)]) == 1
    assert capsys.readouterr().out.startswith("FAILED (config): run configuration: Expected `int` >= 1")
    assert main(["run", str(tmp_path / "absent.json")]) == 1


def test_command_line_checks_user_conf(tmp_path, capsys):
    conf = tmp_path / "user.conf"
    conf.write_text("resnet50.Offline.target_qps = 1\n")
    assert main(["check-userconf", str(conf)]) == 0
    conf.write_text("resnet50.Offline.target_qps=1\n")
    assert main(["check-userconf", str(conf)]) == 1
    assert f"{conf}:1:" in capsys.readouterr().out


def test_the_real_model_scores_18_of_20(lite0):
    outcome = supervise.run(lite0(mode="accuracy", quality_target=90.0))
    assert outcome.failure is None
    assert (outcome.quality.correct, outcome.quality.total) == (18, 20)
    assert outcome.model_facts["parameters"] == 4_652_008
    assert outcome.tier == "embedded"


@pytest.mark.parametrize("options", [{"channels_last": True}, {"precision": "bf16"}])
def test_layout_and_precision_keep_the_accuracy(lite0, options):
    outcome = supervise.run(lite0(mode="accuracy", scenario="Server", target_qps=100.0, **options))
    assert outcome.failure is None
    assert outcome.quality.correct >= 17
    assert outcome.device.precision == options.get("precision", "fp32")
    assert ("channels_last" in outcome.device.executed) == ("channels_last" in options)


def test_the_real_model_performs_with_a_ledger(lite0):
    outcome = supervise.run(lite0(min_query_count=24, ledger=True))
    assert outcome.failure is None
    assert outcome.loadgen.figure.unit == "samples/s"
    assert 0 < outcome.ledger.share < 0.05
    assert outcome.batch_histogram == {4: 6}


def test_random_resnet50_of_the_right_shape(configure, tmp_path):
    pytest.importorskip("transformers")
    images = np.zeros((4, 64, 64, 3), np.uint8)
    outcome = supervise.run(
        configure(
            model=ModelConfig(name="resnet50", architecture="image_classification.resnet50:build", seed=3),
            dataset=str(write_dataset(tmp_path / "zeros", images, [0, 1, 2, 3])),
            task=IMAGES,
            backend="pytorch",
            batch_size=2,
            min_query_count=4,
        )
    )
    assert outcome.failure is None
    assert outcome.model_facts["parameters"] == 25_557_032
    assert outcome.model_facts["weights"] == "random, seed 3"
