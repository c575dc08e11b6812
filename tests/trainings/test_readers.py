"""Finding trainings, reading their course, and what several say together."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from cm4bench_trainings import TrainingError, find
from cm4bench_trainings.series import Line, course, first_reached, monitored, thinned
from cm4bench_trainings.spread import groups, summary
from cm4bench_trainings.table import table
from trainer import curve

from .made import changed, failed, training


def test_all_trainings_below_a_folder(tmp_path: Path) -> None:
    training(tmp_path / "a" / "run_0")
    training(tmp_path / "a" / "run_1", seed=1)
    training(tmp_path / "b" / "deeper" / "run_0")
    found = find(tmp_path)
    assert [one.name for one in found.trainings] == ["a/run_0", "a/run_1", "b/deeper/run_0"]
    assert not found.broken


def test_the_folder_of_a_run_itself(tmp_path: Path) -> None:
    training(tmp_path / "a" / "run_0")
    assert [one.name for one in find(tmp_path / "a" / "run_0").trainings] == ["a/run_0"]


def test_broken_results_are_named_and_the_others_read(tmp_path: Path) -> None:
    training(tmp_path / "good" / "run_0")
    for name, content in {
        "cut": b'{"schema": "cm4bench-training/1", "bench',
        "later": b'{"schema": "cm4bench-training/2"}',
        "foreign": b"{}",
    }.items():
        training(tmp_path / name / "run_0")
        (tmp_path / name / "run_0" / "result.json").write_bytes(content)
    training(tmp_path / "running" / "run_0")
    (tmp_path / "running" / "run_0" / "result.json").unlink()
    changed_schema = tmp_path / "schema" / "run_0"
    training(changed_schema)
    changed(changed_schema, schema="cm4bench-training/9")
    found = find(tmp_path)
    assert [one.name for one in found.trainings] == ["good/run_0"]
    reasons = {Path(one.path).parent.name: one.reason for one in found.broken}
    assert set(reasons) == {"cut", "later", "foreign", "running", "schema"}
    assert "still running" in reasons["running"] and "these readers know" in reasons["schema"]


def test_results_of_inference_are_not_ours(tmp_path: Path) -> None:
    training(tmp_path / "a" / "run_0")
    (tmp_path / "b" / "offline").mkdir(parents=True)
    (tmp_path / "b" / "offline" / "result.json").write_text('{"schema_version": 1}')
    found = find(tmp_path)
    assert len(found.trainings) == 1 and not found.broken


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_nothing_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match=r"there is no folder|no training in"):
        find(tmp_path / name)


def test_a_loop_of_links_has_an_end(tmp_path: Path) -> None:
    training(tmp_path / "a" / "run_0")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert len(find(tmp_path).trainings) == 1


def test_the_course_is_the_one_that_the_harness_reads(tmp_path: Path) -> None:
    training(tmp_path / "run_0")
    with (tmp_path / "run_0" / "curve.jsonl").open("a") as file:
        # a resume from the second epoch on, cut off in the end
        for step, loss in ((9, 9.0), (10, 8.0)):
            file.write(json.dumps({"seconds": step, "epoch": 2, "step": step, "samples": 1, "loss": loss}) + "\n")
        file.write('{"seconds": 3')
    points = curve.read(tmp_path / "run_0" / "curve.jsonl")
    found = course(tmp_path / "run_0")
    assert found.loss.y == tuple(point.loss for point in points if point.loss is not None)
    assert found.loss.y[-2:] == (9.0, 8.0)
    assert found.quality.y == tuple(point.quality for point in points if point.quality is not None) == (0.5, 0.8)


@pytest.mark.parametrize(
    ("target", "higher", "expected"),
    [(0.8, True, (2, 5.0)), (0.97, True, (3, 7.5)), (0.99, True, None), (0.5, False, (1, 2.5)), (0.4, False, None)],
)
def test_when_the_target_was_first_reached(
    tmp_path: Path, target: float, higher: bool, expected: tuple[int, float] | None
) -> None:
    training(tmp_path / "run_0")
    assert first_reached(course(tmp_path / "run_0"), target, higher) == expected


def test_rubbish_in_the_files_is_passed_over(tmp_path: Path) -> None:
    training(tmp_path / "run_0")
    (tmp_path / "run_0" / "curve.jsonl").write_bytes(b'[]\n{"seconds": "x"}\n\xff\0\n{"seconds": 1, "step": null}\n')
    (tmp_path / "run_0" / "monitor.csv").write_bytes(b"unix,watts\n\0\xff\n1,nan\n2,inf\n3,7,8\n")
    assert not course(tmp_path / "run_0").loss
    assert monitored(tmp_path / "run_0") == {"watts": Line((2.0,), (7.0,))}
    assert monitored(tmp_path / "nowhere") == {}


def test_long_lines_are_thinned_to_their_ends() -> None:
    line = Line(tuple(map(float, range(100_000))), tuple(map(float, range(100_000))))
    kept = thinned(line, 500)
    assert len(kept.x) <= 501 and (kept.x[0], kept.x[-1]) == (0, 99_999)
    assert thinned(Line()) == Line()


@pytest.mark.parametrize("count", [2, 3, 10, 30, 31, 60])
def test_statistics_equal_numpy_and_scipy(count: int) -> None:
    values = np.random.default_rng(count).normal(10, 2, count)
    found = summary("x", "s", list(values))
    assert found is not None and found.count == count
    assert found.mean == pytest.approx(values.mean()) and found.median == pytest.approx(np.median(values))
    assert found.deviation == pytest.approx(values.std(ddof=1))
    assert (found.minimum, found.maximum) == (values.min(), values.max())
    low, high = scipy.stats.t.interval(0.95, count - 1, values.mean(), scipy.stats.sem(values))
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3))


def test_one_value_has_no_interval_and_none_no_summary() -> None:
    found = summary("x", "s", [3.0])
    assert found is not None and found.low is found.deviation is None
    assert summary("x", "s", []) is None


def test_seeds_of_one_configuration_belong_together(tmp_path: Path) -> None:
    for seed in range(3):
        training(tmp_path / "a" / f"run_{seed}", seed)
    other = training(tmp_path / "b" / "run_0")
    changed(tmp_path / "b" / "run_0", software={**other.software, "torch": "2.14.0"})
    first, second = groups(find(tmp_path).trainings)
    assert (len(first.trainings), len(second.trainings)) == (3, 1), "another torch is another configuration"
    times = next(one for one in first.summaries if one.figure == "time to train")
    assert (times.mean, times.count) == (11.0, 3)


def test_what_failed_counts_for_no_statistics(tmp_path: Path) -> None:
    training(tmp_path / "a" / "run_0")
    failed(tmp_path / "a" / "run_1", 1)
    (group,) = groups(find(tmp_path).trainings)
    assert {one.figure: one.count for one in group.summaries}["time to train"] == 1


def test_a_table_has_no_number_that_was_not_measured(tmp_path: Path) -> None:
    training(tmp_path / "run_0")
    failed(tmp_path / "run_1", 1)
    good, bad = table(find(tmp_path).trainings).dicts()
    assert good["energy_j"] is good["gpu_util_percent"] is good["mean_w"] is None
    assert good["converged_in_epoch"] == 3 and math.isclose(good["model_mb"], 0.312)
    assert bad["valid"] is False and bad["quality"] is bad["time_to_train_s"] is None
    assert bad["why_not"] == "failed (diverged): the loss is nan at step 7 (epoch 0)"
