"""find-performance: the values that size a real run, from a short series of short runs.

loadgen's FindPeakPerformance works in Server only and needs one process for all its probes; here every probe is an
ordinary run in its own process, so each is checked as strictly as a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from harness.config import RunConfig, ScenarioName
from harness.errors import HarnessError
from harness.outcome import Found, Outcome, Trial
from harness.scenarios import ALL

PROBE_S = 4.0  # measured length of the probe whose figure is kept
FIRST_QUERIES = 16
MOST_QUERIES = 200_000
SERVER_QUERIES = 700  # early stopping at the 99th percentile needs about 460 with none late
SERVER_TRIALS = 8
PRECISION = 1.05  # bracket width at which the Server search ends

RunOne = Callable[[RunConfig], Outcome]


def search(config: RunConfig, run_one: RunOne) -> Outcome:
    """Find target_qps (Offline, Server) or target_latency (streams).

    user.conf is not read, since its values are what is searched; a Server limit comes from `target_latency_ns` or the
    benchmark's own.

    Raises:
        HarnessError: the kind of a failed probe, or `search` when no rate can be valid.
    """
    seeker = _Search(config, run_one)
    scenario = ALL[config.scenario]
    value = seeker.server() if scenario.queued else seeker.steady(config.scenario)
    found = Found(
        key=scenario.target,
        value=value,
        unit="ms"
        if scenario.target == "target_latency"
        else "samples/s"
        if config.scenario == "Offline"
        else "queries/s",
        trials=tuple(seeker.trials),
    )
    last = seeker.best
    return msgspec.structs.replace(last, config=config, found=found, status="ok", failure=None)


class _Search:
    def __init__(self, config: RunConfig, run_one: RunOne) -> None:
        self._config, self._run_one = config, run_one
        self.trials: list[Trial] = []
        self.best: Outcome

    def steady(self, scenario: ScenarioName) -> float:
        """Throughput (Offline, samples/s) or mean latency (streams, ms), from a first and a sized probe."""
        count = max(FIRST_QUERIES, 4 * self._config.batch_size) if scenario == "Offline" else FIRST_QUERIES
        value = self._probe(scenario, count)
        seconds = count / value if scenario == "Offline" else count * value / 1e3
        if seconds < PROBE_S:
            value = self._probe(scenario, min(MOST_QUERIES, int(count * PROBE_S / max(seconds, 1e-6)) + 1))
        return value

    def server(self) -> float:
        """Highest rate found VALID (queries/s), by bisection below the throughput that Offline reaches."""
        self._refuse_hopeless()
        low, high = 0.0, self.steady("Offline")
        for _ in range(SERVER_TRIALS):
            rate = (low * high) ** 0.5 if low else 0.7 * high
            if self._rate_is_valid(rate):
                low = rate
            else:
                high = rate
            if low and high / low <= PRECISION:
                break
        if not low:
            raise HarnessError(
                "search", f"no Server rate was valid down to {high:.3g} queries/s within {self._limit_ms():g} ms"
            )
        return low

    def _refuse_hopeless(self) -> None:
        alone = self._probe("SingleStream", FIRST_QUERIES)
        if alone > self._limit_ms():
            raise HarnessError(
                "search",
                f"one query alone takes {alone:.3g} ms, more than the Server limit of {self._limit_ms():g} ms",
                "use a faster device or model, or set target_latency_ns for a demonstration",
            )

    def _limit_ms(self) -> float:
        if self._config.target_latency_ns is not None:
            return self._config.target_latency_ns / 1e6
        import mlperf_loadgen

        settings = mlperf_loadgen.TestSettings()
        settings.FromConfig("", self._config.conf_name, "Server", 0)
        return float(settings.server_target_latency_ns) / 1e6

    def _probe(self, scenario: ScenarioName, queries: int) -> float:
        outcome = self._trial(scenario, min_duration_ms=0, min_query_count=queries)
        figures = {figure.key: figure.value for figure in outcome.loadgen.figures} if outcome.loadgen else {}
        key = "result_samples_per_second" if scenario == "Offline" else "result_mean_latency_ns"
        if key not in figures:
            raise HarnessError("search", f"the {scenario} probe gave no {key}")
        self._keep(outcome, None, figures[key], "samples/s" if scenario == "Offline" else "ms")
        return figures[key]

    def _rate_is_valid(self, rate: float) -> bool:
        backlog = int(4 * rate * self._limit_ms() / 1e3) + 4 * self._config.batch_size + 64
        outcome = self._trial(
            self._config.scenario,
            target_qps=rate,
            min_duration_ms=int(PROBE_S * 1000),
            min_query_count=SERVER_QUERIES,
            max_async_queries=backlog,
            target_latency_ns=self._config.target_latency_ns,
            target_latency_percentile=self._config.target_latency_percentile,
            coalesce_queries=self._config.coalesce_queries,
        )
        figure = outcome.loadgen.figure if outcome.loadgen else None
        self._keep(outcome, rate, figure.value if figure else None, "queries/s")
        return outcome.ok

    def _trial(self, scenario: ScenarioName, **changes: int | float | bool | None) -> Outcome:
        folder = Path(self._config.output_dir) / "trials" / f"{len(self.trials) + 1:02d}-{scenario}"
        plain: dict[str, object] = dict.fromkeys(
            ("target_qps", "target_latency_ns", "coalesce_queries", "max_async_queries", "max_duration_ms",
             "max_query_count", "user_conf", "quality_target", "target_latency_percentile")
        )  # fmt: skip
        fixed: dict[str, object] = {
            "scenario": scenario,
            "mode": "performance",
            "ledger": False,
            "output_dir": str(folder),
        }
        outcome = self._run_one(msgspec.structs.replace(self._config, **{**plain, **fixed, **changes}))
        if outcome.failure and outcome.failure.kind != "invalid":
            raise HarnessError(outcome.failure.kind, outcome.failure.cause, outcome.failure.hint)
        return outcome

    def _keep(self, outcome: Outcome, rate: float | None, measured: float | None, unit: str) -> None:
        self.trials.append(
            Trial(
                target_qps=rate,
                valid=bool(outcome.validity and outcome.validity.valid),
                measured=measured,
                unit=unit,
                directory=str(Path(outcome.config.output_dir).name),
                cause=outcome.failure.cause if outcome.failure else "",
            )
        )
        if outcome.ok or not hasattr(self, "best"):
            self.best = outcome
