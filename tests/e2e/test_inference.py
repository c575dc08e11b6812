"""The front door through cmind's own `cmr`: real model, real images, real loadgen, a record and a report at the end.

All tests share one CM home, so that everything is fetched once.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.workbench import ROOT, CommandLine

from cm4bench_results import ResultRecord, ResultStore
from cm4bench_results.stamp import stamps, verdict

FAST = ("--threads=1", "--min_duration=500")


@pytest.fixture(scope="module")
def cmr(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    line = CommandLine(tmp_path_factory.mktemp("e2e"))
    added = line("cm", "add", "repo", f"--path={ROOT}")
    assert added.returncode == 0, added.stderr
    return line


@pytest.fixture(scope="module")
def first(cmr: CommandLine) -> subprocess.CompletedProcess[str]:
    """The default run, as in the README but for its lengths."""
    return cmr("cmr", "run mlperf inference", "--results_dir=first", *FAST)


def records(cmr: CommandLine, name: str) -> dict[str, ResultRecord]:
    return {stored.record.subject.scenario: stored.record for stored in ResultStore(cmr.cwd / name).records()}


class TestDefaultRun:
    def test_it_ends_with_table_records_and_report(
        self, cmr: CommandLine, first: subprocess.CompletedProcess[str]
    ) -> None:
        assert first.returncode == 0, first.stdout + first.stderr
        for scenario in ("Offline", "SingleStream"):
            assert re.search(rf"^efficientnet-lite0 +{scenario} .*VALID", first.stdout, re.MULTILINE)
        paths = [Path(path) for path in re.findall(r"^(?:record|report): (.*)$", first.stdout, re.MULTILINE)]
        assert [path.name for path in paths] == ["result.json", "result.json", "report.html"]
        assert all(path.is_file() for path in paths)

    def test_18_of_the_20_packaged_images_are_right(
        self, cmr: CommandLine, first: subprocess.CompletedProcess[str]
    ) -> None:
        for record in records(cmr, "first").values():
            quality = record.quality
            assert quality is not None
            assert (quality.correct, quality.total, quality.passed) == (18, 20, True)

    def test_the_records_say_what_they_are(self, cmr: CommandLine, first: subprocess.CompletedProcess[str]) -> None:
        found = records(cmr, "first")
        assert set(found) == {"Offline", "SingleStream"}
        for record in found.values():
            assert verdict(record).valid
            assert {"demonstration, not submittable", "embedded"} <= set(stamps(record))
            assert record.request.options["threads"] == "1"
            measured = record.run("performance")
            assert measured is not None and measured.figures[0].value > 0
            assert measured.device is not None and measured.device.verdict.valid
            assert measured.ledger and measured.files and measured.latency

    def test_the_report_shows_both_and_refers_to_nothing_outside(
        self, cmr: CommandLine, first: subprocess.CompletedProcess[str]
    ) -> None:
        (report,) = (cmr.cwd / "first").glob("*/report.html")
        text = report.read_text()
        assert text.count('class="plot"') == 2
        assert "(18/20)" in text
        assert not re.search(r'(?:src|href)="https?:', text)

    def test_a_second_run_fetches_nothing_and_says_so(
        self, cmr: CommandLine, first: subprocess.CompletedProcess[str]
    ) -> None:
        again = cmr("cmr", "run mlperf inference _accuracy-only _offline", "--results_dir=again", *FAST)
        assert again.returncode == 0, again.stdout + again.stderr
        assert "nothing was downloaded or installed" in again.stdout


def test_all_four_scenarios_on_synthetic_data(cmr: CommandLine) -> None:
    # Lengths far below what early stopping asks for, so loadgen may refuse some: the records must then say so.
    tiny = ("--max_test_duration=1", "--min_query_count=2", "--target_qps=4", "--target_latency=200")
    done = cmr("cmr", "run mlperf inference _resnet50 _synthetic _cpu", "--results_dir=tiny", *FAST, *tiny)
    found = records(cmr, "tiny")
    assert set(found) == {"Offline", "Server", "SingleStream", "MultiStream"}, done.stdout + done.stderr
    assert all("synthetic" in stamps(record) and record.quality is None for record in found.values())
    assert (done.returncode == 0) == all(verdict(record).valid for record in found.values())
    assert "report: " in done.stdout or "report.html" in done.stderr


def test_a_gpu_that_is_not_there_is_an_error_and_no_fallback(cmr: CommandLine) -> None:
    if Path("/proc/driver/nvidia/gpus").is_dir():
        pytest.skip("this machine has an NVIDIA GPU")
    done = cmr("cmr", "run mlperf inference _cuda", "--results_dir=none")
    assert done.returncode != 0
    assert "NVIDIA" in done.stdout + done.stderr
    assert not list((cmr.cwd / "none").glob("*"))


def test_the_plan_runs_nothing(cmr: CommandLine) -> None:
    done = cmr("cmr", "run mlperf inference _all-scenarios", "--results_dir=planned", "--plan")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"app-mlperf-inference .*_performance ", done.stdout)) == 4
    assert not (cmr.cwd / "planned").exists()
