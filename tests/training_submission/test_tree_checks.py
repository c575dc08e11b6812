"""Whole submissions: the good one passes everywhere, and every fault is told in words."""

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.training_submission.runs import Clock, write_log
from tests.training_submission.trees import drop_event, edit_description, edit_log, write_tree
from training_checker import systems, upstream
from training_checker.__main__ import main
from training_checker.conduct import check_tree
from training_checker.errors import CheckError

BENCHMARK = Path("results/box/resnet")


@pytest.fixture
def tree(tmp_path: Path, clock: Clock) -> Path:
    return write_tree(tmp_path / "us", clock)


def errors(root: Path, **options: str) -> list[str]:
    return [str(one) for one in check_tree(root, version="4.0", **options).errors]


def the_error(root: Path, **options: str) -> str:
    found = errors(root, **options)
    assert len(found) == 1, found
    return found[0]


class TestGood:
    def test_five_open_runs_of_resnet_are_accepted_by_us_and_by_upstream(self, tree: Path) -> None:
        report = check_tree(tree, version="v4.0")
        assert ([str(one) for one in report.findings], report.accepted) == ([], True)
        assert any("PACKAGE CHECKER FOUND NO ERRORS" in line for line in report.upstream)

    def test_loggers_that_remember_to_be_silent_do_not_hide_the_verdict(self, tree: Path) -> None:
        assert not logging.getLogger().isEnabledFor(logging.INFO)
        assert upstream.package(tree, "training", "4.0.0").ok

    def test_the_score_is_the_olympic_mean_and_upstreams(self, tree: Path) -> None:
        row = check_tree(tree, version="4.0.0").rows[0]
        theirs = upstream.scores(tree, "training", "4.0.0")
        assert row.minutes == pytest.approx(3, abs=1e-4)  # of 1, 2, 3, 4 and 5 minutes
        assert theirs == {("box", "resnet"): pytest.approx(row.minutes)}

    def test_without_a_version_the_newest_that_has_the_benchmark_is_taken(self, tree: Path) -> None:
        assert check_tree(tree).ruleset == "training 4.0.0"

    def test_hpc_lies_below_strong(self, tmp_path: Path, clock: Clock) -> None:
        write_tree(tmp_path / "us", clock, task="deepcam", scaling="strong", quality=0.85)
        report = check_tree(tmp_path / "us")
        assert (report.ok, report.accepted, report.ruleset) == (True, True, "hpc 3.0.0")

    def test_a_folder_of_submitters_is_checked_whole(self, tree: Path) -> None:
        assert len(check_tree(tree.parent).rows) == 1

    def test_nothing_is_written_and_nothing_printed(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = sorted(path for path in tree.parent.rglob("*"))
        monkeypatch.chdir(tree.parent)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            check_tree(tree, version="4.0")
        assert sorted(path for path in tree.parent.rglob("*")) == before
        assert said.getvalue() == ""
        assert logging.getLogger().level in (logging.WARNING, logging.NOTSET)


def lose(path: str):
    return lambda root: (root / path).unlink()


def move(path: str, target: str):
    return lambda root: (root / path).rename(root / target)


def describe(**changes: object):
    return lambda root: edit_description(root, **changes)


def write(path: str, text: str):
    return lambda root: (root / path).write_text(text)


MUTATIONS = {
    "a run too few": (lose(f"{BENCHMARK}/result_4.txt"), "there are 4 runs, resnet needs exactly 5; run 1 more"),
    "an unknown benchmark": (move(str(BENCHMARK), "results/box/resnett"), "training 4.0.0 has no benchmark 'resnett'"),
    "no description": (lose("systems/box.json"), "the system 'box' has results and no description"),
    "no JSON": (write("systems/box.json", "{"), "it is no JSON object"),
    "a field less": (describe(cooling=None), "the field 'cooling' is missing"),
    "a number": (describe(accelerators_per_node=0), "'accelerators_per_node' is 0, no text"),
    "no number": (describe(number_of_nodes="one"), "'number_of_nodes' is 'one', not a whole number"),
    "a status of inference": (describe(status="rdi"), 'write "Research, Development, or Internal (RDI)"'),
    "a division": (describe(division="Open"), "the division is 'Open'"),
    "no code": (lose("benchmarks/resnet/implementations/ours/train.py"), "the code that made the results is missing"),
    "a space": (write("benchmarks/resnet/read me.md", ""), "a name that git or the checkers do not take"),
    "a dot": (write("benchmarks/resnet/.git", ""), "a name that git or the checkers do not take"),
    "a bypass": (write("package_checker_params", "rcp_bypass"), "'rcp_bypass' is no check that can be skipped"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_of_the_tree_is_told(name: str, tree: Path) -> None:
    mutate, wanted = MUTATIONS[name]
    mutate(tree)
    assert wanted in "\n".join(errors(tree))


def test_a_link_to_nowhere_and_a_large_file_are_told(tree: Path) -> None:
    (tree / "benchmarks/resnet/link").symlink_to("nowhere")
    with (tree / "benchmarks/resnet/large.bin").open("wb") as file:
        os.truncate(file.fileno(), 60 << 20)
    found = "\n".join(errors(tree))
    assert "the link leads nowhere" in found and "the file has 60 MiB, 50 are allowed" in found


def spoil(root: Path, runs: int, change) -> None:
    for number in range(runs):
        change(root / BENCHMARK / f"result_{number}.txt")


FAULTS = {
    "a killed run": (lambda log: drop_event(log, "run_stop"), "run_stop is missing: the run did not end"),
    "an aborted run": (lambda log: edit_log(log, '"success"', '"aborted"'), "did not reach its target"),
    "no evaluation": (lambda log: drop_event(log, "eval_accuracy"), "eval_accuracy is missing: nothing was evaluated"),
    "two runs in one": (
        lambda log: log.write_text(log.read_text() + log.read_text().replace('"us"', '"them"')),
        "submission_org is there 2 times",
    ),
    "half a line": (lambda log: log.write_text(log.read_text()[:-20]), "lines of it are damaged"),
    "an empty log": (lambda log: log.write_text(""), "there is not one :::MLLOG line in it"),
    "always 1.0": (lambda log: edit_log(log, "0.98", "1.0"), "every eval_accuracy is exactly 1.0"),
    "another benchmark": (lambda log: edit_log(log, '"resnet"', '"ncf"'), "has no benchmark 'ncf'"),
    "no division": (lambda log: drop_event(log, "submission_division"), "submission_division is missing"),
    "a wrong status": (lambda log: edit_log(log, '"onprem"', '"rdi"'), "it must be cloud, onprem, preview or research"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_two_bad_logs_are_errors(name: str, tree: Path) -> None:
    change, wanted = FAULTS[name]
    spoil(tree, 2, change)
    assert wanted in "\n".join(errors(tree))


def test_one_bad_log_is_a_warning_since_the_slowest_does_not_count(tree: Path) -> None:
    change, wanted = FAULTS["a killed run"]
    spoil(tree, 1, change)
    report = check_tree(tree, version="4.0")
    assert (report.ok, report.accepted) == (True, True)
    assert wanted in "\n".join(one.cause for one in report.findings)


def test_a_log_of_the_other_division_is_told(tree: Path) -> None:
    edit_description(tree, division="closed")
    assert "submission_division in the log is 'open', but it lies with 'closed'" in "\n".join(errors(tree))


def test_equal_seeds_are_one_run_repeated(tree: Path, clock: Clock) -> None:
    for number in (0, 1):
        write_log(tree / BENCHMARK / f"result_{number}.txt", "resnet", clock, seed=7)
    found = check_tree(tree, version="4.0").findings
    assert {one.cause for one in found} == {"2 runs have the seed 7: they are one run, repeated"}


def test_benchmarks_that_upstream_lists_without_rules_are_told(tmp_path: Path, clock: Clock) -> None:
    write_tree(tmp_path / "us", clock, task="maskrcnn", quality={"BBOX": 0.4, "SEGM": 0.4})
    (tmp_path / "us/results/box/maskrcnn").rename(tmp_path / "us/results/box/gpt3")
    assert "lists gpt3 in 3.1.0, but has no open rules" in "\n".join(
        str(one) for one in check_tree(tmp_path / "us", version="3.1").errors
    )


def test_a_quality_of_the_wrong_form_is_told(tmp_path: Path, clock: Clock) -> None:
    write_tree(tmp_path / "us", clock, task="maskrcnn", quality=0.4)
    assert "BBOX" in "\n".join(str(one) for one in check_tree(tmp_path / "us").errors)


def test_the_open_rules_of_hpc_ask_for_the_closed_target(tmp_path: Path, clock: Clock) -> None:
    write_tree(tmp_path / "us", clock, task="oc20", scaling="strong", quality=0.22)
    found = "\n".join(str(one) for one in check_tree(tmp_path / "us").errors)
    assert "misses the closed target, at most 0.036" in found and "--version=own" in found


def test_weak_scaling_may_have_more_runs_and_has_no_score(tmp_path: Path, clock: Clock) -> None:
    root = write_tree(tmp_path / "us", clock, task="deepcam", scaling="weak", quality=0.85, runs=6)
    report = check_tree(root)
    assert (report.ok, report.accepted, report.rows[0].minutes) == (True, True, None)


def test_weak_nor_strong(tmp_path: Path, clock: Clock) -> None:
    root = write_tree(tmp_path / "us", clock, task="deepcam", scaling="strong", quality=0.85)
    (root / "results/box/medium").mkdir()
    assert "'medium' is neither strong nor weak" in "\n".join(str(one) for one in check_tree(root).errors)


CLOSED = {
    "opt_name": "sgd",
    "sgd_opt_base_learning_rate": 0.1,
    "sgd_opt_end_learning_rate": 0.0001,
    "sgd_opt_learning_rate_decay_poly_power": 2,
    "sgd_opt_learning_rate_decay_steps": 100,
    "sgd_opt_weight_decay": 0.0001,
    "sgd_opt_momentum": 0.9,
    "model_bn_span": 64,
    "opt_learning_rate_warmup_epochs": 1,
}


def closed_tree(root: Path, clock: Clock, batch: int, epochs: int) -> Path:
    """The form of a closed result of resnet; nothing was trained for it."""
    from tests.training_submission import runs

    before, runs.FACTS["global_batch_size"] = runs.FACTS["global_batch_size"], batch
    try:
        return write_tree(root, clock, division="closed", quality=0.76, hyperparameters=CLOSED, epochs=epochs)
    finally:
        runs.FACTS["global_batch_size"] = before


class TestClosed:
    def test_slower_than_the_reference_passes(self, tmp_path: Path, clock: Clock) -> None:
        report = check_tree(closed_tree(tmp_path / "us", clock, 3264, 60))
        assert ([str(one) for one in report.errors], report.accepted) == ([], True)

    def test_faster_than_the_reference_fails(self, tmp_path: Path, clock: Clock) -> None:
        found = [str(one) for one in check_tree(closed_tree(tmp_path / "us", clock, 3264, 4)).errors]
        assert len(found) == 1 and "it converges faster than the reference" in found[0]

    def test_a_batch_size_without_reference_fails_and_can_be_bypassed(self, tmp_path: Path, clock: Clock) -> None:
        root = closed_tree(tmp_path / "us", clock, 1 << 20, 60)
        assert "Missing RCP" in the_error(root)
        report = check_tree(root, version="4.0", bypass=frozenset({"rcp-bypass"}))
        assert (report.ok, report.accepted) == (True, True)

    def test_a_little_faster_is_scaled_up(self, tmp_path: Path, clock: Clock) -> None:
        root = closed_tree(tmp_path / "us", clock, 3264, 35)
        assert "the score must be multiplied by 1.0044" in the_error(root)
        (root / BENCHMARK / "scaling.json").write_text(json.dumps({"scaling_factor": 457 / 13 / 35}))
        report = check_tree(root)
        assert report.ok and report.rows[0].minutes == pytest.approx(3 * 457 / 13 / 35, abs=1e-3)
        assert (root / BENCHMARK / "scaling.json").is_file()

    def test_a_log_without_seed_fails(self, tmp_path: Path, clock: Clock) -> None:
        root = closed_tree(tmp_path / "us", clock, 3264, 60)
        drop_event(root / BENCHMARK / "result_0.txt", "seed")
        assert "the log has no seed" in "\n".join(errors(root))


class TestSystems:
    def test_the_fields_are_upstreams(self, tmp_path: Path, tree: Path) -> None:
        path = tree / "systems" / "box.json"
        good = json.loads(path.read_text())
        assert upstream.system_is_fine(path, "training", "6.1.0")
        for field in systems.FIELDS:
            path.write_text(json.dumps({key: value for key, value in good.items() if key != field}))
            assert not upstream.system_is_fine(path, "training", "3.1.0"), field


class TestCommand:
    def test_exit_codes_and_files(self, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        keep = [f"--{kind}={tmp_path / kind}" for kind in ("csv", "markdown", "json", "upstream_log")]
        assert main([str(tree), "--version=v4.0", *keep]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "box resnet: 3 minutes of 5 runs",
            "training 4.0.0: 0 errors of 0 kinds, 0 warnings; package_checker: no errors",
        ]
        assert (tmp_path / "csv").read_text().splitlines()[1].startswith("us,box,open,resnet,3.0")
        assert "| us | box | open | resnet | 3 | 5 |" in (tmp_path / "markdown").read_text()
        assert json.loads((tmp_path / "json").read_text())["package_checker_accepts"] is True
        assert "SUCCESS" in (tmp_path / "upstream_log").read_text()
        (tree / BENCHMARK / "result_4.txt").unlink()
        assert main([str(tree), "--version=4.0.0"]) == 1

    def test_what_cannot_be_checked(self, tmp_path: Path, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for words, wanted in (
            ([str(tmp_path / "none")], "there is no folder"),
            ([str(tree / "systems")], "holds no submission"),
            ([str(tree), "--version=9.9"], "has no ruleset '9.9' for training; it has 0.7.0, 1.0.0"),
            (["--log", str(tmp_path / "none")], "there is no log"),
        ):
            assert main(words) == 2
            assert wanted in capsys.readouterr().err

    def test_benchmarks_of_several_rounds_need_a_version(self, tree: Path) -> None:
        (tree / "results/box/flux1").mkdir()
        with pytest.raises(CheckError, match="no ruleset of training has all of flux1, resnet"):
            check_tree(tree)

    @pytest.mark.slow
    def test_upstreams_own_command_agrees(self, tree: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "mlperf_logging.package_checker", str(tree), "training", "4.0.0"]
        done = subprocess.run([*command, "--log_output=/dev/null"], capture_output=True, text=True, cwd=tmp_path)
        assert "PACKAGE CHECKER FOUND NO ERRORS, SUCCESS" in done.stderr


class TestOneLog:
    def test_a_good_one(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--log", str(tree / BENCHMARK / "result_0.txt"), "--benchmark=resnet"]) == 0
        assert capsys.readouterr().out == "training 4.0.0: 0 errors of 0 kinds, 0 warnings\n"

    def test_a_task_without_mlperf_rules_has_ours(self, tmp_path: Path, clock: Clock) -> None:
        log = write_log(tmp_path / "log", "llm", clock, quality=3.4)
        assert main(["--log", str(log)]) == 0

    @pytest.mark.parametrize("key", ["seed", "run_stop", "global_batch_size", "epoch_start", "init_stop"])
    def test_our_rules_miss_what_is_missing(self, key: str, tmp_path: Path, clock: Clock) -> None:
        log = write_log(tmp_path / "log", "llm", clock)
        drop_event(log, key)
        assert main(["--log", str(log)]) == 1

    def test_our_rules_want_a_number_and_no_closed_division(
        self, tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = write_log(tmp_path / "log", "llm", clock, quality=float("nan"), division="closed")
        assert main(["--log", str(log)]) == 1
        said = capsys.readouterr().out
        assert "the division must be open" in said and "no eval_accuracy fulfils" in said

    def test_a_lite_run_of_hpc_passes_our_rules(self, tmp_path: Path, clock: Clock) -> None:
        log = str(write_log(tmp_path / "log", "oc20", clock, quality=0.22))
        assert main(["--log", log]) == 1
        assert main(["--log", log, "--ruleset=own"]) == 0

    def test_another_benchmark_than_was_said(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--log", str(tree / BENCHMARK / "result_0.txt"), "--benchmark=bert"]) == 1
        assert "the log is of 'resnet', not of 'bert'" in capsys.readouterr().out
