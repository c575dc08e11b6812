"""The submission checker's rules on a run that has just ended, so that nobody learns them on the last day."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness import rounds
from harness.outcome import Outcome

CHECKER = Path(__file__).parents[1] / "run-mlperf-inference-submission-checker"


def objections(env: Mapping[str, Any], outcome: Outcome) -> tuple[str, ...]:
    """What a submission with this run would be refused for, in words; nothing for a demonstration or an audit run."""
    config, measured = outcome.config, outcome.loadgen
    if env.get("CM_MLPERF_RUN_STYLE") != "valid" or config.audit_config or measured is None or outcome.found:
        return ()
    found = rounds.of_seeds(measured.seeds)
    benchmark = found.find(config.benchmark_name) if found else None
    if found is None or benchmark is None:
        return ()  # the outcome itself says that it fits no round
    if str(CHECKER) not in sys.path:
        sys.path.append(str(CHECKER))
    from mlperf_checker.runs import check_run

    division = str(env.get("CM_MLPERF_SUBMISSION_DIVISION") or "open")
    findings = check_run(Path(config.output_dir), benchmark.name, config.scenario, found.name, division)
    return tuple(f"{one.cause}; {one.remedy}" for one in findings if one.severity == "error")


def show(env: Mapping[str, Any], outcome: Outcome) -> None:
    """Print them."""
    for line in objections(env, outcome):
        print(f"not submittable: {line}")
