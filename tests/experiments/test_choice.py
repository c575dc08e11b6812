"""Figures, objectives, the front, the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from experiment_lab import Lab, stored, sweep_over

from cm4bench_experiments import ExperimentError
from cm4bench_experiments.choice import front, is_hopeless
from cm4bench_experiments.figures import Configuration, Objective, configurations, refuse_unknown
from cm4bench_experiments.plot import write_plot
from cm4bench_experiments.replay import judge
from cm4bench_results import Figure


def made(speed: float, threads: int, latency: float = 1.0) -> Configuration:
    values = {"performance": (Figure("throughput", speed, "samples/s"),), "p99": (Figure("p99", latency, "ms"),)}
    return Configuration({"threads": threads}, 1, values)


def objectives(*texts: str) -> list[Objective]:
    return [Objective.parse(text, ["threads"]) for text in texts]


def test_what_is_varied_is_a_cost_and_a_time_is_better_when_shorter():
    some = [made(10, 1), made(19, 2), made(18, 4), made(25, 4)]
    assert [one.settings["threads"] for one in front(some, objectives("performance", "threads"))] == [4, 2, 1]
    fast, slow = made(1, 1, latency=2.0), made(1, 2, latency=9.0)
    assert front([slow, fast], objectives("p99")) == [fast]
    assert front([slow, fast], objectives("p99:max")) == [slow]


def test_a_configuration_without_a_valid_run_is_never_chosen():
    failed = Configuration({"threads": 1}, 0, {}, ("failed: it is too hot",))
    assert front([failed], objectives("threads")) == []
    assert front([failed], objectives("performance")) == []


def test_hopeless_means_worse_by_the_factor_whatever_the_direction():
    (speed,), (latency,) = objectives("performance"), objectives("p99")
    assert is_hopeless(made(10, 1), [made(16, 2)], speed, 1.5)
    assert not is_hopeless(made(10, 1), [made(14, 2)], speed, 1.5)
    assert is_hopeless(made(1, 1, latency=3.2), [made(1, 2, latency=2.0)], latency, 1.5)
    assert not is_hopeless(made(1, 1, latency=2.0), [made(1, 2, latency=3.2)], latency, 1.5)


@pytest.mark.parametrize(
    ("old", "new", "reproduced"),
    [
        ((100.0, 101.0, 99.0), 100.5, True),
        ((100.0, 101.0, 99.0), 80.0, False),
        ((100.0, 30.0, 60.0), 50.0, None),  # so much noise that nothing can be said
        ((100.0,), 100.0, None),
    ],
)
def test_a_replay_is_judged_by_the_noise_of_the_repeats(old: tuple[float, ...], new: float, reproduced: bool | None):
    known, fresh = (
        Configuration({}, 1, {"performance": tuple(Figure("throughput", one, "samples/s") for one in some)})
        for some in (old, (new,))
    )
    done = judge("performance", known, fresh, [known])
    assert done.reproduced is reproduced
    assert "samples/s" in done.words


def test_the_repeats_of_the_point_itself_count_once():
    known, fresh = (
        Configuration({}, 1, {"performance": tuple(Figure("throughput", one, "samples/s") for one in some)})
        for some in ((100.0, 101.0, 99.0), (96.0,))
    )
    assert judge("performance", known, fresh, [known]).reproduced  # 5.0 % by Student; twice as sure it would be 3.2 %


def test_repeats_are_brought_together_by_their_median(tmp_path: Path):
    lab = Lab(tmp_path, lambda i: {"return": 0})
    for repeat, speed in enumerate((10.0, 30.0, 11.0), 1):
        lab.access = _fixed(speed)
        lab.run(sweep_over(grid={"size": [1]}, repeat=repeat))
    (one,) = configurations(lab.experiment.known())
    assert one.runs == 3
    assert one.figure("performance") == Figure("samples per second", 11.0, "samples/s")


def test_an_objective_that_nothing_has_is_named():
    with pytest.raises(ExperimentError, match="did you mean performance"):
        refuse_unknown(objectives("performence"), [made(1, 1)])


def test_a_record_that_is_gone_counts_for_nothing(lab: Lab):
    lab.run(sweep_over(grid={"size": [1]}))
    Path(lab.seen[0][1].records[0]).unlink()
    (one,) = configurations(lab.experiment.known())
    assert one.runs == 0
    assert "cannot be read" in one.causes[0]


def test_the_plot_shows_the_spread_and_claims_nothing_between_two_points(tmp_path: Path):
    values = {"performance": tuple(Figure("throughput", one, "samples/s") for one in (8.0, 10.0, 13.0))}
    some = [Configuration({"threads": 1}, 3, values), made(25, 4)]
    page = write_plot(some, objectives("performance", "threads"), "t", tmp_path / "p.html").read_text()
    assert '"shape":"vh"' in page  # the other way, one thread would seem to reach what four do
    assert '"array":[0.0,3.0]' in page and '"arrayminus":[0.0,2.0]' in page
    assert '"tickvals":[1,4]' in page


def test_hostile_settings_are_text_on_the_page(tmp_path: Path):
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    one = Configuration({"kind": hostile}, 1, {"performance": (Figure(hostile, 1.0, hostile),)})
    page = write_plot([one], objectives("performance"), hostile, tmp_path / "p.html").read_text()
    assert "alert(1)</script>" not in page
    assert "<img src=x" not in page


def _fixed(speed: float) -> Any:
    return lambda i: stored(i, speed)
