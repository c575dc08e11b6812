"""Fronts and knees, against their definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cm4bench_compare import front, knee

COORDINATE = some.one_of(some.integers(-4, 4).map(float), some.floats(-1e6, 1e6), some.none())
WAYS = some.sampled_from(["higher", "lower"])


@some.composite
def clouds(draw):
    ways = draw(some.lists(WAYS, min_size=1, max_size=4))
    return draw(some.lists(some.tuples(*[COORDINATE] * len(ways)), max_size=30)), ways


def dominates(one, other, ways) -> bool:
    signed = [(a, b) if way == "lower" else (-a, -b) for a, b, way in zip(one, other, ways, strict=True)]
    return all(a <= b for a, b in signed) and any(a < b for a, b in signed)


@given(clouds())
def test_the_front_is_what_nothing_dominates(cloud) -> None:
    points, ways = cloud
    whole = [at for at, point in enumerate(points) if None not in point]
    wanted = [at for at in whole if not any(dominates(points[other], points[at], ways) for other in whole)]
    assert front(points, ways) == wanted


@given(clouds())
def test_the_knee_is_on_the_front(cloud) -> None:
    points, ways = cloud
    members = front(points, ways)
    chosen = knee(points, ways)
    assert (chosen in members) if members else chosen is None


def test_a_visible_knee() -> None:
    points = [(1.0, 100.0), (9.0, 99.0), (10.0, 90.0), (10.5, 50.0), (5.0, 5.0)]
    assert front(points, ["higher", "higher"]) == [0, 1, 2, 3]
    assert knee(points, ["higher", "higher"]) == 1


def test_points_that_are_no_numbers_take_no_part() -> None:
    assert front([(float("nan"), 1.0), (1.0, 1.0), (float("inf"), 0.0)], ["higher", "lower"]) == [1]


def test_wrong_number_of_coordinates() -> None:
    with pytest.raises(ValueError, match="objectives"):
        front([(1.0,)], ["higher", "lower"])
