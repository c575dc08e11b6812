"""customize.py under CM's contract, and its failures as diagnoses."""

from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench.contract import os_info
from cm4bench.errors import StepFailed

KEYS = {
    *("input", "automation", "artifact", "customize", "os_info", "recursion_spaces", "script_tags"),
    *("variation_tags", "env", "state", "meta", "run_script_input"),
}


def hook(body: str, name: str = "preprocess") -> str:
    return f"def {name}(i):\n    {body}\n"


def failure(bench: Bench, tags: str) -> StepFailed:
    with pytest.raises(StepFailed) as caught:
        bench.run(tags)
    assert "Traceback" not in caught.value.render()
    return caught.value


def test_what_a_hook_is_given(bench: Bench, repo: RepoBuilder):
    body = """i['state']['seen'] = {
        'keys': sorted(i), 'tags': i['script_tags'], 'variations': i['variation_tags'], 'input': i['input'],
        'path': i['artifact'].path, 'repo': i['artifact'].repo_path, 'alias': i['meta']['alias'],
        'script': i['run_script_input']['path'], 'customize': i['customize'], 'spaces': i['recursion_spaces']}"""
    repo.script("seer", customize=hook(body), new_state_keys=["seen"], variations={"v": {}}, tags="see,it")
    seen = bench.run("see,it,_v", options={"some": "flag"}).outcome.new_state["seen"]
    assert set(seen["keys"]) == KEYS
    assert (seen["tags"], seen["variations"], seen["input"]) == (["see", "it"], ["v"], {"some": "flag"})
    assert (seen["path"], seen["script"]) == (str(repo.folder("seer")),) * 2
    assert (seen["repo"], seen["alias"], seen["customize"], seen["spaces"]) == (str(repo.path), "seer", {}, "")


def test_what_the_platform_is_called():
    info = os_info()
    assert {"platform", "bat_ext", "bits", "env_separator", "set_env", "run_bat", "start_script"} <= set(info)
    assert info["platform"] == "linux"


def test_changes_are_kept_and_a_hook_may_return_nothing(bench: Bench, repo: RepoBuilder):
    repo.script("a", customize=hook("i['env']['CM_A'] = 1"), new_env_keys=["CM_A"])
    assert bench.run("a").outcome.new_env == {"CM_A": 1}


def test_a_hook_may_name_its_native_script(bench: Bench, repo: RepoBuilder):
    body = "i['run_script_input']['script_name'] = 'other'"
    folder = repo.script("a", customize=hook(body), run="echo CM_A=run >> tmp-run-env.out", new_env_keys=["CM_A"])
    (folder / "other.sh").write_text("echo CM_A=other >> tmp-run-env.out\n")
    assert bench.run("a").outcome.new_env == {"CM_A": "other"}


@pytest.mark.parametrize("phase", ["preprocess", "postprocess"])
def test_a_raise_is_named_with_its_line(bench: Bench, repo: RepoBuilder, phase: str):
    folder = repo.script("a", customize="\n\n" + hook("return 1 / 0", phase), variations={"v": {}})
    error = failure(bench, "a,_v")
    assert error.cause == (f"{phase} of a _v raised ZeroDivisionError: division by zero ({folder / 'customize.py'}:4)")
    assert error.hint == "run the same command with --debug for the traceback"
    assert error.log is not None
    assert "Traceback" in error.log.read_text()


def test_the_line_is_the_scripts_own_even_when_a_library_raises(bench: Bench, repo: RepoBuilder):
    folder = repo.script("a", customize="import json\n" + hook("json.loads('{')"))
    assert f"{folder / 'customize.py'}:3" in failure(bench, "a").cause


def test_an_error_with_a_hint(bench: Bench, repo: RepoBuilder):
    repo.script("a", customize=hook("return {'return': 1, 'error': 'no compiler', 'hint': 'apt install gcc'}"))
    error = failure(bench, "a")
    assert (error.cause, error.hint, error.code) == ("no compiler", "apt install gcc", 1)


def test_an_error_without_words(bench: Bench, repo: RepoBuilder):
    repo.script("a", customize=hook("return {'return': 1}"))
    assert failure(bench, "a").cause == "preprocess of a failed"


def test_a_diagnosed_problem_passes_through(bench: Bench, repo: RepoBuilder):
    body = "from cm4bench.errors import StepFailed; raise StepFailed('known', hint='do this')"
    repo.script("a", customize=hook(body))
    assert failure(bench, "a").hint == "do this"


@pytest.mark.parametrize(
    ("text", "words"),
    [("def preprocess(i:\n", "SyntaxError"), ("import nosuchmodule_\n" + hook("pass"), "nosuchmodule_")],
)
def test_a_file_that_cannot_be_loaded(bench: Bench, repo: RepoBuilder, text: str, words: str):
    folder = repo.script("a", customize=text)
    error = failure(bench, "a")
    assert error.cause.startswith(f"{folder / 'customize.py'} cannot be loaded")
    assert words in error.cause


def test_a_detected_version_is_returned(bench: Bench, repo: RepoBuilder):
    repo.script("a", customize=hook("return {'return': 0, 'version': '3.1'}", "postprocess"))
    assert bench.run("a").outcome.version == "3.1"


def test_a_script_runs_in_its_own_folder_and_the_caller_stays_in_his(bench: Bench, repo: RepoBuilder):
    repo.script("a", cache=True, customize=hook("import os; i['env']['CM_CWD'] = os.getcwd()"), new_env_keys=["CM_CWD"])
    before = Path.cwd()
    cwd = bench.run("a").outcome.new_env["CM_CWD"]
    assert Path(cwd) == bench.entries()[0]
    assert Path.cwd() == before


def test_the_caller_stays_in_his_folder_after_a_failure(bench: Bench, repo: RepoBuilder):
    repo.script("a", cache=True, customize=hook("raise OSError('x')"))
    before = Path.cwd()
    failure(bench, "a")
    assert Path.cwd() == before
