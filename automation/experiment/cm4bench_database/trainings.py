"""Rows of our own trainings: the time to the target, and the throughput beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cm4bench_database.row import Row
from cm4bench_trainings.record import Training, loads

SCENARIO = "Training"


def rows(content: bytes, path: Path) -> Iterator[Row]:
    """One row per figure of a training's result.json, judged by its time to train; one without a value if it has none.

    The metric names its target: times to different targets are not compared.

    Raises:
        cm4bench_trainings.TrainingError: the file is no training result.
    """
    one = loads(content, path, "/".join(path.parent.parts[-2:]))
    template = _template(one)
    judged = msgspec.structs.replace(
        template,
        metric=f"time to {one.quality.metric} {one.quality.target:g}".strip(),
        unit="s",
        better="lower",
        value=one.time_to_train_s,
    )
    yield judged
    figures = (("samples per second", "samples/s", one.throughput), ("tokens per second", "tokens/s", one.tokens_per_s))
    for metric, unit, value in figures:
        if value is not None:
            yield msgspec.structs.replace(
                template, metric=metric, unit=unit, better="higher", value=value, headline=False
            )


def _template(one: Training) -> Row:
    accelerators = [str(name) for name in one.host.get("accelerators") or ()]
    processor, cores = str(one.host.get("cpu_model") or ""), one.host.get("cpu_cores")
    system = str(one.host.get("os") or "")
    return Row(
        id=one.name,
        division=str(one.config.get("division") or ""),
        submitter=_given(one.config.get("organization")),
        system=accelerators[0] if accelerators else processor,
        platform=system,
        accelerator=accelerators[0] if accelerators else "",
        accelerators=len(accelerators),
        nodes=_whole(one.config.get("nodes")),
        processor=processor,
        cores=_whole(cores),
        framework=f"torch {one.software['torch']}" if "torch" in one.software else "",
        model="_".join(filter(None, (one.benchmark, one.dataset))),
        benchmark=one.benchmark,
        scenario=SCENARIO,
        tier=one.tier,
        device=str(one.config.get("device") or ""),
        backend="pytorch",
        precision=str(one.config.get("precision") or ""),
        batch_size=_whole(one.recipe.get("batch_size")),
        threads=_whole(one.host.get("threads")),
        workers=_whole(one.config.get("processes")),
        accuracy=one.quality.value,
        accuracy_metric=one.quality.metric,
        power_w=one.monitor.energy.mean_w,
        joules_per_sample=one.joules_per_sample,
        valid=one.verdict[0],
        checked=True,
        created=one.created,
        host=f"{system}, {processor}, {cores} cores, Python {one.software.get('python', '')}",
        versions=json.dumps(one.software),
        notes="; ".join(filter(None, (one.verdict[1], f"seed {one.seed}"))),
    )


def _given(name: object) -> str:
    return str(name) if name not in (None, "unnamed") else ""


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
