"""The parts behind the pages, without a server."""

import json
import os
import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gui import hostile

from cm4bench_gui.access import WriteToken
from cm4bench_gui.charts import MOST_GROUPS, OTHERS, scatter
from cm4bench_gui.command import Choice, command_line
from cm4bench_gui.planning import PlanPicture, Refusal, draw_plan
from cm4bench_gui.results import Filter
from cm4bench_gui.runs import QUIET_S, is_worked_on, read_runs
from cm4bench_gui.scripts import Scripts
from cm4bench_gui.settings import RepoPlace, Settings

# a shell's word cannot hold a null
WORDS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=1, max_size=30)


@given(st.dictionaries(st.sampled_from(["a", "b"]), WORDS), st.lists(WORDS, max_size=2))
def test_a_shell_reads_back_every_character(options, variations):
    choice = Choice(("make", "cake"), tuple(variations), options)

    words = shlex.split(command_line(choice))
    assert words[0] == "cmr" and words[2:] == [f"--{name}={value}" for name, value in options.items()]
    for variation in variations:
        assert f"_{variation}" in words[1]


def test_a_plain_command_reads_as_people_write_it():
    choice = Choice(("run", "mlperf"), ("resnet50",), {"batch_size": "4"})
    assert command_line(choice) == 'cmr "run mlperf _resnet50" --batch_size=4'


def test_only_the_token_is_admitted():
    token = WriteToken()

    assert token.admits(token.text) and token.admits(f" {token.text}\n")
    assert not any(token.admits(wrong) for wrong in ("", token.text[:-1], token.text + "x", "ü", WriteToken().text))
    assert token.text not in repr(token)


def scripts_of(repo, home):
    return Scripts(Settings(str(home), (RepoPlace(repo.value.alias, repo.value.folder),)))


def test_the_tags_to_type_lead_to_the_script(repo, tmp_path):
    repo.script("get-ml-model-x", tags="get,raw,ml-model,x,ml-model-x")
    repo.script("get-ml-model-y", tags="get,raw,ml-model,y")
    repo.script("odd", tags="get,raw,ml-model,y,odd-one")
    scripts = scripts_of(repo, tmp_path / "CM")

    assert scripts.sheet("get-ml-model-x").call == ("get", "ml-model", "x")
    for alias in ("get-ml-model-x", "get-ml-model-y", "odd"):
        assert scripts.engine().find_script(",".join(scripts.sheet(alias).call)).alias == alias
    assert scripts.sheet("none") is None


def test_a_plan_starts_nothing(repo, tmp_path, sealed):
    repo.script("get-thing", tags="get,thing", cache=True, run="true")
    repo.script("cake", tags="make,cake", deps=[{"tags": "get,thing"}], run="true")

    plan = draw_plan(scripts_of(repo, tmp_path / "CM"), Choice(("make", "cake")))
    assert isinstance(plan, PlanPicture)
    assert [(step.label, step.state) for step in plan.steps] == [("get-thing", "to make"), ("cake", "to run")]
    assert plan.drawing.startswith("flowchart")


def test_what_cannot_be_planned_says_why(repo, tmp_path):
    repo.script("cake", tags="make,cake", deps=[{"tags": "get,nothing"}])

    refusal = draw_plan(scripts_of(repo, tmp_path / "CM"), Choice(("make", "cake")))
    assert isinstance(refusal, Refusal) and "'get'" in refusal.cause


def part_of(root, scenario="offline", mode="performance"):
    folder = root / "20260101-000000-model-0000" / scenario / mode / "run_1"
    folder.mkdir(parents=True)
    (folder / "console.log").write_text("loading\nmeasuring\n\n")
    return folder


def test_a_run_is_running_then_stopped_then_what_its_outcome_says(tmp_path):
    folder = part_of(tmp_path)
    began = folder.stat().st_mtime

    (running,) = read_runs([str(tmp_path)], now=began + 1)
    assert (running.state, running.parts[0].detail) == ("running", "measuring")
    (stopped,) = read_runs([str(tmp_path)], now=began + QUIET_S + 60)
    assert stopped.state == "stopped"
    failure = {"status": "failed", "failure": {"kind": "hang", "cause": "no answer for 120 s"}}
    (folder / "outcome.json").write_text(json.dumps(failure))
    (failed,) = read_runs([str(tmp_path)], now=began + QUIET_S + 60)
    assert (failed.state, failed.parts[0].detail) == ("failed", "no answer for 120 s")
    (folder / "outcome.json").write_text('{"status": "ok"}')
    assert read_runs([str(tmp_path)])[0].state == "done"


