"""Changes of level in a history."""

import random

import pytest

from cm4bench_compare import detect


def history(*levels: tuple[float, int], sigma: float = 0.01, seed: int = 1) -> list[float]:
    made = random.Random(seed)
    return [level * (1 + made.gauss(0, sigma)) for level, count in levels for _ in range(count)]


def test_a_planted_slowdown_is_found_where_it_is() -> None:
    (found,) = detect(history((100, 12), (90, 12)))
    assert found.index == 12
    assert found.change == pytest.approx(-0.1, abs=0.02)
    assert found.p is not None and found.p < 0.001


def test_several_changes() -> None:
    assert [one.index for one in detect(history((100, 15), (92, 15), (110, 15)))] == [15, 30]


def test_quiet_histories_give_hardly_an_alarm() -> None:
    alarms = sum(any(not one.newest for one in detect(history((100, 40), seed=seed))) for seed in range(100))
    assert alarms <= 5


def test_the_newest_value_alone_is_suspect() -> None:
    (found,) = detect([*history((100, 12)), 80.0])
    assert found.newest and found.index == 12 and found.p is None


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0], [5.0] * 20])
def test_nothing_to_find(values: list[float]) -> None:
    assert detect(values) == []


def test_exact_steps_without_any_noise() -> None:
    assert [one.index for one in detect([5.0] * 6 + [4.0] * 6)] == [6]


def test_a_change_too_small_to_matter() -> None:
    assert detect(history((100, 50), (100.2, 50), sigma=0.0001)) == []


def test_zero_is_no_figure() -> None:
    with pytest.raises(ValueError, match="positive"):
        detect([1.0, 0.0, 1.0, 1.0])
