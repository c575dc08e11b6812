"""MLPerf's score, and what it says of too few, too many and failed runs."""

import pytest

from trainer import olympic, rulesets

RESNET, UNET3D = rulesets.of("resnet"), rulesets.of("unet3d")


def test_best_and_worst_do_not_count() -> None:
    found = olympic.score([50.0, 10.0, 30.0, 20.0, 40.0], RESNET)
    assert (found.seconds, found.counted, found.left_out) == (30.0, (20.0, 30.0, 40.0), (10.0, 50.0))
    assert found.is_official


def test_forty_runs_of_unet3d_leave_four_out_at_each_end() -> None:
    found = olympic.score([float(one) for one in range(40)], UNET3D)
    assert (len(found.counted), found.seconds) == (32, pytest.approx(19.5))


def test_a_failed_run_counts_as_the_slowest() -> None:
    found = olympic.score([10.0, 20.0, None, 30.0, 40.0], RESNET)
    assert (found.seconds, found.is_official) == (30.0, True)


def test_two_failed_runs_leave_no_score() -> None:
    found = olympic.score([10.0, None, None, 30.0, 40.0], RESNET)
    assert (found.seconds, found.is_official) == (None, False)
    assert "2 of 5 runs did not reach the target" in found.why_not


def test_few_runs_give_a_mean_that_says_so() -> None:
    found = olympic.score([10.0, 20.0], RESNET)
    assert (found.seconds, found.is_official) == (15.0, False)
    assert found.why_not == "2 of 5 runs: a plain mean, nothing left out"


def test_few_runs_of_which_one_failed_give_nothing() -> None:
    assert olympic.score([10.0, None], RESNET).seconds is None
    assert olympic.score([], RESNET).why_not == "no runs"


def test_too_many_runs_are_not_official() -> None:
    found = olympic.score([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], RESNET)
    assert not found.is_official and "exactly 5" in found.why_not


def test_the_same_as_upstreams() -> None:
    summarizer = pytest.importorskip("mlperf_logging.result_summarizer.result_summarizer")
    times = [float(7 * one % 13) for one in range(1, 6)]
    assert olympic.score(times, RESNET).seconds == pytest.approx(summarizer._compute_olympic_average(list(times), 0, 1))
    assert olympic.score([*times[:4], None], RESNET).seconds == pytest.approx(
        summarizer._compute_olympic_average(times[:4], 1, 1)
    )
