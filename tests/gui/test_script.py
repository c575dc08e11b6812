"""`cmr "gui …"`: what the script hands to the app."""

import importlib.util
from pathlib import Path

import msgspec
import pytest
from tests.workbench import ROOT

from cm4bench import Engine, Repo, Request
from cm4bench_gui.settings import PAGES, Settings

ENV = {"CM_GUI_PORT": "8501", "CM_GUI_APP": "graph", "CM_GUI_TITLE": "cm4bench"}


@pytest.fixture(scope="module")
def customize():
    spec = importlib.util.spec_from_file_location("gui_customize", ROOT / "script" / "gui" / "customize.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(customize, **env):
    given = customize.settings({**ENV, **env}, [Repo("mine", "/repo", "", "", True)], "/home/CM")
    return msgspec.convert(given, Settings)


def test_settings_are_those_of_the_flags(customize, tmp_path):
    results = {"CM_GUI_RESULTS_DIRS": f"a, {tmp_path}", "CM_TMP_CURRENT_PATH": "/here", "CM_GUI_NO_BROWSER": "yes"}
    graph = {"CM_GUI_GRAPH_EXPERIMENT_AXIS_KEY_X": "batch_size", "CM_GUI_GRAPH_EXPERIMENT_MAX_RESULTS": "7"}
    settings = told(customize, **results, **graph)

    assert settings.results == (str(Path("/here/a")), str(tmp_path))
    assert (settings.axes.x, settings.axes.limit, settings.page, settings.browser) == ("batch_size", 7, "graph", False)
    assert settings.repos[0].strict


def test_results_are_those_of_this_folder_by_default(customize):
    assert told(customize, CM_TMP_CURRENT_PATH="/here").results == ("/here/cm4bench-results",)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_a_variation_that_plans(page, tmp_path, sealed):
    engine = Engine([Repo("cm4bench", ROOT, "", "", True)], tmp_path / "CM")
    plan = engine.plan(Request(f"gui,_{page}"))

    assert plan.root.script.alias == "gui"
    assert any("nicegui" in step.label for step in plan.steps())
