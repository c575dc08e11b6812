"""Compliance runs of the harness, with the real loadgen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.harness.conftest import configure, dotted_backends  # noqa: F401

from harness import audit, logs, rounds, settings, supervise
from harness.config import RunConfig
from harness.errors import HarnessError

pytest.importorskip("mlperf_loadgen")


def audit_file(folder: Path, benchmark: str, test: str) -> str:
    path = folder / f"{test}.config"
    path.write_text(audit.render(rounds.load("v6.1").audit(benchmark, test)))
    return str(path)


def test_loadgen_reads_the_file_and_logs_a_sample_of_the_answers(configure, tmp_path):  # noqa: F811
    given = audit_file(tmp_path, "yolo-99", "TEST01")
    outcome = supervise.run(configure(min_query_count=1000, audit_config=given))
    assert outcome.failure is None
    folder = Path(outcome.config.output_dir)
    assert (folder / "audit.config").read_text() == Path(given).read_text()
    assert outcome.loadgen.effective["effective_accuracy_log_sampling_target"] == 64
    assert any("Found Audit Config file" in warning for warning in outcome.loadgen.warnings)
    answers = json.loads((folder / "mlperf_log_accuracy.json").read_text())
    assert 20 < len(answers) < 150
    assert "compliance run: it supports a result and is none itself" in outcome.submittable.reasons


@pytest.mark.parametrize("scenario", ["Offline", "SingleStream"])
def test_one_sample_again_and_again(configure, tmp_path, scenario):  # noqa: F811
    given = audit_file(tmp_path, "resnet", "TEST04")
    outcome = supervise.run(configure(scenario=scenario, audit_config=given))
    assert outcome.failure is None
    effective = outcome.loadgen.effective
    assert (effective["effective_performance_issue_same"], effective["effective_performance_issue_same_index"]) == (
        True,
        3,
    )


def test_what_the_file_sets_goes_before_the_configuration(configure, tmp_path):  # noqa: F811
    given = audit_file(tmp_path, "llama2-70b-99.9", "TEST06")
    config = configure(scenario="SingleStream", min_duration_ms=100_000, min_query_count=5_000, audit_config=given)
    outcome = supervise.run(config)
    assert outcome.failure is None
    assert outcome.loadgen.effective["effective_min_duration_ms"] == 0
    assert outcome.loadgen.effective["effective_min_query_count"] == 100


def test_a_run_whose_log_does_not_name_the_file_is_refused(configure, tmp_path):  # noqa: F811
    config = configure(audit_config=audit_file(tmp_path, "resnet", "TEST01"))
    silent = logs.DetailLog({"power_end": ""}, (), (), ())
    assert audit.refusal(config, silent).cause == f"loadgen did not read {config.output_dir}/audit.config"
    assert audit.refusal(configure(), silent) is None


def test_lines_that_name_a_model_have_no_effect_and_are_not_expected(configure, tmp_path):  # noqa: F811
    path = tmp_path / "audit.config"
    path.write_text("# of upstream\n*.Server.mode = 2\n*.*.mode = 2\nresnet50.Offline.min_query_count = 500\n")
    config = configure(audit_config=str(path))
    assert audit.settings(config) == {"mode": 2}
    assert not any("500" in one.asked_by or one.value == 500 for one in settings.expectations(config, 8))


@pytest.mark.parametrize("line", ["*.*.mode=2", "*.*.mode = two", "mode = 2"])
def test_a_line_that_loadgen_would_drop_is_an_error_with_its_place(configure, tmp_path, line):  # noqa: F811
    path = tmp_path / "audit.config"
    path.write_text(f"# one\n{line}\n")
    with pytest.raises(HarnessError, match=r"audit\.config:2: "):
        audit.settings(configure(audit_config=str(path)))


def test_only_a_performance_run_can_be_a_compliance_run(configure, tmp_path):  # noqa: F811
    text = configure(audit_config="x").to_json().replace('"performance"', '"accuracy"')
    with pytest.raises(HarnessError, match="audit_config is for performance runs"):
        RunConfig.from_json(text)


def test_a_file_that_is_missing_is_said(configure, tmp_path):  # noqa: F811
    outcome = supervise.run(configure(audit_config=str(tmp_path / "absent")))
    assert outcome.failure.kind == "config"
    assert np.isscalar(outcome.failure.cause)
