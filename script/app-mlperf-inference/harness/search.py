"""find-performance: the values that size a real run, from a short series of short runs.

loadgen's FindPeakPerformance works in Server only and needs one process for all its probes; here every probe is an
ordinary run in its own process, so each is checked as strictly as a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from harness.config import RunConfig, ScenarioName
from harness.errors import HarnessError
from harness.outcome import Found, Outcome, Trial
from harness.scenarios import ALL

PROBE_S = 4.0  # measured length of the probe whose figure is kept
FIRST_QUERIES = 4
MOST_QUERIES = 200_000

# The whole Server search may take this share of the run it is for, so that both together stay below 1.3 times the run.
BUDGET = 0.25
SHORTEST_BUDGET_S = 60.0
RUN_MS = 600_000  # a full-length run (inference rules)
PRECISION = 1.08  # bracket width at which the Server search ends
# A long run meets stalls that a trial does not: it is asked for a little less than the best trial held, and what is
# left of the budget goes into a longer trial at that rate; a rate that does not stand it with room to spare is lowered.
MARGIN = 0.95
STEP_DOWN = 0.85
CONFIRMING = 0.4  # share of the budget
LONGEST_TRIAL_S = 60.0
ROOM = 0.7  # share of the latency limit that the longer trial may use
TRIAL_S = 15.0
# Queries that early stopping needs, with some to spare, for each percentile; a slow model gets a trial at a lower one.
QUERIES_FOR = ((700, 99.0), (80, 90.0), (24, 70.0), (12, 50.0))

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
        count = max(FIRST_QUERIES, 2 * self._config.batch_size) if scenario == "Offline" else FIRST_QUERIES
        value = self._probe(scenario, count)
        seconds = count / value if scenario == "Offline" else count * value / 1e3
        if seconds < PROBE_S:
            value = self._probe(scenario, min(MOST_QUERIES, int(count * PROBE_S / max(seconds, 1e-6)) + 1))
        return value

    def server(self) -> float:
        """Highest rate found VALID (queries/s), by bisection below the throughput that Offline reaches."""
        budget_s = max(SHORTEST_BUDGET_S, BUDGET * (self._config.min_duration_ms or RUN_MS) / 1e3)
        ends = monotonic() + budget_s
        narrowed = ends - CONFIRMING * budget_s
        self._refuse_hopeless()
        low, high = 0.0, self.steady("Offline")
        trial_s = 0.0
        while not low or (high / low > PRECISION and monotonic() + trial_s < narrowed):
            started = monotonic()
            rate = (low * high) ** 0.5 if low else 0.7 * high
            if self._rate_is_valid(rate):
                low = rate
            else:
                high = rate
            trial_s = monotonic() - started
            if not low and monotonic() > ends:
                cause = f"no Server rate was valid down to {high:.3g} queries/s within {self._limit_ms():g} ms"
                raise HarnessError("search", cause, "give --server_target_qps, or a faster device or model")
        return self._confirmed(MARGIN * low, ends)

    def _confirmed(self, rate: float, ends: float) -> float:
        """The rate, lowered until a trial as long as the budget allows was VALID; unconfirmed where none is left."""
        while (left_s := ends - monotonic()) > 2 * PROBE_S:
            if self._rate_is_valid(rate, min(LONGEST_TRIAL_S, left_s - PROBE_S), ROOM):
                break
            rate *= STEP_DOWN
        return rate

    def _refuse_hopeless(self) -> None:
        if self._settings().use_token_latencies:
            return  # the limits are on single tokens then
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
        return float(self._settings().server_target_latency_ns) / 1e6

    def _settings(self) -> Any:
        """What mlperf.conf says of the benchmark."""
        import mlperf_loadgen

        settings = mlperf_loadgen.TestSettings()
        settings.FromConfig("", self._config.conf_name, "Server", 0)
        return settings

    def _probe(self, scenario: ScenarioName, queries: int) -> float:
        outcome = self._trial(scenario, min_duration_ms=0, min_query_count=queries)
        figures = {figure.key: figure.value for figure in outcome.loadgen.figures} if outcome.loadgen else {}
        key = "result_samples_per_second" if scenario == "Offline" else "result_mean_latency_ns"
        if key not in figures:
            raise HarnessError("search", f"the {scenario} probe gave no {key}")
        self._keep(outcome, None, figures[key], "samples/s" if scenario == "Offline" else "ms")
        return figures[key]

    def _rate_is_valid(self, rate: float, seconds: float = PROBE_S, room: float = 1.0) -> bool:
        backlog = int(4 * rate * self._limit_ms() / 1e3) + 4 * self._config.batch_size + 64
        queries, percentile = trial_size(rate)
        outcome = self._trial(
            self._config.scenario,
            target_qps=rate,
            min_duration_ms=int(seconds * 1000),
            min_query_count=queries,
            max_async_queries=backlog,
            target_latency_ns=self._config.target_latency_ns,
            target_latency_percentile=self._config.target_latency_percentile or percentile,
            coalesce_queries=self._config.coalesce_queries,
        )
        figure = outcome.loadgen.figure if outcome.loadgen else None
        self._keep(outcome, rate, figure.value if figure else None, "queries/s")
        return outcome.ok and self._within_limits(outcome, room)

    def _within_limits(self, outcome: Outcome, room: float) -> bool:
        """A trial at a lower percentile is VALID with more late queries than the run may have: look at the 99th too."""
        rules = self._settings()
        limits_ns = {
            "result_first_token_99.00_percentile_latency_ns": float(rules.ttft_latency),
            "result_time_per_output_token_99.00_percentile_ns": float(rules.tpot_latency),
        }
        if not rules.use_token_latencies:
            p99_ms = outcome.loadgen.percentiles_ms.get("99", 0.0) if outcome.loadgen else 0.0
            return p99_ms <= room * self._limit_ms()
        figures = outcome.loadgen.figures if outcome.loadgen else ()
        return all(one.value * 1e6 <= room * limits_ns[one.key] for one in figures if one.key in limits_ns)

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
            "equal_issue": False,
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


def trial_size(rate: float, seconds: float = TRIAL_S) -> tuple[int, float]:
    """Queries for about `seconds` at `rate` per second, and the percentile (percent) that so few can prove."""
    affordable = max(rate * seconds, QUERIES_FOR[-1][0])
    return next((queries, percentile) for queries, percentile in QUERIES_FOR if queries <= affordable)
