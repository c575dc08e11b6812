"""The labels a result must carry wherever it is shown, and the one verdict a reader may quote."""

from __future__ import annotations

from collections.abc import Iterable

from cm4bench_results.record import LoadgenRun, ResultRecord, Validity

DEMONSTRATION = "demonstration, not submittable"
SUSPECT = "SUSPECT"


def device_doubts(record: ResultRecord) -> tuple[str, ...]:
    """Why the device cannot be trusted, over all runs, without repeats; empty when it can."""
    verdicts = (run.device.verdict for run in record.runs if run.device is not None)
    return _unique(reason for verdict in verdicts if not verdict.valid for reason in verdict.reasons)


def stamps(record: ResultRecord) -> tuple[str, ...]:
    """Labels in the order of weight: doubt about the device first, then what the run is not, then its tier."""
    doubt = (SUSPECT,) if device_doubts(record) else ()
    demonstration = (DEMONSTRATION,) if record.division == "demonstration" else ()
    tier = () if record.tier == "full" else (str(record.tier),)
    return doubt + demonstration + tier


def verdict(record: ResultRecord) -> Validity:
    """Valid only if every run is, the device is the one asked for, and the accuracy reaches its target."""
    reasons = [reason for run in record.runs for reason in _against(run)]
    reasons += device_doubts(record)
    quality = record.quality
    if quality is not None and quality.passed is False:
        reasons.append(f"{quality.metric} {quality.value:g} is below its target {quality.target:g} {quality.unit}")
    if not record.runs:
        reasons.append("nothing ran")
    return Validity(not reasons, _unique(reasons))


def _against(run: LoadgenRun) -> list[str]:
    return [] if run.validity.valid else [f"{run.mode}: {reason}" for reason in run.validity.reasons]


def _unique(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reasons))
