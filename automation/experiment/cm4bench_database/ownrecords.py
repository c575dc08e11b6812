"""Rows of our own Result records: every figure of every performance run and search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from cm4bench_database.row import Row, better
from cm4bench_results.record import Figure, LoadgenRun, ResultRecord
from cm4bench_results.stamp import verdict
from cm4bench_results.table import headline as judged_by


def rows(record: ResultRecord) -> Iterator[Row]:
    """One row per figure; a record without any figure has one row without a value, so that it is not lost."""
    template = _template(record)
    judged = judged_by(record)
    seen = False
    for run in record.runs:
        for figure in run.figures:
            seen = True
            yield _with(template, run, figure, headline=figure is judged)
    if not seen:
        yield template


def _template(record: ResultRecord) -> Row:
    subject, host, quality = record.subject, record.host, record.quality
    accelerator = host.accelerators[0] if host.accelerators else ""
    return Row(
        id=record.id,
        source="own",
        division=record.division,
        round=_text(_configuration(record).get("round")),
        system=accelerator or host.cpu_model,
        platform=host.os,
        accelerator=accelerator,
        accelerators=len(host.accelerators),
        nodes=1,
        processor=host.cpu_model,
        cores=host.cpu_cores or None,
        framework=_framework(subject.backend, record.versions),
        model=subject.model,
        benchmark=_text(_configuration(record).get("benchmark")) or subject.benchmark,
        scenario=subject.scenario,
        tier=record.tier,
        device=subject.device,
        backend=subject.backend,
        precision=subject.precision,
        accuracy=quality.value if quality else None,
        accuracy_metric=quality.metric if quality else "",
        valid=verdict(record).valid,
        checked=True,
        created=record.created,
        host=f"{host.os}, {host.cpu_model}, {host.cpu_cores} cores, Python {host.python}",
        versions=msgspec.json.encode(record.versions).decode(),
        notes="; ".join(record.notes),
    )


def _with(template: Row, run: LoadgenRun, figure: Figure, *, headline: bool) -> Row:
    configuration, energy = run.configuration, run.energy
    return msgspec.structs.replace(
        template,
        mode=run.mode,
        batch_size=_whole(configuration.get("batch_size")),
        threads=_whole(configuration.get("threads")),
        workers=_whole(configuration.get("workers")),
        metric=figure.metric,
        unit=figure.unit,
        value=figure.value,
        better=better(figure.unit),
        headline=headline,
        power_w=energy.mean_watts if energy else None,
        joules_per_sample=energy.joules_per_sample if energy else None,
    )


def _configuration(record: ResultRecord) -> Mapping[str, Any]:
    return next((run.configuration for run in record.runs if run.configuration), {})


def _framework(backend: str, versions: Mapping[str, str]) -> str:
    """The backend with its version, where the record has it: pytorch is listed as torch."""
    name = {"pytorch": "torch", "torch": "torch"}.get(backend, backend)
    return f"{backend} {versions[name]}" if name in versions else backend


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
