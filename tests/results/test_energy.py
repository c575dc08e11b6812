"""Device energy in record, table and report: always with its label, and no column where nobody measured any."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from tests.results.samples import performance, record

from cm4bench_results import Energy, dumps, loads
from cm4bench_results.harvest import loadgen_run
from cm4bench_results.html import render
from cm4bench_results.table import print_table, row_of
from harness import outcome as of_harness
from harness.config import ModelConfig, RunConfig

LABEL = "device energy, not an MLPerf power result"
MEASURED = Energy(LABEL, "no NVIDIA GPU", 500.0, 50.0, 10.0, 0.5, {"RAPL package-0": 400.0, "RAPL dram": 100.0})
NONE = Energy(LABEL, "not available: no RAPL, no NVIDIA GPU")


def with_energy(energy: Energy | None):
    return record(runs=(performance(energy=energy),))


def printed(*records) -> str:
    file = io.StringIO()
    print_table(records, file)
    return file.getvalue()


def test_a_record_keeps_it() -> None:
    assert loads(dumps(with_energy(MEASURED))) == with_energy(MEASURED)


def test_a_record_of_before_is_read() -> None:
    assert loads(dumps(record()).replace('"energy": null,', "")) == record()


def test_the_table_has_a_column_where_it_was_measured() -> None:
    text = " ".join(printed(with_energy(MEASURED), with_energy(NONE)).split())
    assert "Device energy" in text
    assert row_of(with_energy(MEASURED)).device_energy == "0.5 J/sample, 50 W (no MLPerf power result)"
    assert row_of(with_energy(NONE)).device_energy == ""


@pytest.mark.parametrize("energy", [None, NONE])
def test_the_table_has_none_elsewhere(energy: Energy | None) -> None:
    assert "energy" not in printed(with_energy(energy))


def test_the_report_shows_figure_and_label_or_the_reason() -> None:
    measured, missing = render([with_energy(MEASURED)], "t"), render([with_energy(NONE)], "t")
    for text in (measured, missing):
        assert LABEL in text
    assert '<th scope="row">per sample</th><td>0.5 J</td>' in measured
    assert "RAPL dram" in measured
    assert '<td data-head="Energy">0.5 J/sample' in measured
    assert "<p>not available: no RAPL, no NVIDIA GPU</p>" in missing
    assert 'data-head="Energy"' not in missing
    assert "Device energy" not in render([replace(record(), runs=(performance(energy=None),))], "t")


def test_it_is_taken_over_from_the_outcome(tmp_path: Path) -> None:
    sources = (of_harness.EnergySource(name="RAPL package-0", joules=500.0, true_below_watts=26_000.0),)
    energy = of_harness.Energy(
        label=LABEL, sources=sources, joules=500.0, mean_watts=50.0, window_s=10.0, samples=1000, joules_per_sample=0.5
    )
    config = RunConfig(
        model=ModelConfig(name="m", architecture="none"),
        dataset="",
        scenario="Offline",
        output_dir=str(tmp_path),
        tier="synthetic",
    )
    run = loadgen_run(of_harness.Outcome(status="ok", tier="synthetic", config=config, energy=energy), tmp_path)
    assert run.energy == Energy(LABEL, "", 500.0, 50.0, 10.0, 0.5, {"RAPL package-0": 500.0})
