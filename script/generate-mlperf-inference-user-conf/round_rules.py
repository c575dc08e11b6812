"""The benchmark that a run belongs to, in the round of the loadgen it runs with."""

from __future__ import annotations

from collections.abc import Mapping

from harness import rounds
from harness.errors import HarnessError
from harness.rounds import Benchmark, Round


def name_in_conf(env: Mapping[str, object]) -> tuple[str, str]:
    """Model and scenario as user.conf calls them: to loadgen, Interactive is Server under another model name."""
    model, scenario = str(env["CM_MLPERF_BENCHMARK"]), str(env["CM_MLPERF_LOADGEN_SCENARIO"])
    return (f"{model}-interactive", "Server") if scenario == "Interactive" else (model, scenario)


def rules_for(env: Mapping[str, object]) -> Benchmark | None:
    """The benchmark of CM_MLPERF_BENCHMARK (loadgen's name of it); None where round or benchmark are not known.

    Raises:
        HarnessError: kind `config`, where a valid run for the closed division is asked for in a scenario that the
            benchmark has not got in this round; says which round has it.
    """
    found = _round(str(env.get("CM_MLPERF_INFERENCE_LOADGEN_VERSION") or ""))
    if found is None:
        return None
    model, scenario = str(env["CM_MLPERF_BENCHMARK"]), str(env["CM_MLPERF_LOADGEN_SCENARIO"])
    candidates = found.with_conf(model)
    if not candidates:
        return None
    chosen = next((one for one in candidates if scenario in one.scenarios()), candidates[0])
    if _is_closed(env):
        found.require(chosen.name, scenario)
    return chosen


def _round(loadgen: str) -> Round | None:
    """A loadgen that no round file knows is no error here: the run's own log will show that it fits no round."""
    try:
        return rounds.from_loadgen_version(loadgen) if loadgen else rounds.default()
    except HarnessError:
        if loadgen:
            return None
        raise


def _is_closed(env: Mapping[str, object]) -> bool:
    return env.get("CM_MLPERF_RUN_STYLE") == "valid" and env.get("CM_MLPERF_SUBMISSION_DIVISION") == "closed"
