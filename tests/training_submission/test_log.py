"""The log writer: what every reader of MLPerf logs expects, also after an interruption."""

import json
from pathlib import Path

import pytest
from mlperf_logging.compliance_checker import mlp_compliance
from tests.training_submission.runs import FACTS, Clock, write_log

from trainer import mllog, rulesets
from trainer.mllog import Log, LogError, events, time_to_train

KNOWN = sorted(rulesets.known())
QUALITY = {"maskrcnn": {"BBOX": 0.4, "SEGM": 0.35}, "transformer": 27.0, "gnmt": 24.5, "cosmoflow": 0.12, "oc20": 0.03}


def complaints(path: Path, usage: str, version: str) -> list[str]:
    """What the unmodified checker says of a log."""
    mlp_compliance.enqueued_configs.clear()
    checker = mlp_compliance.make_checker(usage, version, False, True)
    checker.check_file(str(path), f"{usage}_{version}/common.yaml")
    return [*checker.overwritable.values(), *checker.not_overwritable]


@pytest.mark.parametrize("task", KNOWN)
def test_the_unmodified_checker_accepts_the_open_log_of_every_benchmark(
    task: str, tmp_path: Path, clock: Clock
) -> None:
    rules = rulesets.of(task)
    path = write_log(tmp_path / "result_0.txt", task, clock, quality=QUALITY.get(task, 0.9))
    assert complaints(path, rules.usage, rules.version) == []


def test_the_table_agrees_with_the_package_checker() -> None:
    from mlperf_logging.benchmark_meta import get_allowed_benchmarks, get_result_file_counts

    for rules in rulesets.known().values():
        assert rules.benchmark in get_allowed_benchmarks(rules.usage, rules.version)
        assert rules.runs == get_result_file_counts(rules.usage)[rules.benchmark]


def test_events_come_in_the_order_of_the_rules(tmp_path: Path, clock: Clock) -> None:
    keys = [one.key for one in events(write_log(tmp_path / "log", "resnet", clock, epochs=1))]
    order = ["cache_clear", "init_start", "submission_benchmark", "seed", "init_stop", "run_start", "epoch_start"]
    order += ["epoch_stop", "eval_start", "eval_accuracy", "eval_stop", "tracked_stats", "run_stop"]
    assert [key for key in keys if key in order] == order


def test_time_to_train_is_from_run_start_to_run_stop(tmp_path: Path, clock: Clock) -> None:
    assert time_to_train(write_log(tmp_path / "log", "resnet", clock, seconds=12.5)) == pytest.approx(12.5, abs=0.002)


def test_a_wall_clock_that_is_set_back_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    log = Log(tmp_path / "log", "resnet", organization="us", platform="cpu")
    log.run_start()
    clock.sleep(5)
    monkeypatch.setattr(mllog.time, "time", lambda: 0.0)
    log.run_stop(True)
    assert time_to_train(tmp_path / "log") == pytest.approx(5, abs=0.002)


def test_only_the_first_process_writes(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "resnet", organization="us", platform="cpu", enabled=False)
    log.start()
    log.run_start()
    log.run_stop(True)
    log.close()
    assert not (tmp_path / "log").exists()


def test_seeds_are_logged_on_one_line_of_one_file_without_paths_of_the_host(tmp_path: Path, clock: Clock) -> None:
    seeds = []
    for seed in (1, 2):
        write_log(tmp_path / f"{seed}", "resnet", clock, seed=seed)
        seeds += [one for one in events(tmp_path / f"{seed}") if one.key == "seed"]
    assert [one.value for one in seeds] == [1, 2]
    assert seeds[0].metadata == seeds[1].metadata
    assert seeds[0].metadata["file"] == "trainer/mllog.py"


def test_bleu_is_logged_as_a_fraction(tmp_path: Path, clock: Clock) -> None:
    path = write_log(tmp_path / "log", "transformer", clock, quality=27.0)
    assert [one.value for one in events(path) if one.key == "eval_accuracy"] == [pytest.approx(0.27)] * 2


def test_an_unknown_task_has_the_rules_of_this_project(tmp_path: Path, clock: Clock) -> None:
    assert rulesets.of("cat-counting").is_own
    path = write_log(tmp_path / "log", "cat-counting", clock)
    assert "cat-counting" in [one.value for one in events(path)]


