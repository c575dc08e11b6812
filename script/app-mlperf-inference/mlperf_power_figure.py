"""The figure of a measured run, put into its outcome."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.outcome import Outcome, Power


def added(env: Mapping[str, Any], outcome: Outcome) -> tuple[Outcome, dict[str, Any]]:
    """The outcome with its power figure, also on disk, and CM's error dictionary where there is none."""
    if str(env["CM_MLPERF_POWER_PATH"]) not in sys.path:
        sys.path.append(str(env["CM_MLPERF_POWER_PATH"]))
    from mlperf_power import PowerError, metric

    try:
        measured = metric(Path(outcome.config.output_dir).parent, outcome.config.scenario)
    except PowerError as error:
        return outcome, {"return": 1, "error": error.cause, "hint": error.hint}
    per_joule = measured.samples_per_joule
    power = Power(value=measured.value, unit=measured.unit, watts=measured.watts, samples_per_joule=per_joule)
    outcome = msgspec.structs.replace(outcome, power=power)
    outcome.write()
    efficiency = f", {per_joule:.6g} samples/J" if per_joule else ""
    print(f"power: {power.value:.6g} {power.unit}{efficiency}")
    return outcome, {}
