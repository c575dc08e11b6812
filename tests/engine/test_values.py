"""The engine's value types behave as `typing.NamedTuple`, which type checkers take them for."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from cm4bench.values import NamedTuple


class Point(NamedTuple):
    """A place."""

    x: int
    y: int = 2
    name: str = ""

    @property
    def sum(self) -> int:
        return self.x + self.y


def test_items_by_place_by_name_and_by_default() -> None:
    assert Point(1) == Point(1, 2, "") == Point(x=1, name="") == (1, 2, "")
    assert Point(4, name="b").name == "b" and Point(4).sum == 6
    x, y, name = Point(5, 6, "c")
    assert (x, y, name) == (5, 6, "c")


@pytest.mark.parametrize(("given", "named", "word"), [((), {}, "lacks x"), ((1, 2, "", 4), {}, "no place for 4")])
def test_missing_and_superfluous_items_are_refused(given: Any, named: Any, word: str) -> None:
    with pytest.raises(TypeError, match=word):
        Point(*given, **named)


@pytest.mark.parametrize("named", [{"z": 1}, {"x": 1}])
def test_unknown_and_repeated_names_are_refused(named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"no place for {next(iter(named))}"):
        Point(1, **named)


def test_a_value_does_not_change_but_makes_changed_copies() -> None:
    point = Point(1)
    with pytest.raises(AttributeError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        point.other = 2  # type: ignore[attr-defined]
    assert point._replace(y=9) == Point(1, 9) and point == Point(1)
    with pytest.raises(TypeError, match="no place for z"):
        point._replace(z=1)  # type: ignore[call-arg]


def test_it_is_hashed_written_and_sent_like_a_tuple() -> None:
    point = Point(1)
    assert {point: "here"}[Point(1)] == "here"
    assert json.dumps(point) == '[1, 2, ""]'
    copy = pickle.loads(pickle.dumps(point))
    assert copy == point and type(copy) is Point
    assert repr(point) == "Point(x=1, y=2, name='')"
    assert point._asdict() == {"x": 1, "y": 2, "name": ""} and Point._make([3]) == Point(3)
