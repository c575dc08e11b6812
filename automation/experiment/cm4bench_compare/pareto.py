"""Pareto fronts over any objectives, and the knee of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Better = Literal["higher", "lower"]
Point = Sequence[float | None]


def front(points: Sequence[Point], better: Sequence[Better]) -> list[int]:
    """Positions of the points that no other point dominates, in their order.

    A point dominates another if it is nowhere worse and somewhere better; equal points stay together. Points with a
    missing or endless coordinate take no part.

    Raises:
        ValueError: a point has not one coordinate per objective.
    """
    costs = {at: cost for at, point in enumerate(points) if (cost := _cost(point, better)) is not None}
    ordered = sorted(costs, key=lambda at: costs[at])
    chosen = _sweep(ordered, costs) if len(better) <= 2 else _cull(ordered, costs)
    return sorted(chosen)


def knee(points: Sequence[Point], better: Sequence[Better]) -> int | None:
    """Position of the front's best compromise; None without a front.

    For two objectives it is the point farthest from the line between the front's ends (Das, 1999); for more it is the
    point closest to the ideal one, each objective scaled to the front's range (Zeleny, 1973).
    """
    members = front(points, better)
    if not members:
        return None
    scaled = _scaled([_cost(points[at], better) or () for at in members])
    if len(better) == 2 and len(members) > 2:
        gains = [1 - sum(one) for one in scaled]  # distance below the line from (0, 1) to (1, 0)
    else:
        gains = [-math.hypot(*one) for one in scaled]
    return members[max(range(len(members)), key=lambda at: gains[at])]


_Cost = tuple[float, ...]


def _cost(point: Point, better: Sequence[Better]) -> _Cost | None:
    """The point with all objectives to be made small."""
    if len(point) != len(better):
        raise ValueError(f"{len(better)} objectives need as many coordinates, not {len(point)}")
    cost: list[float] = []
    for value, way in zip(point, better, strict=True):
        if value is None or not math.isfinite(value):
            return None
        cost.append(-value if way == "higher" else value)
    return tuple(cost)


def _sweep(ordered: list[int], costs: dict[int, _Cost]) -> list[int]:
    """One or two objectives, sorted by the first: a point survives if its second beats all before it."""
    chosen: list[int] = []
    for at in ordered:
        if not chosen or costs[at] == costs[chosen[-1]] or costs[at][-1] < costs[chosen[-1]][-1]:
            chosen.append(at)
    return chosen


def _cull(ordered: list[int], costs: dict[int, _Cost]) -> list[int]:
    """Any number of objectives: in sorted order only points that were kept can dominate."""
    chosen: list[int] = []
    for at in ordered:
        if not any(_dominates(costs[kept], costs[at]) for kept in chosen):
            chosen.append(at)
    return chosen


def _dominates(one: _Cost, other: _Cost) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _scaled(costs: list[_Cost]) -> list[_Cost]:
    lows = [min(column) for column in zip(*costs, strict=True)]
    spans = [max(column) - min(column) or 1.0 for column in zip(*costs, strict=True)]
    return [tuple((value - low) / span for value, low, span in zip(one, lows, spans, strict=True)) for one in costs]
