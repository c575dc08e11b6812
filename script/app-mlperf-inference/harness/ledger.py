"""The overhead ledger: what the same harness costs with a model that does nothing, on this host, now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness import registry
from harness.config import ModelConfig, RunConfig
from harness.outcome import Ledger, Loadgen
from harness.report import ChildReport
from harness.scenarios import ALL

FOLDER = "ledger"

# Enough for a stable figure in about a second of wall time.
_QUERIES = {"Offline": 200_000, "SingleStream": 20_000, "MultiStream": 4_000, "Server": 1_000, "Interactive": 1_000}
_GENERATIONS = {"Offline": 20_000, "SingleStream": 5_000, "MultiStream": 1_000, "Server": 1_000, "Interactive": 1_000}
_SERVER_QPS = 1_000.0

NullRun = Callable[[RunConfig], tuple[ChildReport, Loadgen]]


def null_config(config: RunConfig) -> RunConfig:
    """The null run beside a measured one: same scenario, batch size and threads."""
    server = ALL[config.scenario].queued
    registry.add_paths(config.task_path)
    generates = bool(registry.resolve("task", config.task).generates)
    queries = _GENERATIONS if generates else _QUERIES
    return RunConfig(
        model=ModelConfig(name="null", architecture="none"),
        dataset="",
        scenario=config.scenario,
        output_dir=str(Path(config.output_dir) / FOLDER),
        tier="synthetic",
        benchmark=config.benchmark,
        task="null-generation" if generates else "null",
        backend="null",
        batch_size=config.batch_size,
        threads=config.threads,
        workers=1 if generates else config.workers,
        target_qps=_SERVER_QPS if server else None,
        min_duration_ms=0,
        min_query_count=queries[config.scenario],
        ledger=False,
        implementation=config.implementation,
        program=config.program,
    )


def measure(config: RunConfig, measured: Loadgen, run: NullRun) -> Ledger:
    """Run the null model and compare; raises HarnessError when the null run fails."""
    report, null = run(null_config(config))
    wall_us = report.timings.loadgen_s * 1e6 / max(report.samples, 1)
    if null.scenario == "Offline" and null.figure:
        wall_us = 1e6 / null.figure.value
    p50_ms = null.percentiles_ms.get("50")
    return Ledger(
        null_cpu_us_per_sample=report.cpu_s * 1e6 / max(report.samples, 1),
        null_wall_us_per_sample=wall_us,
        null_latency_p50_us=None if null.scenario == "Offline" or p50_ms is None else p50_ms * 1e3,
        null_samples=report.samples,
        share=_share(measured, wall_us, p50_ms),
    )


def _share(measured: Loadgen, null_wall_us: float, null_p50_ms: float | None) -> float | None:
    if measured.scenario == "Offline":
        return null_wall_us * measured.figure.value / 1e6 if measured.figure else None
    p50_ms = measured.percentiles_ms.get("50")
    return null_p50_ms / p50_ms if null_p50_ms and p50_ms else None


def describe(ledger: Ledger) -> str:
    """One line for people."""
    share = "" if ledger.share is None else f", {100 * ledger.share:.2g} % of the result"
    return f"harness {ledger.null_cpu_us_per_sample:.2f} us CPU per sample{share}"
