"""The points of a sweep: a pure function of it, and lazy: a million of them cost nothing until they are asked for."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Iterator

import msgspec

from cm4bench_experiments.conditions import holds
from cm4bench_experiments.sweep import Settings, Sweep

# More than this many runs are hardly meant: they must be confirmed.
MANY = 1000


class Point(msgspec.Struct, frozen=True):
    """One run: what is set, and the how-manieth time (from 1)."""

    settings: Settings
    repeat: int = 1

    @property
    def key(self) -> str:
        """Tells configurations apart; the same for all repeats."""
        text = msgspec.json.encode(self.settings, order="deterministic")
        return hashlib.sha256(text).hexdigest()[:8]

    @property
    def name(self) -> str:
        """The name of its folder: readable, and unique by its key."""
        words = "-".join(str(value) for value in self.settings.values())
        slug = re.sub(r"[^A-Za-z0-9.]+", "-", words).strip("-.")[:60]
        return f"{slug}-{self.key}-r{self.repeat}"


def points(sweep: Sweep) -> Iterator[Point]:
    """All points: every configuration once, then every one a second time, so that a drift hits all alike."""
    for repeat in range(1, sweep.repeat + 1):
        for settings in configurations(sweep):
            yield Point(settings, repeat)


def configurations(sweep: Sweep) -> Iterator[Settings]:
    """The grid multiplied out, then the listed points; none twice, and only those for which all conditions hold."""
    seen: set[str] = set()
    for settings in itertools.chain(_grid(sweep), sweep.points):
        key = Point(settings).key
        if key not in seen and holds(sweep.where, settings):
            seen.add(key)
            yield settings


def at_most(sweep: Sweep) -> int:
    """How many points there are before the conditions; a search has its trials."""
    if sweep.search:
        return sweep.search.trials * sweep.repeat
    grid = math.prod(len(values) for values in sweep.grid.values()) if sweep.grid else 0
    return (grid + len(sweep.points)) * sweep.repeat


def count(sweep: Sweep) -> int:
    """How many points there are; counted one by one only where conditions thin out a plan of a sane size."""
    if sweep.search or (not sweep.where and _all_differ(sweep)) or at_most(sweep) > 100 * MANY:
        return at_most(sweep)
    return sum(1 for _ in configurations(sweep)) * sweep.repeat


def _all_differ(sweep: Sweep) -> bool:
    return not sweep.points and all(len(set(map(repr, values))) == len(values) for values in sweep.grid.values())


def _grid(sweep: Sweep) -> Iterator[Settings]:
    if sweep.grid:
        for values in itertools.product(*sweep.grid.values()):
            yield dict(zip(sweep.grid, values, strict=True))
