"""Verdicts on logs, ours and (slow) those of upstream's own scripts on the same logs.

The scripts are found in a clone of github.com/mlcommons/inference named by MLCOMMONS_INFERENCE.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlperf_compliance import scores, writing
from mlperf_compliance.__main__ import main
from mlperf_compliance.case import Case
from mlperf_compliance.suite import verify
from tests.compliance.conftest import Logs, packed
from tests.compliance.situations import ALL, Situation, answers, floats, query, tokens

from harness.errors import HarnessError

MakeCase = Callable[..., tuple[Case, Logs, Logs, Logs]]


def made(case: MakeCase, one: Situation) -> Case:
    found, measured, accuracy, compliance = case(one.test, one.benchmark, one.scenario, **one.changes)
    one.fill(measured, accuracy, compliance)
    return found


@pytest.mark.parametrize("one", ALL, ids=str)
def test_the_verdict_says_why(case: MakeCase, one: Situation) -> None:
    verdict = verify(made(case, one))
    assert verdict.passed == one.passes
    if not one.passes:
        reasons = " ".join(f"{check.said} {check.advice}" for check in verdict.failures)
        assert one.said in reasons
        assert all(check.advice for check in verdict.failures)
    words = "\n".join(verdict.files.values())
    assert ("TEST FAIL" in words or "failed" in words) == (not one.passes)


@pytest.mark.slow
@pytest.mark.skipif("MLCOMMONS_INFERENCE" not in os.environ, reason="needs a clone in MLCOMMONS_INFERENCE")
@pytest.mark.parametrize("one", ALL, ids=str)
def test_upstream_says_the_same(case: MakeCase, tmp_path: Path, one: Situation) -> None:
    found = made(case, one)
    theirs = upstream(found, tmp_path)
    assert theirs == (one.passes or bool(one.stricter))


def upstream(case: Case, scratch: Path) -> bool:
    """Run upstream's run_verification.py as its README says, and look for what the submission checker looks for."""
    folder = Path(os.environ["MLCOMMONS_INFERENCE"]) / "compliance" / case.test
    results, out, work = case.performance.parents[1], scratch / "upstream", scratch / "work"
    log = "mlperf_log_accuracy.json"
    work.mkdir()
    common = ["-c", str(case.compliance), "-o", str(out)]
    arguments = {
        "TEST01": ["-r", str(results), *common, "--dtype", case.dtype],
        "TEST04": ["-r", str(results), *common],
        "TEST06": [*common, "-s", case.scenario, "--dtype", case.dtype],
        "TEST07": common,
        "TEST08": ["-r", f"{results}/accuracy/{log}", "-t", f"{case.compliance}/{log}"],
        "TEST09": [*common, "--audit-config", str(folder / case.benchmark.name / "audit.config")],
    }
    command = [sys.executable, str(folder / "run_verification.py"), *arguments[case.test]]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True)
    if case.test == "TEST08":
        return "TEST PASS" in done.stdout
    texts = [path.read_text() for path in (out / case.test).glob("verify_*.txt")]
    if case.test == "TEST06":
        return bool(texts) and "TEST06 verification complete" in texts[0]
    return bool(texts) and all("TEST PASS" in text for text in texts)


CHECKER = """
import sys
sys.path.insert(0, sys.argv[1])
import submission_checker_old as checker
config = checker.Config("v6.1", {})
folder, model, test = sys.argv[2:]
good = test == "TEST04" or checker.check_compliance_acc_dir(folder, model, config)
print(good and (test == "TEST06" or checker.check_compliance_perf_dir(folder)))
"""


@pytest.mark.slow
@pytest.mark.skipif("MLCOMMONS_INFERENCE" not in os.environ, reason="needs a clone in MLCOMMONS_INFERENCE")
@pytest.mark.parametrize("one", [one for one in ALL if one.test in ("TEST01", "TEST04", "TEST06")], ids=str)
def test_upstreams_checker_takes_the_folders(case: MakeCase, tmp_path: Path, one: Situation) -> None:
    found = made(case, one)
    assert upstream_takes(found, tmp_path) == one.passes