def test_a_new_run_replaces_the_log_of_an_older_one(tmp_path: Path, clock: Clock) -> None:
    write_log(tmp_path / "log", "resnet", clock)
    write_log(tmp_path / "log", "resnet", clock)
    assert [one.key for one in events(tmp_path / "log")].count("run_start") == 1


def test_a_hyperparameter_that_contradicts_the_run_is_refused(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(LogError, match="global_batch_size is 32, but the run has 64"):
        write_log(tmp_path / "log", "resnet", clock, hyperparameters={"global_batch_size": 32})


def test_hyperparameters_of_any_type_can_be_logged(tmp_path: Path, clock: Clock) -> None:
    path = write_log(tmp_path / "log", "resnet", clock, hyperparameters={"data": Path("here"), "betas": (0.9, 0.99)})
    found = {one.key: one.value for one in events(path)}
    assert (found["data"], found["betas"]) == ("here", [0.9, 0.99])


class TestResume:
    """A run that was killed and goes on from its checkpoint."""

    @staticmethod
    def interrupted(path: Path, clock: Clock) -> None:
        log = Log(path, "resnet", organization="us", platform="cpu")
        log.start()
        log.opening({}, 1, **FACTS)
        log.run_start()
        log.epoch_start(1, 0)
        clock.sleep(10)
        log.flush()

    @staticmethod
    def resumed(path: Path, clock: Clock) -> None:
        log = Log(path, "resnet", organization="us", platform="cpu", resume=True)
        log.start()
        log.opening({}, 1, **FACTS)
        log.run_start()
        log.epoch_start(1, 0)
        clock.sleep(20)
        log.epoch_stop(1, 1437)
        log.eval_start(1, 1437)
        log.quality(0.98, 1, 1437)
        log.eval_stop(1, 1437)
        log.run_stop(True, 1, 1437)
        log.close()

    def test_one_opening_and_one_start_and_the_checker_is_content(self, tmp_path: Path, clock: Clock) -> None:
        self.interrupted(tmp_path / "log", clock)
        self.resumed(tmp_path / "log", clock)
        keys = [one.key for one in events(tmp_path / "log")]
        assert [keys.count(key) for key in ("run_start", "seed", "init_start", "run_resumed")] == [1, 1, 1, 1]
        assert complaints(tmp_path / "log", "training", "4.0.0") == []

    def test_half_a_line_is_dropped(self, tmp_path: Path, clock: Clock) -> None:
        self.interrupted(tmp_path / "log", clock)
        with (tmp_path / "log").open("a") as file:
            file.write(':::MLLOG {"namespace": "", "time_')
        self.resumed(tmp_path / "log", clock)
        assert complaints(tmp_path / "log", "training", "4.0.0") == []

    def test_a_run_that_was_given_up_may_go_on(self, tmp_path: Path, clock: Clock) -> None:
        write_log(tmp_path / "log", "resnet", clock, success=False)
        self.resumed(tmp_path / "log", clock)
        stops = [one.metadata["status"] for one in events(tmp_path / "log") if one.key == "run_stop"]
        assert stops == ["success"]

    def test_a_run_that_reached_its_target_may_not(self, tmp_path: Path, clock: Clock) -> None:
        write_log(tmp_path / "log", "resnet", clock)
        with pytest.raises(LogError, match="has reached its target already"):
            self.resumed(tmp_path / "log", clock)

    def test_without_its_log_a_run_cannot_go_on(self, tmp_path: Path, clock: Clock) -> None:
        with pytest.raises(LogError, match="is missing"):
            self.resumed(tmp_path / "log", clock)
        (tmp_path / "log").write_text("")
        with pytest.raises(LogError, match="no run_start"):
            self.resumed(tmp_path / "log", clock)


def test_a_log_without_end_has_no_time_to_train(tmp_path: Path, clock: Clock) -> None:
    TestResume.interrupted(tmp_path / "log", clock)
    with pytest.raises(LogError, match="has no run_stop: the run did not end"):
        time_to_train(tmp_path / "log")


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("noise\n:::MLLOG {]\n")
    with pytest.raises(LogError, match="line 2: not an event"):
        list(events(tmp_path / "log"))


def test_only_the_first_stop_counts(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "resnet", organization="us", platform="cpu")
    log.run_stop(True)
    log.run_stop(False)
    assert [json.dumps(one.metadata["status"]) for one in events(tmp_path / "log")] == ['"success"']
