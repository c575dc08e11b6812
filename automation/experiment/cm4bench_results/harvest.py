"""From the outcomes of the loadgen harness to one Result record: the accuracy and the performance run joined.

Outcomes are `harness.outcome.Outcome` values; the harness itself is not needed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cm4bench_results.record import (
    DeviceTruth,
    Division,
    Energy,
    Figure,
    FileHash,
    Host,
    LatencyProfile,
    LedgerEntry,
    LoadgenRun,
    Metric,
    Quality,
    Request,
    ResultRecord,
    Scalar,
    Subject,
    Validity,
)

if TYPE_CHECKING:
    from harness import outcome as of_harness

# A measured result that did not pass; every other failure kind means that there is no result at all.
MEASURED_FAILURES = ("invalid", "accuracy")
# The models that the closed division allows, as the inference rules name them.
_CLOSED_MODELS = {"resnet50": "resnet50"}
_OWN = "own"  # what get-ml-model-own calls a benchmark that runs another model
# The driver holds a GPU below its power limit in ordinary operation; that is a fact of the device, no fault of the run.
_ORDINARY = ("software power cap",)


# Share of its cores that a run keeps busy on a machine of its own; below it something else was running.
BUSY_SHARE = 0.8


@dataclass(frozen=True)
class Context:
    """What a record says beyond the outcomes themselves. ``created`` is ISO 8601 in UTC."""

    created: str
    request: Request
    host: Host
    plan_id: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


def join(record_id: str, folder: Path, outcomes: Sequence[of_harness.Outcome], context: Context) -> ResultRecord:
    """One record from the outcomes of one model in one scenario; ``folder`` is the record's own.

    Raises ValueError for no outcomes, or outcomes of different models or scenarios.
    """
    subjects = {_subject(outcome) for outcome in outcomes}
    if len(subjects) != 1:
        raise ValueError(f"a record needs outcomes of one model in one scenario, not of {len(subjects)}")
    return ResultRecord(
        id=record_id,
        created=context.created,
        request=context.request,
        subject=subjects.pop(),
        tier=outcomes[0].config.tier,
        division=division(outcomes),
        host=context.host,
        runs=tuple(loadgen_run(outcome, folder) for outcome in outcomes),
        quality=next((_quality(outcome.quality) for outcome in outcomes if outcome.quality), None),
        plan_id=context.plan_id,
        versions={**_versions(outcomes), **context.versions},
        notes=_notes(outcomes),
    )


def division(outcomes: Sequence[of_harness.Outcome]) -> Division:
    """What the runs could be submitted as. Without both runs at full length and data: a demonstration."""
    formal = [outcome for outcome in outcomes if outcome.config.mode != "find-performance"]
    modes = {outcome.config.mode for outcome in formal}
    if modes != {"performance", "accuracy"} or not all(o.ok and o.submittable and o.submittable.ok for o in formal):
        return "demonstration"
    reached = any(outcome.quality and outcome.quality.passed for outcome in formal)
    return "closed candidate" if reached and all(map(_by_the_rules, formal)) else "open"


def _by_the_rules(outcome: of_harness.Outcome) -> bool:
    """The reference model, and if it was quantised, not on the very data that it is judged by."""
    config = outcome.config
    conversion = outcome.model_facts.get("conversion") or {}
    named = _CLOSED_MODELS.get(config.model.name) == config.benchmark and config.benchmark_name != _OWN
    return named and not conversion.get("calibration")


def loadgen_run(outcome: of_harness.Outcome, folder: Path) -> LoadgenRun:
    """One outcome as a run of the record that lives in ``folder``."""
    loadgen, latencies = outcome.loadgen, outcome.latencies
    return LoadgenRun(
        mode=outcome.config.mode,
        validity=_validity(outcome),
        configuration=_plain(outcome.config),
        figures=_figures(outcome),
        settings={key: _scalar(value) for key, value in loadgen.effective.items()} if loadgen else {},
        latency=_latency(latencies) if latencies else None,
        device=_device(outcome.config.device, outcome.device) if outcome.device else None,
        ledger=_ledger(outcome.ledger) if outcome.ledger else (),
        energy=_energy(outcome.energy) if outcome.energy else None,
        files=_files(outcome, folder),
        timings={name.removesuffix("_s"): seconds for name, seconds in _plain(outcome.timings).items()},
    )


def _subject(outcome: of_harness.Outcome) -> Subject:
    config = outcome.config
    return Subject(config.task, config.model.name, config.scenario, config.backend, config.device, config.precision)


def _validity(outcome: of_harness.Outcome) -> Validity:
    """loadgen's verdict; a failed accuracy target is judged from the quality itself, not here a second time."""
    if outcome.failure is None or outcome.failure.kind == "accuracy":
        return Validity(True)
    reasons = outcome.validity.reasons if outcome.validity else ()
    return Validity(False, reasons or (outcome.failure.cause,))