def upstream_takes(found: Case, scratch: Path) -> bool:
    """Write the folder, and show it to the checker that also looks at which files there are."""
    folder = scratch / found.test
    writing.write(verify(found), found.compliance, folder)
    tools = Path(os.environ["MLCOMMONS_INFERENCE"]) / "tools" / "submission"
    command = [sys.executable, "-c", CHECKER, str(tools), str(folder), found.benchmark.name, found.test]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().endswith("True")


@pytest.mark.slow
@pytest.mark.skipif("MLCOMMONS_INFERENCE" not in os.environ, reason="needs a clone in MLCOMMONS_INFERENCE")
@pytest.mark.parametrize(("score", "passes"), [(85.0, True), (80.0, False)])
def test_upstreams_checker_takes_scores_instead(case: MakeCase, tmp_path: Path, score: float, passes: bool) -> None:
    found, *logs = case("TEST01", "bert-99", dtype="float32")
    answers(floats(1, 2, 3), floats(1, 2, 9))(*logs)
    scored = replace(
        found, scorer=lambda folder: f'{{"exact_match": 80.0, "f1": {score if folder == found.compliance else 85.5}}}\n'
    )
    assert verify(scored).passed == passes
    assert upstream_takes(scored, tmp_path) == passes


def test_test01_takes_the_scores_where_answers_differ(case: MakeCase) -> None:
    found, measured, accuracy, compliance = case("TEST01", "bert-99", dtype="float32")
    measured.measured(), accuracy.answered(floats(1, 2, 3, 4))
    compliance.measured().answered(floats(1, 2, 9))

    def scorer(folder: Path) -> str:
        text = (folder / "mlperf_log_accuracy.json").read_text()
        assert text.count("qsl_idx") == 3  # the baseline too has the sampled answers only
        return f'{{"exact_match": 80.0, "f1": {85.0 if packed("f", 9) in text else 85.5}}}'

    verdict = verify(replace(found, scorer=scorer))
    assert verdict.passed
    assert "85.5 in the accuracy run, 85 in the compliance run: 0.588 % apart, 1 % allowed" in verdict.checks[1].said
    assert "TEST FAIL" in verdict.files["verify_accuracy.txt"]  # the deterministic comparison, which may fail
    assert verdict.files["accuracy/baseline_accuracy.txt"].endswith('"f1": 85.5}')
    strict = replace(found, scorer=scorer, benchmark=case("TEST01", "bert-99.9")[0].benchmark)
    assert not verify(strict).passed


def test_test01_without_a_scorer_says_what_to_give(case: MakeCase) -> None:
    found, *logs = case("TEST01", "bert-99", dtype="float32")
    answers(floats(1), floats(2))(*logs)
    assert "--accuracy_script=" in verify(found).failures[0].advice


@pytest.mark.parametrize(
    ("printed", "passes", "said"),
    [
        ("'exact_match': 62.15", True, "62.15 over 2 answers, at least 60.698"),
        ("'exact_match': 60.0", False, "60 over 2 answers"),
        ("no score today", False, "does not print it"),
    ],
)
def test_test07_scores_the_answers(case: MakeCase, tmp_path: Path, printed: str, passes: bool, said: str) -> None:
    found, *logs = case("TEST07", "gpt-oss-120b", scorer=lambda _: printed)
    tokens({"data": packed("i", 1)}, {"data": packed("i", 2)})(*logs)
    verdict = verify(found)
    assert verdict.passed == passes
    assert said in verdict.checks[0].said
    assert ("TEST PASS" in verdict.files["verify_accuracy.txt"]) == passes
    assert verdict.files["verify_accuracy.txt"].startswith(printed)
    assert not verify(replace(found, scorer=None)).passed


@pytest.mark.parametrize(
    ("test", "benchmark", "spoilt", "said"),
    [
        ("TEST01", "resnet", "[]", "holds no answer"),
        ("TEST01", "resnet", '[{"qsl_idx": 0, "data": "zz"}]', "not hexadecimal"),
        ("TEST01", "resnet", '[{"qsl_idx": 0, "data": "00"}]', "1 bytes of sample 0 are no float32"),
        ("TEST01", "resnet", '[\n{"qsl_idx": 0, "da\n\n...\n\n"00"}]', "was it truncated"),
        (
            "TEST06",
            "llama2-70b-99.9",
            '[{"qsl_idx": 0, "data": "000000"}]',
            "3 bytes of sample 0 are no float32 tokens",
        ),
        ("TEST08", "dlrm-v3", '[{"qsl_idx": 0, "data": "0000"}]', "are no answer of float32 values"),
        ("TEST09", "e2e-rag-qna", "{}", "is not an accuracy log"),
    ],
)
def test_broken_logs_are_named(case: MakeCase, test: str, benchmark: str, spoilt: str, said: str) -> None:
    found, measured, accuracy, compliance = case(test, benchmark, dtype="float32")
    measured.measured(), compliance.measured()
    accuracy.answered([query(1, 0.2)] if test == "TEST08" else floats(1))
    (compliance.folder / "mlperf_log_accuracy.json").write_text(spoilt)
    with pytest.raises(HarnessError, match=said):
        verify(found)


