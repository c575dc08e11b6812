"""Sweeps from flags and files: one typed value, or an error that names the mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cm4bench_experiments import ExperimentError, make_sweep
from cm4bench_experiments.flags import sweep_of

GOOD: dict[str, Any] = {"run": "a,b", "grid": {"size": [1, 2], "kind": ["x", "y"]}}


def test_flags_and_file_mean_the_same_sweep(tmp_path: Path):
    file = tmp_path / "sweep.yaml"
    file.write_text(
        "tags: a,b,_c\noptions: {min_duration: 1000}\ngrid: {size: [1, 2], kind: [x, y]}\nrepeat: 3\n"
        "where: size < 2 or kind == 'x'\nbudget: 10m\nobjectives: [performance, size]\nsearch: {trials: 5}\n"
    )
    flags = {
        **{"action": "run", "tags": "a,b,_c", "out": "con", "min_duration": "1000", "repeat": "3", "budget": "10m"},
        **{"explore": {"size": "1,2", "kind": "x,y"}, "where": "size < 2 or kind == 'x'", "search": {"trials": "5"}},
        **{"objectives": "performance,size", "dir": "x", "yes": True},
    }
    assert sweep_of({"sweep": str(file)}) == sweep_of(flags)


def test_flags_go_over_the_file(tmp_path: Path):
    file = tmp_path / "sweep.yaml"
    file.write_text("run: a,b\ngrid: {size: [1, 2]}\nrepeat: 3\n")
    sweep = sweep_of({"sweep": str(file), "repeat": "5", "explore": {"size": "7"}})
    assert (sweep.repeat, sweep.grid) == (5, {"size": (7,)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"repeats": 3}, "did you mean repeat"),
        ({"lst": []}, "did you mean list"),
        ({"search": {"trails": 3}}, "did you mean trials"),
        ({"repeat": "often"}, "repeat"),
        ({"repeat": 0}, "at least 1"),
        ({"search": {"trials": 0}}, "at least 1"),
        ({"prune": {"worse_than": 0.5}}, "at least 1"),
        ({"grid": {"size": []}}, "0 points"),
        ({"grid": {}}, "varies nothing"),
        ({"grid": {"size": [{"a": 1}]}}, "grid"),
        ({"run": " "}, "names no script"),
        ({"options": {"size": 1}}, "both fixed and varied"),
        ({"budget": "soon"}, "is no time"),
        ({"timeout": "0"}, "is no time"),
        ({"where": "sizze > 1"}, "did you mean size"),
        ({"objectives": ["performance:most"]}, "neither min nor max"),
        ({"where": "size >"}, "is no expression"),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], words: str):
    with pytest.raises(ExperimentError) as refused:
        make_sweep({**GOOD, **change})
    assert words in refused.value.cause
    assert refused.value.hint


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "\x00"])
def test_a_file_that_is_no_sweep_is_named(tmp_path: Path, text: str):
    (tmp_path / "sweep.yaml").write_text(text)
    with pytest.raises(ExperimentError, match=r"sweep\.yaml"):
        sweep_of({"sweep": str(tmp_path / "sweep.yaml")})


def test_an_empty_value_of_a_flag_is_zero_points():
    with pytest.raises(ExperimentError, match="0 points"):
        sweep_of({"tags": "a,b", "explore": {"size": ""}})


def test_limits_do_not_make_another_sweep():
    assert make_sweep(GOOD).digest() == make_sweep({**GOOD, "budget": "10m", "timeout": "5m"}).digest()
    assert make_sweep(GOOD).digest() != make_sweep({**GOOD, "repeat": 2}).digest()
