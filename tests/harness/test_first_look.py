"""A finished run is held against the rules at once."""

from __future__ import annotations

import mlperf_first_look
from harness import supervise


def test_what_a_submission_would_be_refused_for_is_said_of_a_formal_run_only(configure):
    outcome = supervise.run(configure(benchmark="resnet50", benchmark_name="resnet50"))
    said = " / ".join(mlperf_first_look.objections({"CM_MLPERF_RUN_STYLE": "valid"}, outcome))
    assert "600" in said, "the run is far too short"
    assert mlperf_first_look.objections({"CM_MLPERF_RUN_STYLE": "test"}, outcome) == ()
