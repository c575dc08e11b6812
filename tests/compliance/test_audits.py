"""Compliance tests as data of the round files: which benchmark needs which, with what parameters."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import rounds
from harness.errors import HarnessError

# At that commit there was no file yet: the next one that had it is taken.
LATER = {("v5.0", "rgat")}


def test_every_test_that_a_benchmark_needs_has_parameters() -> None:
    for one in rounds.all_rounds():
        for benchmark in one.benchmarks.values():
            for test in benchmark.compliance:
                audit = one.audit(benchmark.name, test)
                assert audit.settings
                assert (audit.eos_token_id is not None) == (test == "TEST06")
                assert (audit.at_least is not None) == (test in ("TEST07", "TEST09"))


def test_a_benchmark_may_have_parameters_of_its_own() -> None:
    v61 = rounds.load("v6.1")
    assert v61.audit("resnet50", "TEST01").settings["accuracy_log_sampling_target"] == 4096
    assert v61.audit("yolo-99", "TEST01").settings["accuracy_log_sampling_target"] == 64
    assert v61.audit("yolo-99", "TEST01").settings["accuracy_log_rng_seed"] == 720381539243781796
    assert (v61.audit("e2e-rag-qna", "TEST09").at_least, v61.audit("e2e-rag-qna", "TEST09").at_most) == (246.43, 301.19)
    assert v61.audit("llama2-70b-99.9", "TEST06").eos_token_id == 2


@pytest.mark.parametrize(
    ("name", "test", "said"),
    [
        ("bert-99", "TEST04", "v6.1 does not ask TEST04 of bert-99; TEST04 is for resnet, stable-diffusion-xl, wan"),
        ("resnet", "TEST05", "v6.1 does not ask TEST05 of resnet, did you mean"),
    ],
)
def test_a_test_that_is_not_needed_says_who_needs_it(name: str, test: str, said: str) -> None:
    with pytest.raises(HarnessError, match=re.escape(said)) as caught:
        rounds.load("v6.1").audit(name, test)
    assert "it needs TEST01" in caught.value.hint


def test_a_needed_test_without_parameters_is_an_error_of_the_file(tmp_path: Path) -> None:
    shutil.copy(rounds.FOLDER / "v6.1.yaml", tmp_path)
    path = tmp_path / "v6.1.yaml"
    path.write_text(
        path.read_text().replace("  TEST08: {settings: {accuracy_log_rng_seed", "  TEST05: {settings: {x", 1)
    )
    with pytest.raises(HarnessError, match=r"v6\.1\.yaml:\d+: .*TEST05"):
        rounds.Library(tmp_path).load("v6.1")
    text = re.sub(r"^  TEST05: .*\n", "", path.read_text(), count=1, flags=re.MULTILINE)
    path.write_text(text)
    with pytest.raises(HarnessError, match=r"audits has no settings of dlrm-v3's TEST08"):
        rounds.Library(tmp_path).load("v6.1")


@pytest.mark.slow
@pytest.mark.skipif("MLCOMMONS_INFERENCE" not in os.environ, reason="needs a clone in MLCOMMONS_INFERENCE")
def test_the_parameters_are_those_of_upstream() -> None:
    for one in rounds.all_rounds():
        commit = next(
            source.commit for source in one.sources if source.gives == ("checker" if one.name == "v6.1" else "conf")
        )
        for benchmark in one.benchmarks.values():
            for test in benchmark.compliance:
                if (one.name, benchmark.name) in LATER:
                    continue
                theirs = _upstream(commit, test, benchmark.conf or benchmark.name)
                audit = one.audit(benchmark.name, test)
                settings = {key: value for key, value in theirs.items() if not key.startswith("test0")}
                assert audit.settings == settings, (one.name, benchmark.name, test)
                bounds = sorted(value for key, value in theirs.items() if key.startswith("test0"))
                assert bounds == sorted(one for one in (audit.at_least, audit.at_most) if one is not None)


def _upstream(commit: str, test: str, name: str) -> dict[str, float]:
    """Keys of audit.config that hold for every model, which are those that loadgen reads."""
    for folder in ("compliance", "compliance/nvidia"):
        for below in (f"{test}/{name}", test):
            command = [
                "git",
                "-C",
                os.environ["MLCOMMONS_INFERENCE"],
                "show",
                f"{commit}:{folder}/{below}/audit.config",
            ]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0:
                found = re.findall(r"^\*\.[\w*]+\.(\w+) = ([\d.]+)", done.stdout, flags=re.MULTILINE)
                return {key: float(value) if "." in value else int(value) for key, value in found if key != "mode"}
    raise AssertionError(f"no audit.config of {test} for {name} at {commit}")
