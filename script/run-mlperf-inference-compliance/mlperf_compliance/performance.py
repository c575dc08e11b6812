"""The performance of a compliance run beside that of the measured run (TEST01, TEST04)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness import logs
from mlperf_compliance.verdict import Check

# What upstream's verifications compare, also for benchmarks whose result counts tokens.
SCORES = {
    "Offline": "result_samples_per_second",
    "SingleStream": "early_stopping_latency_ss",
    "MultiStream": "early_stopping_latency_ms",
    "Server": "result_completed_samples_per_sec",
}
_LATENCIES = ("SingleStream", "MultiStream")


@dataclass(frozen=True)
class Measured:
    """What one detail log says. `score` is a latency in ns for the streams, else a rate per second."""

    where: Path
    scenario: str
    score: float
    valid: bool
    errors: tuple[str, ...]
    limit_ns: object

    @property
    def rate(self) -> float:
        """Per second, for every scenario; 0 where loadgen made no estimate."""
        if self.scenario in _LATENCIES:
            return 1e9 / self.score if self.score else 0.0
        return self.score

    @property
    def shown(self) -> str:
        """For people."""
        return f"{self.score / 1e6:.6g} ms" if self.scenario in _LATENCIES else f"{self.score:.6g} per second"


def read(folder: Path) -> Measured:
    """Read a detail log; raises HarnessError where that is none."""
    log = logs.read(folder)
    scenario = str(log.values.get("effective_scenario", ""))
    errors = log.errors or ((f"{log.num_errors} errors",) if log.num_errors else ())
    return Measured(
        where=folder / logs.DETAIL,
        scenario=scenario,
        score=float(log.values.get(SCORES.get(scenario, ""), 0.0) or 0.0),
        valid=log.values.get("result_validity") == "VALID",
        errors=errors,
        limit_ns=log.values.get("effective_target_latency_ns") if scenario == "Server" else None,
    )


def usable(reference: Measured, test: Measured) -> tuple[Check, ...]:
    """Both runs must be valid, without errors, and the same test."""
    return (
        *(_valid(name, one) for name, one in (("measured run", reference), ("compliance run", test))),
        Check(
            "same scenario",
            reference.scenario == test.scenario,
            f"{reference.scenario} and {test.scenario}",
            "repeat the compliance run in the scenario of the measured one",
        ),
        Check(
            "same latency limit",
            reference.limit_ns == test.limit_ns if reference.scenario == "Server" else None,
            f"{reference.limit_ns} ns and {test.limit_ns} ns" if reference.scenario == "Server" else "not in Server",
            "repeat the compliance run with the user.conf of the measured one",
        ),
    )


def _valid(name: str, one: Measured) -> Check:
    if not one.valid:
        return Check(
            name, False, f"loadgen does not call it VALID: {one.where}", "a result that is not valid proves nothing"
        )
    if one.errors:
        return Check(name, False, f"loadgen logged errors, first: {one.errors[0]}", f"grep is_error.*true {one.where}")
    return Check(name, True, "valid")