def test_test08_refuses_an_accuracy_run_without_labels(case: MakeCase) -> None:
    found, *logs = case("TEST08", "dlrm-v3")
    answers([query(1, 0.2, 0.7, after=True)], [query(1, 0.2, 0.7, after=True)])(*logs)
    with pytest.raises(HarnessError, match="values for the"):
        verify(found)


def test_logs_made_elsewhere_are_judged_and_packed(case: MakeCase, tmp_path: Path, capsys: Any) -> None:
    found, *logs = case("TEST06", "llama2-70b-99.9", "Server")
    tokens({"data": packed("i", 5, 6, 2), "token_data": packed("i", 5), "token_count": 3})(*logs)
    results, out = found.performance.parents[1], tmp_path / "out"
    command = ["verify", "TEST06", "-r", results, "-c", found.compliance, "-o", out, "-s", "Server"]
    command += ["-b", "llama2-70b-99.9", "--round", "v6.1"]
    assert main([str(word) for word in command]) == 0
    assert "Server TEST06: PASS" in capsys.readouterr().out
    assert (out / "TEST06" / "accuracy" / "mlperf_log_accuracy.json").is_file()
    # an end token given on the command line is a number here; upstream keeps it as text, which equals no token
    assert main([str(word) for word in [*command, "--eos_token_id", "6"]]) == 0
    logs[2].answered([{"qsl_idx": 0, "data": packed("i", 5, 6, 6), "token_data": packed("i", 5), "token_count": 3}])
    assert main([str(word) for word in [*command, "--eos_token_id", "6"]]) == 1
    assert "ends with 2 end tokens (6)" in capsys.readouterr().out
    assert main(["needs", "v6.1", "gpt-oss-120b"]) == 0
    assert capsys.readouterr().out == "gpt-oss-120b: TEST07, TEST09\n"


def test_a_folder_is_written_whole_or_not_at_all(case: MakeCase, tmp_path: Path) -> None:
    found, *logs = case("TEST04", "resnet")
    logs[0].measured(), logs[2].measured()
    verdict, target = verify(found), tmp_path / "offline" / "TEST04"
    target.mkdir(parents=True)
    (target / "earlier").write_text("")
    (found.compliance / "mlperf_log_summary.txt").unlink()
    with pytest.raises(HarnessError, match=r"TEST04 cannot be written: .*mlperf_log_summary\.txt"):
        writing.write(verdict, found.compliance, target)
    assert [path.name for path in target.parent.iterdir()] == ["TEST04"]
    assert (target / "earlier").exists()


@pytest.mark.parametrize(
    ("metric", "printed", "value"),
    [
        ("acc", "accuracy=76.014%, good=38007, total=50000", 76.014),
        ("acc", '{"accuracy": 0.7286}', 0.7286),
        ("mAP", "mAP=37.550%", 37.55),
        ("F1", '{"exact_match": 83.67, "f1": 90.87}', 90.87),
        ("AUC", "AUC=80.310%", 80.31),
        ("DICE", "Accuracy: mean = 0.86170, kidney = 0.93", 0.8617),
        ("ACCURACY", "Word Error Rate: 2.1, accuracy=97.9%", 97.9),
        ("CLIP_SCORE", "Accuracy Results: {'FID_SCORE': '23.5', 'CLIP_SCORE': '31.7'}", 31.7),
        ("acc", "nothing", None),
    ],
)
def test_scores_are_found_in_what_the_scripts_print(metric: str, printed: str, value: float | None) -> None:
    assert scores.find(metric, printed) == value
