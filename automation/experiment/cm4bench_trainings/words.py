"""What a training says in words: its headline, the labels that it must carry, and its facts by subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cm4bench_results.table import number
from cm4bench_trainings.record import Energy, Spread, Training

NOT_VALID = "not valid"


def stamps(one: Training) -> tuple[str, ...]:
    """Labels that go wherever the training is shown: that it gave no result, that it was resumed, its tier."""
    doubt = () if one.verdict[0] else (NOT_VALID,)
    resumed = (f"resumed {one.resumed} times",) if one.resumed else ()
    return doubt + resumed + (() if one.tier == "full" else (one.tier,))


def headline(one: Training) -> str:
    """The time to the target, or the quality that there was instead."""
    quality = one.quality
    if one.time_to_train_s is not None:
        return f"{number(one.time_to_train_s)} s to {quality.metric} {number(quality.target)}"
    if quality.value is None:
        return "no result"
    return f"{quality.metric} {number(quality.value)}, target {number(quality.target)}"


def energy_words(energy: Energy) -> str:
    """One line: joules and watts with their sources, or why there are none."""
    if energy.joules is None:
        return energy.missing or "not measured"
    watts = f"mean {_said(energy.mean_w)} W, peak {_said(energy.peak_w)} W over {_said(energy.window_s)} s"
    estimated = ", estimated" if energy.estimated else ""
    without = f"; without: {energy.missing}" if energy.missing else ""
    return f"{number(energy.joules)} J, {watts} ({', '.join(energy.sources)}{estimated}){without}"


def facts(one: Training) -> dict[str, Mapping[str, Any]]:
    """All that is known, by subject; empty subjects are left out."""
    known = {
        "Result": _result(one),
        "Energy and load": _load(one),
        "Model": _model(one),
        "Hyper-parameters": one.recipe,
        "Configuration": one.config,
        "System": one.host,
        "Software": one.software,
    }
    return {subject: values for subject, values in known.items() if values}


def _result(one: Training) -> dict[str, Any]:
    return {
        "metric": one.quality.metric,
        "quality": one.quality.value,
        "target": one.quality.target,
        "time to train, s": one.time_to_train_s,
        "trained, s": one.seconds,
        "of this evaluation, s": one.evaluation_s,
        "of this checkpoints, s": one.checkpoint_s,
        "ended by": one.ended_by,
        "epochs": one.epochs,
        "samples seen": one.samples_seen,
        "training samples": one.train_samples,
        "evaluation samples": one.eval_samples,
        "samples/s": one.throughput,
        "tokens/s": one.tokens_per_s,
        "share of waiting for data": one.loading_share,
    }


def _load(one: Training) -> dict[str, Any]:
    seen = one.monitor
    found: dict[str, Any] = {
        "energy": energy_words(seen.energy),
        "energy per sample, J (whole run)": one.joules_per_sample,
        "energy to the target, J (whole run)": seen.energy.joules if one.reached and not one.resumed else None,
        "energy-delay product, J·s": _product(seen.energy),
        "processes, % of one core": _spread(seen.cpu_percent),
        "host, % of all cores": _spread(seen.host_cpu_percent),
        "memory of the processes, bytes (most)": seen.rss_max_bytes or one.peak_rss_bytes,
        "memory of the host, bytes": seen.host_memory_bytes,
        "read from disk, bytes": seen.disk_read_bytes,
        "written to disk, bytes": seen.disk_written_bytes,
        "GPUs": ", ".join(gpu.name for gpu in seen.gpus) or seen.gpu_missing or None,
    }
    for index, gpu in enumerate(seen.gpus):
        found[f"GPU {index} utilisation, %"] = _spread(gpu.util_percent)
        found[f"GPU {index} memory, bytes"] = _spread(gpu.memory_bytes)
        found[f"GPU {index} temperature, °C"] = _spread(gpu.temperature_c)
        found[f"GPU {index} power, W"] = _spread(gpu.power_w)
    found["looks"] = f"{seen.samples}, one every {number(seen.every_s)} s" if seen.samples else None
    found["the monitor's own processor time, s"] = seen.own_cpu_s
    return found | ({"trouble": seen.trouble} if seen.trouble else {})


def _model(one: Training) -> dict[str, Any]:
    if one.model is None:
        return {}
    return {
        "architecture": one.model.architecture,
        "parameters": one.model.parameters,
        "trainable": one.model.trainable,
        "size, MB (parameters and buffers)": one.model.bytes / 1e6,
    }


def _spread(spread: Spread) -> str | None:
    return (
        None if spread.mean is None or spread.max is None else f"mean {number(spread.mean)}, max {number(spread.max)}"
    )


def _product(energy: Energy) -> float | None:
    return None if energy.joules is None or energy.window_s is None else energy.joules * energy.window_s


def _said(value: float | None) -> str:
    return "–" if value is None else number(value)
