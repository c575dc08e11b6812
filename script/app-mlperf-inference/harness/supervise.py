"""Run one configuration from outside: `run(RunConfig) -> Outcome`. Never raises for a failed run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec

from harness import audit, device, energy, ledger, logs, registry, verdict
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.gpu import GpuWatch
from harness.hashing import sha256
from harness.outcome import Failure, Loadgen, Outcome, Quality
from harness.report import CONFIG, ChildReport
from harness.scenarios import ALL
from harness.watch import OnProgress, watch

_OURS = (
    "mlperf_log_*",
    "outcome.json*",
    "child_report.json*",
    "console.log",
    "accuracy.txt",
    "latencies.npy",
    "user.conf",
    audit.FILE_NAME,
    energy.FILE_NAME,
)
_HASHED = ("mlperf_log_*", "accuracy.txt", "latencies.npy", "user.conf", audit.FILE_NAME, energy.FILE_NAME, CONFIG)


def run(config: RunConfig, progress: OnProgress | None = None) -> Outcome:
    """Run a configuration in its own process and write `<output_dir>/outcome.json`.

    Args:
        config: what to run; `output_dir` is made if needed and cleared of an earlier run's files.
        progress: called about twice a second with counters, from this thread.

    Returns:
        The outcome; with status `failed` it says kind, cause, hint and log.
    """
    config = _absolute(config)
    try:
        if config.mode == "find-performance":
            from harness import search

            outcome = search.search(config, lambda trial: run(trial, progress))
        else:
            outcome = _run_once(config, progress)
    except HarnessError as error:
        failure = Failure(kind=error.kind, cause=error.cause, hint=error.hint, log="")
        outcome = Outcome(status="failed", tier=config.tier, config=config, failure=failure)
    try:
        outcome.write()
    except OSError as error:
        failure = Failure(kind="config", cause=f"cannot write into {config.output_dir}: {error.strerror}")
        outcome = msgspec.structs.replace(outcome, status="failed", failure=failure)
    return outcome


def _absolute(config: RunConfig) -> RunConfig:
    """The child runs in the output folder, so paths must not depend on where we are."""
    model = config.model
    return msgspec.structs.replace(
        config,
        output_dir=str(Path(config.output_dir).absolute()),
        dataset=str(Path(config.dataset).absolute()) if config.dataset else "",
        task_path=tuple(str(Path(folder).absolute()) for folder in config.task_path),
        user_conf=str(Path(config.user_conf).absolute()) if config.user_conf else None,
        audit_config=str(Path(config.audit_config).absolute()) if config.audit_config else None,
        model=msgspec.structs.replace(model, weights=str(Path(model.weights).absolute()) if model.weights else None),
    )


def _run_once(config: RunConfig, progress: OnProgress | None) -> Outcome:
    folder = _prepare(config)
    gpu = GpuWatch()
    ending = watch(config, gpu, progress)
    report = ChildReport.read(folder)
    outcome = _facts(config, report, gpu)
    failure = verdict.process_failure(config, ending, report)
    if failure is None and report is not None:
        outcome, failure = _judge(outcome, report, folder)
    if failure is None and config.ledger and config.mode == "performance" and outcome.loadgen:
        outcome = _with_ledger(outcome, outcome.loadgen)
    return msgspec.structs.replace(
        outcome, status="failed" if failure else "ok", failure=failure, file_sha256=_hashes(folder)
    )


def _prepare(config: RunConfig) -> Path:
    folder = Path(config.output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for pattern in _OURS:
            for stale in folder.glob(pattern):
                stale.unlink()
        (folder / CONFIG).write_text(config.to_json())
        if config.user_conf and Path(config.user_conf).is_file():
            shutil.copyfile(config.user_conf, folder / "user.conf")
        if config.audit_config:
            shutil.copyfile(config.audit_config, audit.place(config))
    except OSError as error:
        raise HarnessError(
            "config", f"output folder {folder} cannot be used: {error.strerror}", f"ls -ld {folder}"
        ) from error
    return folder


def _facts(config: RunConfig, report: ChildReport | None, gpu: GpuWatch) -> Outcome:
    """What the child could still say, whether or not the run succeeded."""
    outcome = Outcome(status="failed", tier=config.tier, config=config)
    if report is None:
        return outcome
    return msgspec.structs.replace(
        outcome,
        device=device.truth(config, report, report.execution, gpu) if report.execution else None,
        timings=report.timings,
        batch_histogram=report.batch_histogram,
        latencies=report.latencies,
        energy=report.energy,
        peak_rss_bytes=report.peak_rss_bytes or None,
        notes=report.notes,
        model_facts=report.model_facts,
        dataset_facts=report.dataset_facts,
    )


def _judge(outcome: Outcome, report: ChildReport, folder: Path) -> tuple[Outcome, Failure | None]:
    config = outcome.config
    log = logs.read(folder)
    quality = _quality(config, folder) if config.mode == "accuracy" and log.finished else None
    outcome = msgspec.structs.replace(
        outcome,
        validity=logs.validity(log),
        loadgen=logs.summarise(log, ALL[config.scenario]),
        quality=quality,
        submittable=verdict.submittable(config, log, report),
    )
    return outcome, verdict.result_failure(config, report, log, quality)


def _quality(config: RunConfig, folder: Path) -> Quality | None:
    registry.add_paths(config.task_path)
    task: Any = registry.resolve("task", config.task)(config)
    quality: Quality | None = task.quality(folder)
    return quality


def _with_ledger(outcome: Outcome, measured: Loadgen) -> Outcome:
    try:
        return msgspec.structs.replace(outcome, ledger=ledger.measure(outcome.config, measured, _null_run))
    except HarnessError as error:
        return msgspec.structs.replace(outcome, notes=(*outcome.notes, f"no overhead ledger: {error.cause}"))


def _null_run(config: RunConfig) -> tuple[ChildReport, Loadgen]:
    folder = _prepare(config)
    ending = watch(config, GpuWatch())
    report = ChildReport.read(folder)
    failure = verdict.process_failure(config, ending, report)
    if failure or report is None:
        raise HarnessError("internal", failure.cause if failure else "the null run left no report")
    return report, logs.summarise(logs.read(folder), ALL[config.scenario])


def _hashes(folder: Path) -> dict[str, str]:
    paths = sorted(path for pattern in _HASHED for path in folder.glob(pattern))
    return {path.name: sha256(path) for path in paths}
