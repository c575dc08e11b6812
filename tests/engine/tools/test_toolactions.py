"""The tools through the real `cm` and `cmr`: output, exit codes, JSON on standard output and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workbench import ROOT, CommandLine, RepoBuilder

RUN = 'head -c 1000 /dev/zero > data.bin\necho "CM_DATA=$PWD/data.bin" > tmp-run-env.out\necho working'


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A CM home with this repository and a small one, and a lock `a.json` of `use thing`."""
    base = tmp_path_factory.mktemp("tools")
    cm = CommandLine(base)
    repo = RepoBuilder(base / "mine")
    repo.script(
        "get-thing", tags="get,thing", cache=True, run=RUN, outputs={"CM_DATA": {"type": "file"}}, name="a thing"
    )
    repo.script("use-thing", tags="use,thing", deps=[{"tags": "get,thing"}], input_mapping={"n": "CM_N"}, name="a user")
    for path in (ROOT, repo.path):
        assert cm("cm", "add", "repo", f"--path={path}").returncode == 0
    done = cm("cmr", "use thing", "--lock=a.json")
    assert "locked 2 steps and 1 files or folders in a.json" in done.stdout, done.stderr
    return cm


def test_the_tools_cost_an_ordinary_call_nothing():
    code = "import sys, cm4bench.adapter, cm4bench.engine; print(*sys.modules)"
    path = str(ROOT / "automation" / "script")
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "cm4bench.engine" in loaded
    tools = {"cm4bench.tools.toolactions", "cm4bench.tools.lock", "cm4bench.tools.explain"}
    assert loaded & (tools | {"msgspec", "pynvml"}) == set()


def test_plan_as_mermaid_with_a_lock(tools: CommandLine):
    done = tools("cmr", "use thing", "--plan=mermaid", "--lock=planned.json")
    assert "flowchart TD\n" in done.stdout and 's0["get-thing<br/>cached"]:::cached' in done.stdout
    assert json.loads((tools.cwd / "planned.json").read_text())["kind"] == "cm4bench-lock"


def test_explain(tools: CommandLine):
    assert "chosen for “get,thing”: the only match" in tools("cm", "explain", "script", "get,thing").stdout
    done = tools("cmr", "use thing", "--explain=get thing")
    assert "    └ get-thing  (deps: get,thing)" in done.stdout
    (data,) = json.loads(tools("cmr", "use thing", "--explain=get thing", "-j").stdout)
    assert data["needed_by"] == [["use-thing", "get-thing"]]


def test_replay(tools: CommandLine):
    done = tools("cmr", "--replay=a.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "replayed: 2 steps and 1 files or folders are as the lock has them" in done.stdout
    assert tools("cmr", "--replay=a.json", "--plan").stdout == "everything is as locked\n"


def test_replay_as_json_is_only_json(tools: CommandLine):
    assert json.loads(tools("cmr", "--replay=a.json", "-j").stdout) == {"drift": [], "outcome": []}


def test_replay_refuses_and_accepts(tools: CommandLine):
    script = tools.home.parent / "mine" / "script" / "get-thing" / "run.sh"
    before = script.read_text()
    script.write_text(before + "# edited\n")
    try:
        done = tools("cmr", "--replay=a.json")
        assert done.returncode == 3
        assert "recipe: get-thing: run.sh edited" in done.stderr and "--accept=recipe" in done.stderr
        assert tools("cmr", "--replay=a.json", "--accept=data").returncode == 3
        assert tools("cmr", "--replay=a.json", "--accept=recipe").returncode == 0
        assert tools("cmr", "--replay=a.json", "--replay_anyway").returncode == 0
        assert tools("cmr", "--replay=a.json", "--plan").stdout == "recipe: get-thing: run.sh edited\n"
    finally:
        script.write_text(before)


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["--replay=none.json"], "none.json cannot be read"),
        (["--replay"], "--replay names no lock"),
        (["other thing", "--replay=a.json"], "the lock is of “use,thing”, not of “other,thing”"),
        (["--replay=a.json", "--accept=all"], "--accept=all: no such kind of drift"),
    ],
)
def test_replay_of_nonsense(tools: CommandLine, arguments: list[str], cause: str):
    done = tools("cmr", *arguments)
    assert done.returncode == 1
    assert cause.replace(",", " ") in done.stderr.replace(",", " ")
    assert "Traceback" not in done.stderr


def test_diff(tools: CommandLine):
    assert tools("cmr", "use thing", "--n=5", "--lock=b.json").returncode == 0
    first = tools("cm", "diff", "script", "a.json", "b.json").stdout.splitlines()[0]
    assert first == "request: --n: was unset, is 5"
    assert tools("cm", "diff", "script", "./a.json", "./a.json").stdout == "no difference that matters\n"
    assert json.loads(tools("cm", "diff", "script", "a.json", "b.json", "-j").stdout)


@pytest.mark.parametrize("names", [["a.json"], ["a.json", "none.json"], ["a.json", "c.json"]])
def test_diff_of_nonsense(tools: CommandLine, names: list[str]):
    (tools.cwd / "c.json").write_text('{"subject": {}, "runs": []}')
    done = tools("cm", "diff", "script", *names)
    assert done.returncode == 1 and "error: " in done.stderr and "Traceback" not in done.stderr


def test_lint(tools: CommandLine, tmp_path: Path):
    done = tools("cm", "lint", "script", "--repo=mine")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 scripts: nothing to complain about")
    other = RepoBuilder(tmp_path / "other")
    other.script("a", deps=[{"tags": "get,nothing"}, {"tags": "get,thing"}])
    done = tools("cm", "lint", "script", f"--path={other.path}")
    assert (done.returncode, "1 of the findings are errors" in done.stderr) == (1, True)
    assert f"{other.folder('a')}/_cm.yaml:" in done.stdout and "[docs]" not in done.stdout
    assert "[docs]" in tools("cm", "lint", "script", f"--path={other.path}", "--all").stdout
    data = json.loads(tools("cm", "lint", "script", f"--path={other.path}", "-j").stdout)
    assert {"level", "rule", "path", "line", "text", "remedy"} == set(data[0])


@pytest.mark.parametrize("where", ["--repo=none", "--path=/nowhere"])
def test_lint_of_nothing(tools: CommandLine, where: str):
    done = tools("cm", "lint", "script", where)
    assert done.returncode == 1 and "error: " in done.stderr


def test_lint_of_one_script(tools: CommandLine):
    assert tools("cm", "lint", "script", "use,thing").stdout == "1 scripts: nothing to complain about\n"


def test_doctor(tools: CommandLine):
    done = tools("cm", "doctor", "script")
    assert "✓ CM home: " in done.stdout and "network: not looked at" in done.stdout
    assert {"status", "name", "found", "fix"} == set(json.loads(tools("cm", "doctor", "script", "-j").stdout)[0])


def test_completion(tools: CommandLine):
    assert "complete -o default -F _cm4bench" in tools("cm", "completion", "script", "--shell=bash").stdout
    assert tools("cm", "completion", "script", "--shell=csh").returncode == 1
