"""A finished run under its compliance tests: real loadgen, tiny SUTs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from mlperf_compliance import subjects
from mlperf_compliance.__main__ import _by_repetition, main
from mlperf_compliance.conduct import Options, conduct

from harness import rounds, supervise
from harness.errors import HarnessError

pytest.importorskip("mlperf_loadgen")
Finished = Callable[..., Path]


def test_test01_finds_the_same_answers_and_writes_what_a_submission_wants(finished: Finished) -> None:
    (subject,) = subjects.find(finished())
    assert (subject.round.name, subject.benchmark.name) == (rounds.default().name, "resnet")
    assert subject.needs == ("TEST01", "TEST04")
    verdict = conduct(subject, "TEST01", Options())
    answers = verdict.checks[0]
    assert answers.passed
    assert "compared by their first float32, 0 differ (0 somewhere in the answer)" in answers.said
    folder = subject.folder / "TEST01"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "accuracy/accuracy.txt",
        "accuracy/mlperf_log_accuracy.json",
        "performance/run_1/mlperf_log_detail.txt",
        "performance/run_1/mlperf_log_summary.txt",
        "verify_accuracy.txt",
        "verify_performance.txt",
    ]
    assert (folder / "verify_accuracy.txt").read_text().splitlines()[-1] == "TEST PASS"
    assert "Found Audit Config file" in (folder / "performance/run_1/mlperf_log_detail.txt").read_text()
    assert (folder / "accuracy" / "accuracy.txt").read_text().startswith("accuracy=100.000%, good=")
    kept = json.loads((subject.folder / "compliance" / "TEST01" / "verdict.json").read_text())
    assert kept["checks"][0]["passed"] is True


def test_test01_catches_a_sut_that_computes_nothing(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished(backend="tests.compliance.suts:Cheats")
    assert main(["run", str(run), "--test", "TEST01"]) == 1
    said = capsys.readouterr().out
    assert "Offline TEST01: FAIL" in said
    assert "acc is missing or 0 in the compliance run" in said
    text = (run / "offline" / "TEST01" / "verify_accuracy.txt").read_text()
    assert "TEST FAIL" in text
    assert "TEST PASS" not in text


def test_answers_that_waver_are_judged_by_their_score(finished: Finished) -> None:
    (subject,) = subjects.find(finished(backend="tests.compliance.suts:Wavers"))
    verdict = conduct(subject, "TEST01", Options())
    answers, drift = verdict.checks[:2]
    assert answers.passed is None
    assert "judged by their score" in answers.said
    assert (drift.name, drift.passed) == ("acc", True)
    folder = subject.folder / "TEST01" / "accuracy"
    assert {path.name for path in folder.iterdir()} == {
        "accuracy.txt",
        "baseline_accuracy.txt",
        "compliance_accuracy.txt",
        "mlperf_log_accuracy.json",
    }
    assert (folder / "baseline_accuracy.txt").read_text().startswith("accuracy=98.")


def test_test04_asks_for_one_sample_only(finished: Finished) -> None:
    (subject,) = subjects.find(finished("SingleStream", accuracy=False))
    verdict = conduct(subject, "TEST04", Options())
    detail = (subject.folder / "TEST04" / "performance" / "run_1" / "mlperf_log_detail.txt").read_text()
    assert '"key": "effective_performance_issue_same", "value": true' in detail
    assert {check.name for check in verdict.checks} >= {"no caching", "same scenario"}
    assert not (subject.folder / "TEST04" / "accuracy").exists()


def test_test04_catches_a_sut_that_keeps_answers(finished: Finished) -> None:
    (subject,) = subjects.find(finished(backend="tests.compliance.suts:Hurries", accuracy=False, min_query_count=200))
    verdict = conduct(subject, "TEST04", Options())
    assert [check.name for check in verdict.failures] == ["no caching"]
    assert "TEST PASS" not in (subject.folder / "TEST04" / "verify_performance.txt").read_text()


@pytest.mark.parametrize("scenario", ["Offline", "SingleStream"])
def test_test06_on_tokens(finished: Finished, scenario: str) -> None:
    more = {"target_latency_ns": 1_000_000} if scenario == "SingleStream" else {}
    run = finished(
        scenario,
        accuracy=False,
        task="null-generation",
        backend="null",
        dataset="",
        benchmark="llama2-70b",
        benchmark_name="llama2-70b-99.9",
        performance_sample_count=None,
        equal_issue=False,
        **more,
    )
    (subject,) = subjects.find(run)
    verdict = conduct(subject, "TEST06", Options(eos_token_id=99))
    lines = (subject.folder / "TEST06" / "verify_accuracy.txt").read_text().splitlines()
    first = "Skipped" if scenario == "Offline" else "True"
    assert lines[:3] == [f"First token check pass: {first}", "EOS check pass: True", "Sample length check pass: True"]
    assert verdict.passed
    assert not (subject.folder / "TEST06" / "performance").exists()


def test_an_unneeded_test_says_who_needs_it_before_anything_runs(
    finished: Finished, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished(accuracy=False)
    monkeypatch.setattr(supervise, "run", lambda *_: pytest.fail("something ran"))
    assert main(["run", str(run), "--test", "TEST06"]) == 1
    said = capsys.readouterr().out
    assert "does not ask TEST06 of resnet; TEST06 is for llama" in said
    assert "next:   it needs TEST01, TEST04" in said
    assert main(["run", str(run), "--scenario", "Server"]) == 1
    assert "has no Server\nnext:   it has Offline" in capsys.readouterr().out


def test_a_missing_accuracy_run_is_said_before_minutes_are_spent(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    (subject,) = subjects.find(finished(accuracy=False))
    monkeypatch.setattr(supervise, "run", lambda *_: pytest.fail("something ran"))
    with pytest.raises(HarnessError, match="compares answers with the accuracy run of Offline, and there is none"):
        conduct(subject, "TEST01", Options())


def test_folders_that_hold_no_finished_run(finished: Finished, tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="holds no performance run"):
        subjects.find(tmp_path)
    run = finished(accuracy=False)
    path = run / "offline" / "performance" / "run_1" / "outcome.json"
    whole = path.read_text()
    path.write_text("{}")
    with pytest.raises(HarnessError, match="is no outcome of this harness"):
        subjects.find(run)
    path.write_text(whole.replace('"failure": null', '"failure": {"kind": "invalid", "cause": "too short"}', 1))
    with pytest.raises(HarnessError, match="has no usable result: too short"):
        subjects.find(run)


def test_a_compliance_run_that_breaks_is_an_error_and_leaves_the_earlier_verdict(finished: Finished) -> None:
    (subject,) = subjects.find(finished(accuracy=False))
    (subject.folder / "TEST04").mkdir()
    (subject.folder / "TEST04" / "kept").write_text("")
    config = msgspec.structs.replace(subject.config, backend="tests.harness.faulty:Raises")
    broken = subjects.Subject(subject.folder, config, subject.round, subject.benchmark, subject.performance, None)
    with pytest.raises(HarnessError, match="TEST04 of Offline: the backend raised RuntimeError"):
        conduct(broken, "TEST04", Options())
    assert (subject.folder / "TEST04" / "kept").exists()


def test_a_test_on_other_data_is_not_made_by_repetition(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    (subject,) = subjects.find(finished(accuracy=False))
    v61 = rounds.load("v6.1")
    other = replace(subject, round=v61, benchmark=v61.benchmark("gpt-oss-120b"))
    with pytest.raises(HarnessError, match="TEST07 of gpt-oss-120b runs on a data set of its own"):
        conduct(other, "TEST07", Options())
    assert _by_repetition(other) == ("TEST09",)
    assert "Offline TEST07: left out" in capsys.readouterr().out