def test_a_silent_run_with_a_process_is_running(tmp_path):
    folder = part_of(tmp_path)
    later = folder.stat().st_mtime + QUIET_S + 60
    # as the harness is called: the run's configuration is in the command line
    command = [sys.executable, "-c", "print(flush=True); input()", str(folder / "config.json")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.readline()  # a program that is only being loaded has no command line yet
    try:
        assert read_runs([str(tmp_path)], now=later)[0].state == "running"
        assert not is_worked_on(folder.parent.parent / "perform")
    finally:
        process.communicate()
    assert read_runs([str(tmp_path)], now=later)[0].state == "stopped"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"status": 3}', '{"status": "ok", "validity": 1}'])
def test_an_outcome_that_is_none_is_a_failure_with_a_cause(tmp_path, text):
    (part_of(tmp_path) / "outcome.json").write_text(text)

    (view,) = read_runs([str(tmp_path)])
    assert view.state == "failed" and "outcome.json cannot be read" in view.parts[0].detail


def test_folders_that_are_no_runs_are_passed_over(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "report.html").write_text("x")
    os.symlink(tmp_path, tmp_path / "loop")

    assert read_runs([str(tmp_path), str(tmp_path / "missing")]) == []


def test_a_filter_puts_no_value_into_the_sql():
    clause, parameters = Filter(
        {"model": "x' OR 1=1 --", "secret; DROP TABLE": "y"}, text="%'\"", valid_only=True
    ).where()

    assert "OR 1=1" not in clause and "DROP" not in clause and "%" not in clause
    assert parameters == ["x' OR 1=1 --", "%'\""]


def rows(count, **columns):
    return [
        {"id": "i", "system": "s", "submitter": "m", "source": "own", "unit": "ms", "value": 1.0, **columns}
    ] * count


@pytest.mark.parametrize(("values", "kind"), [((80.0, 800_000.0), "log"), ((80.0, 800.0), None), ((0.0, 9e9), None)])
def test_small_values_are_seen_beside_great_ones(values, kind):
    axis = scatter([rows(1, value=one)[0] for one in values], "system", "value", "source")["layout"]["yaxis"]
    assert axis.get("type") == kind
    assert ("logarithmic" in axis["title"]["text"]) == bool(kind)


def test_many_groups_become_a_few_and_the_others():
    points = [row for number in range(20) for row in rows(20 - number, model=f"model {number}")]
    figure = scatter(points, "system", "value", "model")

    assert len(figure["data"]) == MOST_GROUPS
    assert figure["data"][-1]["name"] == OTHERS
    assert sum(len(trace["x"]) for trace in figure["data"]) == len(points)


def test_units_that_differ_are_said_on_the_axis():
    assert "ms" in scatter(rows(2), "system", "value", "source")["layout"]["yaxis"]["title"]["text"]
    mixed = scatter([*rows(1), *rows(1, unit="s")], "system", "value", "source")
    assert "several units" in mixed["layout"]["yaxis"]["title"]["text"]


@pytest.mark.parametrize("name", hostile.NAMES)
def test_no_text_of_a_plot_is_markup(name):
    figure = scatter(rows(1, system=name, submitter=name, unit=name, model=name), "system", "value", "model")
    texts = [figure["data"][0]["name"], *figure["data"][0]["text"], *figure["data"][0]["x"]]

    assert not any("<" in text for text in [*texts, figure["layout"]["yaxis"]["title"]["text"]])


def test_results_of_different_tiers_are_not_compared():
    from cm4bench_gui.pages.comparison import verdict

    first = rows(1, model="m", scenario="Offline", tier="full", metric="rate", better="higher", value=2.0)[0]
    assert "tier" in verdict(first, {**first, "tier": "x"})
    for wrong in (None, 0.0, -1.0):
        assert "cannot be compared" in verdict(first, {**first, "value": wrong})


def test_two_results_are_compared_under_the_noise():
    from cm4bench_compare import Noise
    from cm4bench_gui.pages.comparison import verdict

    first = rows(1, model="m", scenario="Offline", tier="full", metric="rate", better="higher", value=2.0)[0]
    first = {**first, "unit": "samples/s"}
    second = {**first, "value": 3.0, "unit": "Samples/s"}
    assert verdict(first, second).startswith("The second is 50.0 % faster, which may be noise")
    assert "faster, beyond noise (95 % confidence, 1 and 1 runs)" in verdict(first, second, Noise(0.01, 20))
    assert verdict(first, second, Noise(0.5, 20)).startswith("No difference beyond noise")
    assert "slower" in verdict({**first, "better": "lower", "unit": "ms"}, {**second, "better": "lower", "unit": "ms"})
    assert verdict({**first, "better": ""}, second) == "The second is 1.5 times the first."


def test_names_that_begin_alike_are_told_apart():
    figure = scatter([*rows(1, system="x" * 60 + "1"), *rows(1, system="x" * 60 + "2")], "system", "value", "source")
    assert len(set(figure["data"][0]["x"])) == 2
    assert all(len(text) < 30 for text in figure["layout"]["xaxis"]["ticktext"])
