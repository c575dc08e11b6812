"""The report: what it says, that it is safe and self-contained, and that a real browser draws it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from samples import device, performance, record

from cm4bench_results.html import render, write_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def test_the_report_shows_everything_in_the_record() -> None:
    text = render([record()], "Results")
    for fact in ("efficientnet-lite0", "41.25 samples/s", "18/20", "embedded", "demonstration, not submittable"):
        assert fact in text
    for fact in (
        "batch_size",
        "effective_min_duration_ms",
        "null backend, CPU per sample",
        "ab" * 32,
        "A test processor",
    ):
        assert fact in text


def test_doubt_and_reasons_are_shown() -> None:
    text = render([record(runs=(performance(device=device(valid=False)),))], "Results")
    assert 'class="stamp SUSPECT"' in text
    assert "the GPU was throttled: SW thermal slowdown" in text


def test_hostile_text_stays_text() -> None:
    evil = '</script><script>alert("x")</script><img src=x>'
    profile = replace(performance().latency, source=evil)  # type: ignore[type-var]
    text = render([record(runs=(performance(latency=profile, configuration={evil: evil}),))], evil)
    assert "<img" not in text
    assert "<script>alert" not in text


def test_the_report_refers_to_nothing_outside() -> None:
    text = render([record()], "Results")
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', text) == []
    assert "default-src 'none'" in text


def test_without_latencies_there_is_no_plot_and_no_plotly() -> None:
    text = render([record(runs=(performance(latency=None),))], "Results")
    assert 'class="plot"' not in text
    assert len(text) < 40_000


def browse(page: Path, *flags: str) -> str:
    """The page's DOM after its scripts ran in a browser with an empty profile."""
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=10000", *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt install chromium")
class TestInBrowser:
    def test_the_plot_is_drawn(self, tmp_path: Path) -> None:
        page = write_report([record(), record(id="a/b")], tmp_path / "report.html")
        dom = browse(page, "--dump-dom")
        assert 'data-drawn="yes"' in dom
        assert len(re.findall(r'<path class="js-line"', dom)) == 2
        assert "p99 12.74 ms" in dom

    def test_a_phone_needs_no_sideways_scrolling(self, tmp_path: Path) -> None:
        write_report([record()], tmp_path / "report.html")
        # The report in a frame of a phone's width; windows of a headless browser cannot be that narrow.
        probe = tmp_path / "probe.html"
        probe.write_text(
            '<iframe src="report.html" width="360" height="800"></iframe><script>onload = () => {'
            'const page = document.querySelector("iframe").contentDocument.documentElement;'
            'document.title = "overflow " + (page.scrollWidth - page.clientWidth); }</script>'
        )
        assert "<title>overflow 0</title>" in browse(probe, "--allow-file-access-from-files", "--dump-dom")

    def test_a_screenshot_has_content(self, tmp_path: Path) -> None:
        page = write_report([record()], tmp_path / "report.html")
        shot = tmp_path / "shot.png"
        browse(page, f"--screenshot={shot}", "--window-size=1100,1400")
        assert shot.stat().st_size > 20_000
