"""A sweep as one typed value: what is run, what is varied, and how far it may go.

The same value comes from flags (`flags.py`), from a YAML file and from an experiment's own ``sweep.json``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from cm4bench_experiments.errors import ExperimentError, did_you_mean

Scalar = bool | int | float | str
Settings = dict[str, Scalar]
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Names of YAML keys where they are not those of the fields.
_SPELLED = {"list": "points", "tags": "run"}


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Let Optuna choose the points of the grid: ``trials`` of them, the objectives as its goals."""

    trials: int = 20
    sampler: Literal["tpe", "random", "nsga2"] = "tpe"
    seed: int = 0


class Prune(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No more repeats of what is hopeless.

    A configuration is given up once it ran ``after`` times and its first objective is ``worse_than`` times worse than
    the best one's.
    """

    after: int = 1
    worse_than: float = 1.5


class Sweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An experiment. ``run`` are the tags of a script, ``options`` its flags, the same at every point.

    ``grid`` is multiplied out, ``points`` are added as they are, ``where`` are conditions that all must hold.
    ``budget`` and ``timeout`` (per point) are times such as 90, 10m or 2h.
    """

    run: str
    options: Settings = {}
    env: dict[str, str] = {}
    grid: dict[str, tuple[Scalar, ...]] = {}
    points: tuple[Settings, ...] = ()
    where: tuple[str, ...] = ()
    repeat: int = 1
    budget: str = ""
    timeout: str = "1h"
    objectives: tuple[str, ...] = ("performance",)
    search: Search | None = None
    prune: Prune | None = None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What is varied, in the order it was given."""
        return tuple(dict.fromkeys([*self.grid, *(name for point in self.points for name in point)]))

    @property
    def budget_s(self) -> float | None:
        """Seconds that one command may take; None without a limit."""
        return seconds(self.budget) if self.budget else None

    @property
    def timeout_s(self) -> float:
        """Seconds after which a point is ended."""
        return seconds(self.timeout)

    def subject(self) -> Sweep:
        """The part that must stay the same when an experiment goes on: not its points, not its limits."""
        return Sweep(self.run, self.options, self.env)

    def digest(self) -> str:
        """Eight hex digits that tell sweeps apart; limits do not count."""
        unlimited = msgspec.structs.replace(self, budget="", timeout="1h")
        return hashlib.sha256(msgspec.json.encode(unlimited, order="deterministic")).hexdigest()[:8]


def seconds(text: str | float) -> float:
    """`90`, `90s`, `10m`, `2h`, `1d` in seconds. Raises ExperimentError for anything else, and for 0."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", str(text).strip().lower())
    if not match or float(match[1]) == 0:
        raise ExperimentError(f"{text!r} is no time", "write 90s, 10m or 2h")
    return float(match[1]) * _UNITS_S[match[2] or "s"]


def read_sweep(path: Path) -> dict[str, Any]:
    """The keys of a YAML or JSON file under the names of the fields; not validated yet.

    Raises:
        ExperimentError: the file cannot be read, or is no mapping.
    """
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise ExperimentError(
            f"{path} cannot be read: {reason}", "--sweep=FILE.yaml, see docs/experiments.md"
        ) from None
    if not isinstance(data, Mapping):
        raise ExperimentError(f"{path} is no mapping of keys", "see docs/experiments.md for its form")
    return {_SPELLED.get(str(key), str(key)): value for key, value in data.items()}


def make_sweep(data: Mapping[str, Any], origin: str = "the sweep") -> Sweep:
    """Validate what was read.

    Raises:
        ExperimentError: an unknown key, a value of the wrong type or out of range, nothing to vary.
    """
    _refuse_unknown(data, Sweep, origin)
    for key, kind in (("search", Search), ("prune", Prune)):
        if isinstance(data.get(key), Mapping):
            _refuse_unknown(data[key], kind, f"{origin}, {key}")
    listed = {key: _as_list(data[key]) for key in ("where", "objectives") if key in data}
    texts = {key: str(data[key]) for key in ("budget", "timeout") if key in data}
    grid = {"grid": {k: _as_list(v) for k, v in data["grid"].items()}} if isinstance(data.get("grid"), Mapping) else {}
    try:
        sweep = msgspec.convert({**data, **listed, **texts, **grid}, Sweep)
    except msgspec.ValidationError as error:
        raise ExperimentError(f"{origin}: {error}", "see docs/experiments.md for its form") from None
    _check(sweep, origin)
    return sweep


def _as_list(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else [value]


def _refuse_unknown(data: Mapping[str, Any], kind: type[msgspec.Struct], origin: str) -> None:
    known = [field.name for field in msgspec.structs.fields(kind)]
    spelled = {**{name: name for name in known}, **{new: old for old, new in _SPELLED.items() if old == "list"}}
    for key in data:
        if key not in known:
            names = spelled.values()
            raise ExperimentError(f"{origin} has an unknown key {key!r}{did_you_mean(key, names)}", _keys(names))


def _keys(names: Any) -> str:
    return f"keys are {', '.join(sorted(names))}"


def _check(sweep: Sweep, origin: str) -> None:
    from cm4bench_experiments.conditions import check_conditions
    from cm4bench_experiments.figures import Objective

    if not sweep.run.strip():
        raise ExperimentError(f"{origin} names no script", "--tags=run,mlperf,inference,_performance-only,_offline")
    if not sweep.dimensions:
        raise ExperimentError(f"{origin} varies nothing", "--explore.batch_size=1,2,4,8")
    empty = [name for name, values in sweep.grid.items() if not values or "" in values]
    if empty:
        raise ExperimentError(f"0 points: {empty[0]} has no value, or an empty one", f"--explore.{empty[0]}=A,B")
    counts = {"repeat": sweep.repeat, "search.trials": sweep.search.trials if sweep.search else 1}
    counts["prune.after"] = sweep.prune.after if sweep.prune else 1
    for name, value in counts.items():
        if value < 1:
            raise ExperimentError(f"{origin}: {name} is {value}, and must be at least 1", f"--{name}=1")
    if sweep.prune and sweep.prune.worse_than < 1:
        raise ExperimentError(f"{origin}: prune.worse_than must be at least 1", "--prune.worse_than=1.5")
    clash = sorted(set(sweep.options) & set(sweep.dimensions))
    if clash:
        raise ExperimentError(f"{clash[0]} is both fixed and varied", f"leave out --{clash[0]} or --explore.{clash[0]}")
    check_conditions(sweep.where, sweep.dimensions)
    for text in sweep.objectives:
        Objective.parse(text, sweep.dimensions)
    _ = sweep.budget_s, sweep.timeout_s
