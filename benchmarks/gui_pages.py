"""What the web app costs: its start, the first paint of each page, and results out of a million rows.

    python benchmarks/gui_pages.py [--rows 1000000] [--results FOLDER] [--shots FOLDER]

Needs Playwright and a Chromium on the PATH. `--results` is a folder of yours in place of synthetic rows. Wall clock,
from the navigation to the browser's own first contentful paint, and until the plot is drawn: the first visit, with
nothing cached, beside the best of three later ones. `filter_s` is from the choice of another model to the plot of its
results; `filter_cpu_s` is what the page's own thread worked for it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
ROOMS = [str(ROOT / "automation" / room) for room in ("experiment", "script")]
sys.path[:0] = [*ROOMS, str(Path(__file__).parent)]

from results_database import fill  # noqa: E402

from cm4bench_database import Database  # noqa: E402
from cm4bench_gui.results import Filter, Results  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

PAGES = (
    "/",
    "/script?name=run-mlperf-inference",
    "/runs",
    "/results",
    "/results?model=resnet50&x=threads&color=backend",
)
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--results", type=Path, help="results to show in place of synthetic rows")
    parser.add_argument("--shots", type=Path, help="where to put pictures of the pages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = options.results or Path(folder) / "results"
        if options.results is None:
            results.mkdir()
            fill(Database(results), options.rows)
        report: dict[str, object] = {"queries_s": queries(results)}
        started = time.perf_counter()
        with app(results, Path(folder) / "CM") as address:
            report["start_s"] = round(time.perf_counter() - started, 2)
            report |= pages(address, options.shots)
    print(json.dumps(report, indent=1))


def queries(results: Path) -> dict[str, float]:
    """What the page of results asks the database, each the best of three."""
    asked = Results([str(results)])
    wanted = Filter({"model": "resnet50"})
    actions = {
        "choices": asked.choices,
        "points": lambda: asked.points(Filter(), ("system", "value", "source"), 5000),
        "page": lambda: asked.page(Filter()),
        "filtered points": lambda: asked.points(wanted, ("threads", "value", "backend"), 5000),
        "filtered page": lambda: asked.page(wanted),
        "part of a name": lambda: asked.page(Filter(text="box 7")),
    }
    asked.choices()
    return {name: min(seconds(action) for _ in range(3)) for name, action in actions.items()}


@contextmanager
def app(results: Path, home: Path) -> Iterator[str]:
    """The app as a user starts it; yields its address when it answers."""
    repository = {"alias": "cm4bench", "path": str(ROOT), "strict": True}
    settings = {"home": str(home), "repos": [repository], "results": [str(results)], "port": 0}
    process = subprocess.Popen(
        [sys.executable, "-m", "cm4bench_gui", json.dumps(settings)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(ROOMS)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline() if process.stdout else "")
        if found is None:
            raise SystemExit("the app did not start")
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)


def pages(address: str, shots: Path | None) -> dict[str, object]:
    """Each page in a browser: seconds to the first paint, and until all that it shows is there."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("there is no Chromium on this machine")
    report: dict[str, object] = {}
    with sync_playwright() as api:
        browser = api.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for path in PAGES:
            context = browser.new_context()
            page = context.new_page()
            visits = [visit(page, address + path) for _ in range(4)]
            report[path] = visits_of(visits)
            if path == "/results":
                report[path] = {**visits_of(visits), **choose_a_model(page)}
            if shots:
                shots.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=str(shots / f"{PAGES.index(path)}.png"), full_page=True)
            context.close()
        browser.close()
    return report


def visits_of(visits: list[dict[str, float]]) -> dict[str, object]:
    """The first visit, and the best of the others."""
    return {"first": visits[0], "later": min(visits[1:], key=lambda one: one["all_s"])}


def choose_a_model(page: Page) -> dict[str, object]:
    """Filter by the model that is named second, and wait for the plot of it."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.get_by_label("Model").click()
    choice = page.get_by_role("option").nth(2)
    choice.wait_for()
    page.wait_for_timeout(500)  # the list unfolds
    page.evaluate("() => document.querySelectorAll('.point').forEach(one => one.classList.add('old'))")
    worked, start = _worked(session), time.perf_counter()
    choice.click()
    page.wait_for_function("() => document.querySelector('.point:not(.old)')")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    took = time.perf_counter() - start
    return {"filter_s": round(took, 3), "filter_cpu_s": round(_worked(session) - worked, 3)}


def _worked(session: CDPSession) -> float:
    found = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))


def visit(page: Page, address: str) -> dict[str, float]:
    """One visit to a page."""
    page.set_default_timeout(120_000)
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(PAINT)
    page.locator("[aria-busy=true]").wait_for(state="detached")
    if "/results" in address:
        page.locator(".js-plotly-plot .point").first.wait_for()
    took = time.perf_counter() - start
    return {"paint_s": round(page.evaluate(PAINT) / 1000, 3), "all_s": round(took, 3)}


def seconds(action: Callable[[], object]) -> float:
    """Wall clock of one call."""
    start = time.perf_counter()
    action()
    return round(time.perf_counter() - start, 4)


if __name__ == "__main__":
    main()
