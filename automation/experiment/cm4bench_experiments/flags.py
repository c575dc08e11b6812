"""From the flags of `cm run experiment` to the keys of a sweep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cm4bench_experiments.errors import ExperimentError, did_you_mean
from cm4bench_experiments.sweep import Sweep, make_sweep, read_sweep

# Flags that steer this command; they do not belong to the sweep.
CONTROL = ("dir", "plan", "yes", "retry", "executor", "jobs", "cluster", "sweep", "results_dir", "point")
_OWN = ("explore", "repeat", "budget", "timeout", "where", "objectives", "search", "prune")
# What cmind and its command line add.
_OF_CM = (
    *("action", "automation", "artifact", "artifacts", "parsed_automation", "parsed_artifact", "parsed_artifacts"),
    *("tags", "cmd", "out", "env", "quiet", "verbose", "v", "self_module", "control", "j", "json", "common", "con"),
)


def sweep_of(i: Mapping[str, Any]) -> Sweep:
    """The sweep that a command means: its file, if it names one, then its flags over it.

    Raises:
        ExperimentError: it is not valid.
    """
    named = i.get("sweep")
    if named is True:
        raise ExperimentError("--sweep names no file", "--sweep=FILE.yaml")
    path = Path(str(named)).expanduser() if named else None
    data = read_sweep(path) if path else {}
    return make_sweep(_merged(data, i), str(path) if path else "the sweep")


def _merged(data: dict[str, Any], i: Mapping[str, Any]) -> dict[str, Any]:
    tags = ",".join(str(part) for part in (i.get("artifact"), i.get("tags")) if part)
    if tags:
        data["run"] = tags.strip().replace(" ", ",")
    given = {
        "options": {key: value(text) for key, text in i.items() if key not in (*CONTROL, *_OWN, *_OF_CM)},
        "env": {key: str(text) for key, text in (i.get("env") or {}).items()},
        "grid": {key: values(key, text) for key, text in group(i, "explore").items()},
    }
    for key, more in given.items():
        if more:
            data[key] = {**(data.get(key) or {}), **more}
    for key in ("repeat", "budget", "timeout", "where"):
        if key in i:
            data[key] = value(i[key])
    if "objectives" in i:
        data["objectives"] = str(i["objectives"]).split(",")
    for key in ("search", "prune"):
        if i.get(key):
            data[key] = {name: value(text) for name, text in group(i, key).items()}
    return data


def group(i: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """`--NAME.KEY=VALUE` flags; `--NAME` alone is an empty group."""
    given = i.get(name) or {}
    if given is True:
        return {}
    if not isinstance(given, Mapping):
        raise ExperimentError(f"--{name}={given} lacks a key", f"--{name}.KEY=VALUE")
    return given


def values(name: str, text: Any) -> list[Any]:
    """`1,2,4` as a list. Raises ExperimentError for an empty one."""
    parts = text if isinstance(text, list | tuple) else str(text).split(",")
    if text is True or not [part for part in parts if str(part).strip()]:
        raise ExperimentError(f"0 points: --explore.{name} has no value", f"--explore.{name}=A,B")
    return [value(part) for part in parts]


def value(text: Any) -> Any:
    """A flag's text as the number or truth value that it spells, else as it is."""
    if not isinstance(text, str):
        return text
    try:
        parsed = json.loads(text.strip())
    except ValueError:
        return text.strip()
    return parsed if isinstance(parsed, bool | int | float) else text.strip()


def refuse_strangers(options: Mapping[str, Any], inputs: Mapping[str, Any], strict: bool) -> None:
    """A mistyped flag of ours or of the script is an error before anything runs.

    Raises:
        ExperimentError: the script has no such option, or the option no such value.
    """
    for name, given in options.items():
        if name in inputs:
            _refuse_value(name, given, inputs[name])
        elif strict:
            near = did_you_mean(name, {*inputs, *CONTROL, *_OWN})
            raise ExperimentError(f"the script has no option {name!r}{near}", "cmr TAGS --help lists its options")


def _refuse_value(name: str, given: Any, known: Any) -> None:
    try:
        known.parse(given)
    except ValueError as error:
        raise ExperimentError(f"{name}={given} {error}", "cmr TAGS --help lists its options") from None
