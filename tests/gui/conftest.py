"""The app as a user starts it, over a repository and results that hold hostile names, and a real Chromium."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.gui import hostile
from tests.results import samples
from tests.workbench import RepoBuilder

from cm4bench_results import LoadgenRun, ResultStore, Subject, Validity

ROOT = Path(__file__).resolve().parents[2]
RUNNING = "20260201-000000-running-0000"


@dataclass(frozen=True)
class App:
    """A running app: its address, its token, and the folder of results it reads."""

    address: str
    token: str
    results: Path


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """Own results: plain ones, a hostile one, an unreadable one, and a run that is still going."""
    folder = tmp_path_factory.mktemp("results")
    store = ResultStore(folder)
    for number in range(30):
        run = samples.performance(figures=(replace(samples.performance().figures[0], value=40.0 + number),))
        store.save(samples.record(id=f"20260131-0930{number:02}-model-0000/offline", runs=(run,)))
    name = hostile.NAME
    bad = samples.record(
        id="20260131-100000-<img src=x onerror=window.hurt=1>/offline",
        subject=Subject(name, name, "Offline", name, name, name),
        host=replace(samples.record().host, cpu_model=name),
        runs=(samples.performance(), LoadgenRun("accuracy", Validity(False, (name,)))),
        notes=(name,),
    )
    store.save(bad)
    broken = folder / "20260131-110000-broken-0000" / "offline"
    broken.mkdir(parents=True)
    (broken / "result.json").write_text(f'{{"schema_version": 1, "id": "{hostile.NAMES[0]}"}}')
    going = folder / RUNNING / "offline" / "performance" / "run_1"
    going.mkdir(parents=True)
    (going / "console.log").write_text(f"loading\n{hostile.NAMES[0]}\n")
    return folder


@pytest.fixture(scope="session")
def scripts(tmp_path_factory):
    """A repository with plain and with hostile scripts."""
    repo = RepoBuilder(tmp_path_factory.mktemp("repos") / "repo")
    repo.script("get-thing", tags="get,thing", name="A thing", category="Things", cache=True, run="true")
    repo.script(
        "make-cake",
        tags="make,cake",
        name="A cake, made of things",
        category="Food",
        deps=[{"tags": "get,thing"}],
        variations={
            "small": {"group": "size", "default": True},
            "large": {"group": "size"},
            "layers.#": {"env": {"CM_LAYERS": "#"}},
            "sugar": {"help": "sweet"},
        },
        inputs={
            "eggs": {"env": "CM_EGGS", "type": "int", "min": 1, "help": "how many"},
            "oven": {"env": "CM_OVEN", "type": "choice", "choices": ["gas", "electric"]},
            "wish": {"env": "CM_WISH", "type": "str", "help": "written on top"},
        },
        outputs={"CM_CAKE": {"type": "str", "help": "the cake", "optional": True}},
        run="true",
    )
    folder = repo.script(
        "hostile",
        tags="hostile",
        name=hostile.NAME,
        category=hostile.NAMES[0],
        deps=[{"tags": "get,thing", "why": hostile.NAME}, {"tags": "get,thing", "names": [hostile.NAME]}],
        variations={hostile.NAMES[0]: {"group": hostile.NAMES[2], "help": hostile.NAME}, hostile.NAMES[3]: {}},
        inputs={"x": {"env": "CM_X", "type": "choice", "choices": list(hostile.NAMES), "help": hostile.NAME}},
        outputs={"CM_Y": {"type": "str", "help": hostile.NAME, "optional": True}},
        run="true",
    )
    (folder / "README.md").write_text(hostile.README)
    return repo


@pytest.fixture(scope="session")
def app(tmp_path_factory, scripts, results):
    """The app on a free port."""
    settings = {
        "home": str(tmp_path_factory.mktemp("CM")),
        "repos": [{"alias": scripts.value.alias, "path": scripts.value.folder}],
        "results": [str(results)],
        "port": 0,
    }
    paths = [str(ROOT / "automation" / room) for room in ("experiment", "script")]
    process = subprocess.Popen(
        [sys.executable, "-m", "cm4bench_gui", json.dumps(settings)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        text=True,
    )
    told = [process.stdout.readline() for _ in range(3)]
    address = re.search(r"http://127\.0\.0\.1:\d+", told[0])
    assert address, told
    yield App(address[0], told[1].rpartition(" ")[2].strip(), results)
    process.terminate()
    assert process.wait(20) is not None


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium of this machine."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


class Tab:
    """One browser tab on the app; it remembers what was asked for, and what went wrong."""

    def __init__(self, context, app):
        self.app = app
        self.context = context
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.asked = []
        self.errors = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, path):
        """Go to a page and wait until it stands and is connected."""
        self.page.goto(self.app.address + path)
        self.page.locator("#content > h1").wait_for()
        self.page.wait_for_function("() => window.socket?.connected")
        self.page.locator("[aria-busy=true]").wait_for(state="detached")
        return self.page


# One context each for all tests: what the pages are made of is loaded once.
@pytest.fixture(scope="session")
def wide(chromium):
    return chromium.new_context()


@pytest.fixture(scope="session")
def narrow(chromium):
    return chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark", has_touch=True)


@pytest.fixture
def tab(wide, app):
    made = Tab(wide, app)
    yield made
    made.page.close()


@pytest.fixture
def phone(narrow, app):
    """A tab as narrow as a small phone, with dark colours."""
    made = Tab(narrow, app)
    yield made
    made.page.close()
