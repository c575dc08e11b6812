"""An outcome on one screen."""

from __future__ import annotations

from harness import energy, ledger
from harness.outcome import FILE_NAME, Outcome


def render(outcome: Outcome) -> str:
    """Cause first for a failure; figure, accuracy, device and ledger for a result."""
    lines = _failure(outcome) if outcome.failure else []
    lines += _result(outcome)
    lines.append(f"record: {outcome.config.output_dir}/{FILE_NAME}")
    return "\n".join(lines)


def _failure(outcome: Outcome) -> list[str]:
    failure = outcome.failure
    if failure is None:
        return []
    config = outcome.config
    lines = [f"FAILED ({failure.kind}): {failure.cause}"]
    lines.append(f"run:    {config.model.name}, {config.scenario}, {config.mode}, {config.backend} on {config.device}")
    if failure.hint:
        lines.append(f"next:   {failure.hint}")
    if failure.log:
        lines.append(f"log:    {failure.log}")
    return lines


def _result(outcome: Outcome) -> list[str]:
    lines = _numbers(outcome) if outcome.ok else []
    if outcome.ledger:
        lines.append(f"ledger: {ledger.describe(outcome.ledger)}")
    if outcome.ok and outcome.energy:
        lines.append(f"energy: {energy.describe(outcome.energy)}")
    if outcome.ok and outcome.submittable and not outcome.submittable.ok:
        lines.append(f"not submittable: {'; '.join(outcome.submittable.reasons)}")
    return lines


def _numbers(outcome: Outcome) -> list[str]:
    lines = []
    what = f"{outcome.config.model.name} {outcome.config.scenario}"
    if outcome.found:
        lines.append(f"{what}: found {outcome.found.key} = {outcome.found.value:.6g} {outcome.found.unit}")
    elif outcome.loadgen and outcome.loadgen.figure:
        figure = outcome.loadgen.figure
        lines.append(f"{what}: {figure.metric} {figure.value:.6g} {figure.unit} (VALID, tier {outcome.tier})")
    if quality := outcome.quality:
        target = "" if quality.target is None else f", target {quality.target:g} {quality.unit}"
        share = f"{quality.total} samples" if quality.correct is None else f"{quality.correct} of {quality.total}"
        lines.append(f"{what}: {quality.metric} {quality.value:.3f} {quality.unit} ({share}{target})")
    if device := outcome.device:
        lines.append(f"device: {device.used}, {device.executed}, {device.precision}")
    return lines
