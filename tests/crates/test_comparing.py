"""When figures agree: by the tolerance given, by the noise of repeats, or by a tolerance that is called assumed."""

from dataclasses import replace
from pathlib import Path

from cm4bench_crates.comparing import compare
from cm4bench_results import (
    Figure,
    Host,
    LoadgenRun,
    Quality,
    Request,
    ResultRecord,
    Subject,
    Validity,
)
from cm4bench_results.store import StoredRecord


def stored(value: float, quality: float = 90.0, **changes: object) -> StoredRecord:
    run = LoadgenRun("performance", Validity(True), figures=(Figure("samples per second", value, "samples/s"),))
    subject = Subject("image classification", "net", "Offline", "pytorch", "cpu", "fp32")
    record = ResultRecord(
        f"run-{value}/offline", "2026-01-31T09:30:05Z", Request(), subject, "embedded", "open", Host(), (run,),
        Quality("accuracy", quality, "%", 20),
    )  # fmt: skip
    return StoredRecord(replace(record, **changes), Path("result.json"))  # type: ignore[arg-type]


STEADY = [stored(value) for value in (100.0, 100.4, 99.7, 100.2, 99.9)]


def test_a_steady_figure_does_not_move_by_five_percent():
    found = compare(STEADY[:1], STEADY[1:], [stored(95.0)], None)
    assert not found.agrees
    assert "differs: 5 runs then and 1 here" in str(found.verdicts[0])


def test_a_value_within_the_noise_agrees():
    assert compare(STEADY[:1], STEADY[1:], [stored(100.3)], None).agrees


def test_without_repeats_the_tolerance_is_called_assumed():
    found = compare([stored(100.0)], [], [stored(95.0)], None)
    assert found.agrees
    assert "is assumed" in found.verdicts[0].reason
    assert not compare([stored(100.0)], [], [stored(80.0)], None).agrees


def test_a_given_tolerance_goes_over_both():
    assert compare(STEADY[:1], STEADY[1:], [stored(95.0)], 0.06).agrees
    assert not compare([stored(100.0)], [], [stored(95.0)], 0.01).agrees


def test_worse_quality_is_no_reproduction():
    assert not compare([stored(100.0)], [], [stored(100.0, quality=85.0)], None).agrees


def test_another_model_is_not_the_result():
    other = replace(stored(1.0).record.subject, model="other")
    found = compare([stored(100.0)], [], [stored(100.0, subject=other)], None)
    assert found.missing == ("net Offline",)
    assert not found.agrees


def test_an_invalid_run_reproduces_nothing():
    bad = LoadgenRun(
        "performance", Validity(False, ("too short",)), figures=(Figure("samples per second", 100.0, "samples/s"),)
    )
    found = compare([stored(100.0)], [], [stored(100.0, runs=(bad,))], None)
    assert found.doubts == ("net Offline is not valid here: performance: too short",)
    assert not found.agrees