def _figures(outcome: of_harness.Outcome) -> tuple[Figure, ...]:
    if outcome.found:
        return (Figure(f"found {outcome.found.key}", outcome.found.value, outcome.found.unit),)
    loadgen = outcome.loadgen
    if loadgen is None or outcome.config.mode == "accuracy":
        return ()
    head = [_headline(loadgen, loadgen.figure)] if loadgen.figure and _is_known(loadgen.figure) else []
    rest = [one for one in loadgen.figures if _is_known(one) and not _same(one, loadgen.figure)]
    tail = [Figure(f"p{name} latency", ms, "ms") for name, ms in loadgen.percentiles_ms.items()]
    return (*head, *(Figure(one.metric, one.value, one.unit) for one in rest), *tail, *_power(outcome))


def _power(outcome: of_harness.Outcome) -> tuple[Figure, ...]:
    """Analyzers' figures, unlike device energy fit for a submission."""
    if outcome.power is None:
        return ()
    per_joule = outcome.power.samples_per_joule
    more = (Figure("efficiency", per_joule, "samples/J"),) if per_joule else ()
    return (Figure("power", outcome.power.value, outcome.power.unit), *more)


def _is_known(figure: of_harness.Figure) -> bool:
    """loadgen writes 0 for an early-stopping estimate that it could not make."""
    return figure.value > 0 or not figure.key.startswith("early_stopping")


def _same(one: of_harness.Figure, headline: of_harness.Figure | None) -> bool:
    return headline is not None and one.key == headline.key


def _headline(loadgen: of_harness.Loadgen, figure: of_harness.Figure) -> Figure:
    """The figure under the name of what was really measured: a percentile or a limit may have been relaxed."""
    percentile = loadgen.effective.get("effective_target_latency_percentile")
    limit_ns = loadgen.effective.get("effective_target_latency_ns")
    metric = figure.metric
    if percentile is not None and loadgen.scenario == "MultiStream":
        metric = f"p{100 * float(percentile):g} latency per query"
    elif percentile is not None and limit_ns and loadgen.scenario == "Server":  # 0: the limits are on tokens
        metric = f"{metric}, p{100 * float(percentile):g} within {float(limit_ns) / 1e6:g} ms"
    return Figure(metric, figure.value, figure.unit)


def _quality(quality: of_harness.Quality) -> Quality:
    more = tuple(Metric(one.name, one.value, one.unit, one.target, one.passed) for one in quality.more)
    return Quality(quality.metric, quality.value, quality.unit, quality.total, quality.correct, quality.target, more)


def _latency(latencies: of_harness.Latencies) -> LatencyProfile:
    quantiles = sorted((float(name.lstrip("p")) / 100, ms) for name, ms in latencies.quantiles_ms.items())
    return LatencyProfile(latencies.source, latencies.count, latencies.edges_ms, latencies.counts, tuple(quantiles))


