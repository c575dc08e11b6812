"""The points of a sweep."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from experiment_lab import sweep_over

from cm4bench_experiments import Experiment, ExperimentError, Point, configurations, count, points
from cm4bench_experiments.view import plan_lines


def test_grid_list_and_conditions_make_the_points_each_once():
    sweep = sweep_over(
        grid={"size": [1, 2, 2], "kind": ["a", "b"]},
        points=[{"size": 9, "kind": "a"}, {"size": 1, "kind": "a"}],
        where=["not (size == 2 and kind == 'b')"],
    )
    found = [(one["size"], one["kind"]) for one in configurations(sweep)]
    assert found == [(1, "a"), (1, "b"), (2, "a"), (9, "a")]
    assert count(sweep) == 4


def test_a_condition_on_what_a_listed_point_does_not_set_holds():
    sweep = sweep_over(points=[{"kind": "b"}], where=["size < 2"])
    assert list(configurations(sweep)) == [{"size": 1}, {"kind": "b"}]


def test_every_configuration_runs_once_before_any_runs_twice():
    order = [(point.settings["size"], point.repeat) for point in points(sweep_over(repeat=2))]
    assert order == [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2)]


def test_a_million_points_are_counted_and_shown_without_being_made():
    values = list(range(1000))
    sweep = sweep_over(grid={"size": values, "more": values}, where=["size >= 0"])
    assert count(sweep) == 10**6
    text = "\n".join(plan_lines(sweep, None))
    assert "1,000,000 points" in text
    assert "warning" in text
    assert len(list(itertools.islice(points(sweep), 5))) == 5


def test_conditions_may_rule_out_everything():
    assert count(sweep_over(where=["size > 5"])) == 0


def test_a_condition_cannot_reach_python():
    sweep = sweep_over(grid={"size": ["x"]}, where=["size.__class__.__mro__[1].__subclasses__()"])
    with pytest.raises(ExperimentError, match="fails at"):
        list(points(sweep))


def test_a_condition_that_cannot_be_evaluated_is_named():
    with pytest.raises(ExperimentError, match="size < 3"):
        count(sweep_over(grid={"size": ["x"], "kind": [1]}, where=["size < 3"]))


@pytest.mark.parametrize("hostile", ["../../up", "/etc/passwd", "a\nb", "..", "<script>", "x" * 500])
def test_folders_stay_inside_whatever_is_varied(tmp_path: Path, hostile: str):
    folder = Experiment(tmp_path).point(Point({"kind": hostile})).path
    assert folder.parent == tmp_path / "points"
    assert len(folder.name) < 100
