"""From the traces of a run to its verdict: the first thing that makes it unusable, cause first."""

from __future__ import annotations

from pathlib import Path

from harness import audit, device, logs, settings
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.logs import DetailLog
from harness.outcome import Failure, Quality, Submittable
from harness.report import CONSOLE, ChildReport
from harness.rounds.objections import objections
from harness.scenarios import ALL
from harness.watch import Ending, stuck_at


def process_failure(config: RunConfig, ending: Ending, report: ChildReport | None) -> Failure | None:
    """Failure of the process itself; None when it ran the test to its end."""
    console = str(Path(config.output_dir) / CONSOLE)
    if report is not None and report.failure is not None:
        one = report.failure
        return Failure(kind=one.kind, cause=one.cause, hint=one.hint, log=console)
    if ending.hung_s is not None:
        return _hang(config, ending, console)
    if ending.signal_name:
        return Failure(
            kind="crash",
            cause=f"{_where(ending)} was ended by {ending.signal_name}",
            hint=_signal_hint(ending),
            log=console,
        )
    if ending.returncode or report is None:
        cause = f"{_where(ending)} ended with exit code {ending.returncode}: {_last_line(console)}"
        return Failure(kind="crash", cause=cause, hint=f"less {console}", log=console)
    return None


def _where(ending: Ending) -> str:
    last = ending.last
    counted = f" after {last.completed} of {last.issued} issued samples" if last.issued else ""
    return f"the run's process (phase {last.phase}{counted})"


def _hang(config: RunConfig, ending: Ending, console: str) -> Failure:
    last, hint = ending.last, f"every thread's stack is in {console}; a slow model needs a larger hang_timeout_s"
    silence = f"{ending.hung_s:.0f} s" if ending.hung_s and ending.hung_s >= 1 else f"{ending.hung_s:.1f} s"
    place = stuck_at(Path(console))
    if last.phase != "loadgen":
        return Failure(kind="hang", cause=f"phase {last.phase} did not end within {silence}", hint=hint, log=console)
    if last.issued > last.completed:
        cause = f"the backend has not answered for {silence}: {last.completed} of {last.issued} samples completed"
        return Failure(kind="hang", cause=cause + (f"; it is at {place}" if place else ""), hint=hint, log=console)
    cause = (
        f"a completion was lost: loadgen still waits, although all {last.issued} issued samples were answered "
        f"{silence} ago"
    )
    return Failure(kind="missing-completion", cause=cause, hint=hint, log=console)


def _signal_hint(ending: Ending) -> str:
    if ending.signal_name == "SIGKILL":
        return (
            "if nobody killed it, the kernel did for lack of memory: dmesg | tail; lower batch_size or sample_memory_mb"
        )
    return "the Python stack at the crash is at the end of the log"


def _last_line(console: str) -> str:
    try:
        lines = [line for line in Path(console).read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return lines[-1] if lines else "it printed nothing"


def result_failure(config: RunConfig, report: ChildReport, log: DetailLog, quality: Quality | None) -> Failure | None:
    """Why a run that came to its end is refused all the same; None for a usable result."""
    path = str(Path(config.output_dir) / logs.DETAIL)
    if not log.finished:
        return Failure(kind="internal", cause="loadgen's log has no end mark", hint=f"less {path}", log=path)
    if report.execution is None:
        return Failure(kind="internal", cause="the run did not say on which device it executed", log=path)
    try:
        device.verify(config, report.execution)
    except HarnessError as error:
        return Failure(kind=error.kind, cause=error.cause, hint=error.hint, log=path)
    wrong = settings.mismatches(settings.expectations(config, report.performance_sample_count), log.effective)
    if wrong:
        return Failure(kind="settings", cause="loadgen did not use what was asked for:\n" + "\n".join(wrong), log=path)
    return audit.refusal(config, log) or _loadgen_failure(config, log, path) or _quality_failure(quality, path)


def _loadgen_failure(config: RunConfig, log: DetailLog, path: str) -> Failure | None:
    verdict = logs.validity(log)
    if verdict.valid is False:
        reasons = "; ".join([*verdict.reasons, *log.errors[:2]])
        return Failure(
            kind="invalid",
            cause=f"loadgen calls the result INVALID: {reasons}",
            hint=_invalid_hint(config, log),
            log=path,
        )
    if log.num_errors:
        said = "VALID" if verdict.valid else "no verdict"
        first = log.errors[0] if log.errors else "see the log"
        cause = f"loadgen logged {log.num_errors} error(s), although its verdict is {said}: {first}"
        return Failure(kind="loadgen-errors", cause=cause, hint=f"grep is_error.*true {path}", log=path)
    if verdict.valid and ALL[config.scenario].metric_key not in log.values:
        return Failure(kind="invalid", cause=f"loadgen's log lacks {ALL[config.scenario].metric_key}", log=path)
    return None


def _invalid_hint(config: RunConfig, log: DetailLog) -> str:
    values = log.values
    if config.scenario == "Offline":
        return f"set target_qps near {values.get('result_samples_per_second', 0):g}"
    if config.scenario == "Server":
        p99_ms = values.get("result_99.00_percentile_latency_ns", 0) / 1e6
        return f"lower target_qps (p99 was {p99_ms:.3g} ms), or use mode find-performance"
    return f"set target_latency_ns near {values.get('result_mean_latency_ns', 0):g}, or raise min_query_count"


def _quality_failure(quality: Quality | None, path: str) -> Failure | None:
    if quality is None or quality.passed is not False:
        return None
    counted = f" ({quality.correct} of {quality.total})" if quality.correct is not None else ""
    missed = [
        f"{one.name} is {one.value:.3f} {one.unit}, target {one.target}" for one in quality.more if one.passed is False
    ]
    if quality.target is not None and (quality.value < quality.target or not missed):
        found = f"{quality.metric} is {quality.value:.3f} {quality.unit}{counted}"
        missed.insert(0, f"{found}, target {quality.target:g} {quality.unit}")
    cause = "; ".join(missed) or f"{quality.metric} {quality.value:.3f} {quality.unit} did not pass"
    return Failure(kind="accuracy", cause=cause, hint="check the model's preprocessing and precision", log=path)


def submittable(config: RunConfig, log: DetailLog, report: ChildReport) -> Submittable:
    """What a submission checker would object to in this run alone, by the rules of the round its seeds belong to."""
    reasons = []
    if config.tier != "full":
        reasons.append(f"tier {config.tier}: not the benchmark's full data and model")
    try:
        reasons.extend(objections(config.benchmark, config.scenario, log.values))
    except HarnessError as error:
        reasons.append(f"the round's rules cannot be read: {error.cause}")
    if config.audit_config:
        reasons.append("compliance run: it supports a result and is none itself")
    reasons.extend(report.notes)
    return Submittable(ok=not reasons, reasons=tuple(reasons))
