"""`_submission` of the front door, and the CM scripts around the packages."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.submission.conftest import ROOT, RUN, contents

from cm4bench.engine import Engine, Request
from cm4bench.errors import CMBenchError
from cm4bench.facts import Facts
from cm4bench.manifest import Repo

MARK = "CM_MLPERF_SUBMISSION_DEMONSTRATION"
OURS = Repo("cm4bench", ROOT, strict=True)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return Engine([OURS], tmp_path_factory.mktemp("cm"), facts=Facts("linux-x86_64", {"accelerator": "cpu"}))


def script_file(alias, name="customize.py"):
    path = ROOT / "script" / alias / name
    spec = importlib.util.spec_from_file_location(f"{alias}.{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def steps(engine, words, **options):
    planned = engine.plan(Request(f"run,mlperf,inference,{words}", options))
    return [edge.step.script.alias for edge in planned.root.edges if edge.wanted]


class TestPlan:
    def test_the_description_comes_before_any_run_and_the_submission_after_all(self, engine):
        found = steps(engine, "_submission,_offline")
        assert found.index("get-mlperf-inference-sut-description") < found.index("app-mlperf-inference")
        assert found[-1] == "generate-mlperf-inference-submission"
        assert "run-mlperf-inference-compliance" not in found

    @pytest.mark.parametrize("division", ["closed", "network"])
    def test_compliance_where_the_division_asks_for_it(self, engine, division):
        assert steps(engine, "_submission,_offline", division=division)[-2:] == [
            "run-mlperf-inference-compliance",
            "generate-mlperf-inference-submission",
        ]

    def test_nothing_of_it_unasked(self, engine):
        assert "generate-mlperf-inference-submission" not in steps(engine, "_offline")

    def test_synthetic_results_are_refused_while_planning(self, engine):
        with pytest.raises(CMBenchError):
            steps(engine, "_submission,_resnet50,_synthetic")

    def test_only_a_short_run_ends_in_a_demonstration(self):
        manifest = yaml.safe_load((ROOT / "script" / "run-mlperf-inference" / "_cm.yaml").read_text())
        marked = [name for name, one in manifest["variations"].items() if MARK in (one.get("env") or {})]
        assert marked == ["submission,short"] and MARK not in (manifest.get("env") or {})


class TestLock:
    def test_only_cmr_knows_the_whole_command(self, tmp_path, monkeypatch):
        door = script_file("run-mlperf-inference")
        monkeypatch.setattr(sys, "argv", ["-c", "run mlperf inference"])
        assert door.write_lock(tmp_path / "lock.json") == "it was not started by cmr"

    def test_a_command_that_fails_is_said(self, tmp_path, monkeypatch):
        door = script_file("run-mlperf-inference")
        (tmp_path / "cmr").write_text("raise SystemExit(3)")
        monkeypatch.setattr(sys, "argv", [str(tmp_path / "cmr")])
        assert "exit status 3" in door.write_lock(tmp_path / "lock.json")


class TestScripts:
    def env(self, tmp_path, **more):
        return {"CM_TMP_CURRENT_PATH": str(tmp_path), **more}

    def test_packing(self, results, system_file, tmp_path, capsys):
        env = self.env(
            tmp_path,
            CM_MLPERF_SUBMISSION_RECORDS=f"results/{RUN}/offline, results/{RUN}/singlestream",
            CM_MLPERF_SUT_DESCRIPTION_FILE=str(system_file),
            CM_MLPERF_INFERENCE_SUBMISSION_BASE_DIR="out",
        )
        assert script_file("generate-mlperf-inference-submission").preprocess({"env": env}) == {"return": 0}
        assert env["CM_MLPERF_INFERENCE_SUBMISSION_DIR"] == str(tmp_path / "out" / "me-open-v6.1" / "submission")
        assert Path(env["CM_MLPERF_INFERENCE_SUBMISSION_TAR"]).is_file()
        assert "sleeping Offline: right in form" in capsys.readouterr().out

    def test_a_refusal_has_cause_and_hint(self, short_runs, system_file, tmp_path):
        env = self.env(
            tmp_path,
            CM_MLPERF_SUBMISSION_RECORDS=str(short_runs),
            CM_MLPERF_SUT_DESCRIPTION_FILE=str(system_file),
        )
        result = script_file("generate-mlperf-inference-submission").preprocess({"env": env})
        assert result["return"] == 1 and "things stand in the way" in result["error"]
        assert "--demonstration" in result["hint"]

    def test_an_unknown_round(self, results, tmp_path):
        env = self.env(tmp_path, CM_HW_NAME="box", CM_MLPERF_SUBMISSION_ROUND="v9.9")
        result = script_file("get-mlperf-inference-sut-description").preprocess({"env": env})
        assert "unknown round 'v9.9'" in result["error"]

    def test_describing(self, tmp_path):
        env = self.env(
            tmp_path, CM_HW_NAME="box", CM_MLPERF_SUBMISSION_DEMONSTRATION="yes", CM_QUIET="yes", CM_MLPERF_DEVICE="cpu"
        )
        assert script_file("get-mlperf-inference-sut-description").preprocess({"env": env}) == {"return": 0}
        assert env["CM_MLPERF_SUT_DESCRIPTION_FILE"] == str(tmp_path / "cm4bench-systems" / "systems" / "box.json")

    def test_truncating(self, tmp_path, capsys):
        folder = tmp_path / "tree" / "open" / "me" / "results" / "s" / "resnet" / "Offline" / "accuracy"
        folder.mkdir(parents=True)
        (folder / "mlperf_log_accuracy.json").write_text("x" * 20_000)
        (folder / "accuracy.txt").write_text("accuracy=1%\n")
        env = self.env(tmp_path, CM_MLPERF_INFERENCE_SUBMISSION_DIR="tree")
        assert script_file("truncate-mlperf-inference-accuracy-log").preprocess({"env": env}) == {"return": 0}
        assert "truncated: open/me/results/s/resnet/Offline/accuracy" in capsys.readouterr().out
        assert [len(data) for data in contents(tmp_path / "tree-accuracy-logs").values()] == [20_000]
        again = script_file("truncate-mlperf-inference-accuracy-log").preprocess({"env": self.env(tmp_path)})
        assert "no folder of a submission was given" in again["error"]


def test_the_command_line_of_the_package(short_runs, system_file, tmp_path):
    command = [sys.executable, "-m", "mlperf_submission", str(short_runs), f"--description={system_file}"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*command, f"--output={tmp_path}/out"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("error: ") and "Traceback" not in done.stderr
    done = subprocess.run(
        [*command, f"--output={tmp_path}/out", "--demonstration"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0 and "A demonstration: NOT submittable." in done.stdout
