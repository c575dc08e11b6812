"""The closing table and the labels a result carries."""

from __future__ import annotations

import io
import os
import pty
from dataclasses import replace

from samples import OK, device, performance, record

from cm4bench_results import LoadgenRun, Quality, Validity
from cm4bench_results.stamp import stamps, verdict
from cm4bench_results.table import accuracy_cell, number, print_table, row_of


def test_a_row_shows_metric_unit_target_tier_and_device() -> None:
    row = row_of(record())
    assert row.result == "41.25 samples/s (samples per second)"
    assert row.accuracy == "top-1 90 % (18/20), target 90: passed"
    assert row.validity == "VALID; demonstration, not submittable"
    assert (row.tier, row.device) == ("embedded", "cpu fp32")


def test_accuracy_below_target_makes_the_result_invalid() -> None:
    low = record(quality=Quality("top-1", 85.0, "%", 20, 17, 90.0))
    assert "FAILED" in accuracy_cell(low)
    assert verdict(low) == Validity(False, ("top-1 85 is below its target 90 %",))


def test_a_run_that_loadgen_refused_is_invalid_with_its_reason() -> None:
    refused = record(runs=(performance(validity=Validity(False, ("min duration not met",))),))
    assert row_of(refused).validity.startswith("INVALID; ")
    assert verdict(refused).reasons == ("performance: min duration not met",)


def test_doubt_about_the_device_is_stamped_and_invalidates() -> None:
    doubtful = record(
        runs=(performance(device=device(valid=False)), LoadgenRun("accuracy", OK, device=device(valid=False)))
    )
    assert stamps(doubtful)[0] == "SUSPECT"
    assert verdict(doubtful).reasons == ("the GPU was throttled: SW thermal slowdown",)


def test_only_a_full_run_of_full_length_goes_without_stamps() -> None:
    assert stamps(record(tier="full", division="closed candidate")) == ()
    assert stamps(record(tier="synthetic")) == ("demonstration, not submittable", "synthetic")


def test_nothing_ran_is_not_valid() -> None:
    assert verdict(record(runs=(), quality=None)) == Validity(False, ("nothing ran",))


def test_what_was_not_run_is_shown_as_such() -> None:
    bare = row_of(record(runs=(LoadgenRun("accuracy", OK),), quality=None))
    assert (bare.result, bare.accuracy) == ("–", "–")


def test_numbers_keep_four_digits() -> None:
    assert [number(v) for v in (0, 0.000012, 0.01234, 12.345, 1234.5)] == [
        "0",
        "1.200e-05",
        "0.01234",
        "12.35",
        "1,234",
    ]


def test_a_file_gets_plain_columns() -> None:
    file = io.StringIO()
    print_table([record(), record(tier="synthetic")], file)
    heads, *rows = file.getvalue().splitlines()
    assert heads.split() == ["Model", "Scenario", "Result", "Accuracy", "Validity", "Tier", "Device"]
    assert "41.25 samples/s" in rows[0]
    assert not set("\x1b│━") & set(file.getvalue())


def test_long_reasons_are_wrapped_and_not_cut() -> None:
    file = io.StringIO()
    reason = "because " * 60 + "END"
    print_table([record(runs=(performance(validity=Validity(False, (reason,))),))], file)
    assert "END" in file.getvalue()
    assert max(map(len, file.getvalue().splitlines())) <= 150


def test_a_terminal_gets_a_drawn_table() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        print_table([record()], terminal)
        terminal.flush()
        shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "Model" in shown and "━" in shown


def test_two_runs_of_a_record_are_told_apart() -> None:
    made = record()
    assert made.run("performance") != made.run("accuracy")
    assert made.run("find-performance") is None
    assert replace(made, runs=()).run("performance") is None