def _device(asked: str, truth: of_harness.DeviceTruth) -> DeviceTruth:
    doubts = _device_doubts(asked, truth)
    facts: dict[str, Scalar] = {"executed": truth.executed, "precision": truth.precision, "residency": truth.residency}
    facts |= {f"cpu {name}": _scalar(value) for name, value in _plain(truth.cpu).items()}
    if truth.gpu:
        facts |= {f"gpu {name}": _scalar(value) for name, value in _plain(truth.gpu).items()}
    name = truth.gpu.name if truth.gpu else truth.cpu.model
    return DeviceTruth(asked, truth.used, name, Validity(not doubts, doubts), facts)


def _device_doubts(asked: str, truth: of_harness.DeviceTruth) -> tuple[str, ...]:
    doubts = []
    if truth.used.partition(":")[0] != asked.partition(":")[0]:
        doubts.append(f"{asked} was asked for, {truth.used} was used")
    if truth.gpu:
        doubts += [f"the GPU was throttled: {why}" for why in truth.gpu.throttle_reasons if why not in _ORDINARY]
    elif asked.startswith("cuda"):
        doubts.append(f"nothing watched the GPU: {truth.gpu_missing_reason or 'the run was too short for a reading'}")
    return tuple(doubts)


def _ledger(ledger: of_harness.Ledger) -> tuple[LedgerEntry, ...]:
    note = f"{ledger.null_samples:,} samples through a model that does nothing, on this host right after the run"
    entries = [
        LedgerEntry("harness, CPU per sample", ledger.null_cpu_us_per_sample, "µs", note),
        LedgerEntry("harness, wall clock per sample", ledger.null_wall_us_per_sample, "µs", note),
    ]
    if ledger.null_latency_p50_us is not None:
        entries.append(LedgerEntry("harness, median latency", ledger.null_latency_p50_us, "µs", note))
    if ledger.share is not None:
        entries.append(LedgerEntry("share of the result that is the harness's", 100 * ledger.share, "%"))
    return tuple(entries)


def _energy(energy: of_harness.Energy) -> Energy:
    return Energy(
        label=energy.label,
        missing=energy.missing,
        joules=energy.joules,
        mean_watts=energy.mean_watts,
        window_s=energy.window_s,
        joules_per_sample=energy.joules_per_sample,
        sources={one.name: one.joules for one in energy.sources},
    )


def _files(outcome: of_harness.Outcome, folder: Path) -> tuple[FileHash, ...]:
    logs = Path(outcome.config.output_dir)
    place = Path(logs.name) if folder not in logs.parents else logs.relative_to(folder)
    sizes = {name: (logs / name).stat().st_size for name in outcome.file_sha256 if (logs / name).is_file()}
    return tuple(FileHash(str(place / name), sizes[name], outcome.file_sha256[name]) for name in sizes)


def _versions(outcomes: Sequence[of_harness.Outcome]) -> dict[str, str]:
    versions = {outcome.loadgen.version for outcome in outcomes if outcome.loadgen}
    return {"loadgen": ", ".join(sorted(versions))} if versions else {}


def _notes(outcomes: Sequence[of_harness.Outcome]) -> tuple[str, ...]:
    formal = [outcome for outcome in outcomes if outcome.config.mode != "find-performance"]
    against = [reason for outcome in formal if outcome.submittable for reason in outcome.submittable.reasons]
    shared = [note for outcome in formal for note in _shared_processor(outcome)]
    return tuple(dict.fromkeys([*against, *(note for outcome in formal for note in outcome.notes), *shared]))


def _shared_processor(outcome: of_harness.Outcome) -> list[str]:
    """A note where the run, though it had work all the time, did not get the cores it computes on."""
    config, truth = outcome.config, outcome.device
    # Between two queries of a Server run, and beside a GPU, the processor may rest.
    if truth is None or config.mode != "performance" or config.scenario == "Server" or truth.used != "cpu":
        return []
    got, due = truth.cpu.busy_cores, min(truth.cpu.threads, len(truth.cpu.allowed_cores))
    if got >= BUSY_SHARE * due:
        return []
    return [f"the processor was shared: the run got {got:.2f} of {due} cores, so a quiet machine would be faster"]


def _plain(struct: Any) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(struct)
    return plain


def _scalar(value: Any) -> Scalar:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
