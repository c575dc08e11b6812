"""Noise from repeats, comparisons, and how they are said."""

import random

import pytest

from cm4bench_compare import Noise, compare, learn, sentence


def runs(middle: float, sigma: float, count: int, seed: int) -> list[float]:
    made = random.Random(seed)
    return [middle * (1 + made.gauss(0, sigma)) for _ in range(count)]


@pytest.mark.parametrize(("count", "method"), [(5, "Student"), (20, "bootstrap")])
def test_a_real_difference_is_beyond_noise(count: int, method: str) -> None:
    found = compare(runs(100, 0.005, count, 1), runs(104, 0.005, count, 2))
    assert found.method == method
    assert found.verdict == "better"
    assert found.low is not None and found.high is not None and found.low < 0.04 < found.high


@pytest.mark.parametrize("count", [3, 5, 12])
def test_false_alarms_are_about_as_rare_as_promised(count: int) -> None:
    alarms = sum(
        compare(runs(100, 0.02, count, seed), runs(100, 0.02, count, seed + 10_000)).beyond_noise for seed in range(200)
    )
    assert alarms <= 24  # 10 are expected; a binomial exceeds 20 once in a thousand, BCa with few runs a bit more


def test_less_latency_is_better() -> None:
    found = compare(runs(10, 0.005, 5, 1), runs(9, 0.005, 5, 2), higher_is_better=False)
    assert found.verdict == "better"
    assert "lower in latency, so faster" in sentence(found, "new", "ms", "latency")


def test_single_runs_need_noise_from_elsewhere() -> None:
    alone = compare([100.0], [103.0])
    assert (alone.verdict, alone.low) == ("unknown", None)
    assert "may be noise" in sentence(alone)
    noise = learn([runs(50, 0.005, 4, 1), runs(80, 0.005, 4, 2), [7.0]])
    assert noise is not None and noise.degrees <= 6 and noise.groups == 2
    assert compare([100.0], [103.0], noise=noise).verdict == "better"
    assert compare([100.0], [100.4], noise=noise).verdict == "same"


def test_without_repeats_nothing_is_learnt() -> None:
    assert learn([[1.0], [2.0], []]) is None


def test_equal_runs() -> None:
    assert compare([5.0] * 12, [5.0] * 12).verdict == "same"
    assert compare([5.0] * 12, [6.0] * 12).verdict == "better"


@pytest.mark.parametrize("values", [[], [0.0], [-1.0, 2.0], [float("nan")], [float("inf")]])
def test_figures_that_cannot_be_compared(values: list[float]) -> None:
    with pytest.raises(ValueError, match="positive"):
        compare([1.0], values)


def test_words() -> None:
    found = compare(runs(100, 0.005, 5, 1), runs(104.1, 0.005, 5, 2))
    text = sentence(found, "B", "samples/s")
    assert text.startswith("B is 4.") and " % ± 0." in text
    assert text.endswith("faster, beyond noise (95 % confidence, 5 and 5 runs)")
    assert "no difference beyond noise" in sentence(compare(runs(100, 0.02, 5, 1), runs(100, 0.02, 5, 3)))
    slower = compare(runs(100, 0.001, 5, 1), runs(90, 0.001, 5, 2))
    assert " slower, beyond noise" in sentence(slower, "B", "Samples/s")
    watts = compare(runs(100, 0.001, 5, 1), runs(90, 0.001, 5, 2), higher_is_better=False)
    assert "lower in power, which is better" in sentence(watts, "B", "Watts", "power")


def test_a_disturbed_set_of_repeats_does_not_drown_a_quiet_one() -> None:
    quiet, disturbed = [runs(100, 0.004, 3, seed) for seed in range(6)], [[100.0, 180.0, 90.0], [70.0, 30.0, 75.0]]
    noise = learn([*quiet, *disturbed])
    assert noise is not None and noise.sigma < 0.05
    found = compare(runs(100, 0.004, 3, 7), [94.0], noise=noise)
    assert found.beyond_noise


def test_sets_that_vary_alike_count_in_full() -> None:
    noise = learn([runs(100, 0.02, 4, seed) for seed in range(12)])
    assert noise is not None and noise.degrees > 12
    assert noise.sigma == pytest.approx(0.02, rel=0.3)


@pytest.mark.parametrize("sigmas", [(0.01, 0.01), (0.003, 0.03)])
def test_false_alarms_are_rare_where_configurations_differ_in_noise(sigmas: tuple[float, float]) -> None:
    alarms = 0
    for trial in range(200):
        sets = [runs(100, sigmas[at % 2], 3, 1000 * trial + at) for at in range(9)]
        again = runs(100, sigmas[0 if trial % 2 else 1], 4, 1000 * trial + 99)
        alarms += compare(again[:3], again[3:], noise=learn(sets)).beyond_noise
    assert alarms <= 24  # 10 are expected


def test_equal_repeats_have_no_noise() -> None:
    assert learn([[5.0, 5.0], [7.0, 7.0, 7.0]]) == Noise(0.0, 3, 2)
