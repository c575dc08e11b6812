"""Running: what is done once, what is reused, where things happen, what is told."""

from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench import Request
from cm4bench.errors import CMBenchError
from cm4bench.facts import Facts

COUNTS = "echo x >> ../../../../../count"


def count(bench: Bench) -> int:
    file = bench.home.parent / "count"
    return len(file.read_text().split()) if file.exists() else 0


def told(bench: Bench) -> list[tuple[str, str, int]]:
    return [(e.kind, e.label, e.depth) for e in bench.events if e.kind != "planned"]


def test_equal_steps_run_once_and_both_callers_get_the_outcome(bench: Bench, repo: RepoBuilder):
    repo.script("leaf", run="echo x >> ../count; echo CM_L=1 >> tmp-run-env.out", new_env_keys=["CM_L"])
    for side in ("left", "right"):
        repo.script(side, deps=[{"tags": "leaf"}], env={f"CM_{side.upper()}": "<<<CM_L>>>"}, new_env_keys=["CM_*T"])
    repo.script("top", deps=[{"tags": "left"}, {"tags": "right"}], new_env_keys=["CM_*T"])
    assert bench.run("top").outcome.new_env == {"CM_LEFT": "1", "CM_RIGHT": "1"}
    assert count(bench) == 1


def test_uncached_steps_run_every_time(bench: Bench, repo: RepoBuilder):
    repo.script("plain", run="echo x >> ../count")
    bench.run("plain")
    bench.run("plain")
    assert count(bench) == 2


def test_cached_steps_run_once(bench: Bench, repo: RepoBuilder):
    repo.script("kept", cache=True, run=COUNTS)
    assert bench.run("kept").made == ("kept",)
    assert bench.run("kept").made == ()
    assert count(bench) == 1


def test_what_is_cached_does_not_run_its_dependencies(bench: Bench, repo: RepoBuilder):
    repo.script("below", run="echo x >> ../count")
    repo.script("kept", cache=True, deps=[{"tags": "below"}])
    bench.run("kept")
    bench.run("kept")
    assert count(bench) == 1


def test_renewing_makes_the_requested_script_only(bench: Bench, repo: RepoBuilder):
    repo.script("below", cache=True, run=COUNTS)
    repo.script("kept", cache=True, deps=[{"tags": "below"}], run=COUNTS)
    bench.run("kept")
    assert bench.run("kept", renew=True).made == ("kept",)
    assert count(bench) == 3


def test_force_cache(bench: Bench, repo: RepoBuilder):
    repo.script("able", can_force_cache=True, run="true")
    assert bench.run("able").made == ()
    assert bench.run("able", options={"force_cache": True}).made == ("able",)
    repo.script("asks", deps=[{"tags": "able", "force_cache": True}])
    assert "able" not in bench.run("asks").ran


def test_forced_keys_replace_the_scripts_own(bench: Bench, repo: RepoBuilder):
    repo.script("leaf", env={"CM_A": "1", "CM_B": "2"}, state={"s": 1}, new_env_keys=["CM_A"])
    dep = {"tags": "leaf", "force_new_env_keys": ["CM_B"], "force_new_state_keys": ["s"]}
    repo.script("top", deps=[dep], new_env_keys=["CM_*"], new_state_keys=["s"])
    outcome = bench.run("top").outcome
    assert {k: v for k, v in outcome.new_env.items() if k in ("CM_A", "CM_B")} == {"CM_B": "2"}
    assert outcome.new_state == {"s": 1}


def test_uncached_scripts_work_where_the_caller_stands(bench: Bench, repo: RepoBuilder):
    repo.script("plain", run="echo CM_CWD=$PWD >> tmp-run-env.out", new_env_keys=["CM_CWD"])
    assert bench.run("plain").outcome.new_env["CM_CWD"] == str(Path.cwd())


def test_a_named_output_folder_is_made(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    repo.script("plain", run="echo x > here", new_env_keys=[])
    bench.run("plain", env={"CM_OUTDIRNAME": str(tmp_path / "new" / "folder")})
    assert (tmp_path / "new" / "folder" / "here").exists()


def test_what_a_script_is_told_of_places(bench: Bench, repo: RepoBuilder):
    keys = ["PATH", "SCRIPT_PATH", "SCRIPT_WORK_PATH", "SCRIPT_REPO_PATH"]
    echo = "; ".join(f'echo "CM_{k}=$CM_TMP_CURRENT_{k}" >> tmp-run-env.out' for k in keys)
    folder = repo.script("plain", cache=True, run=echo, new_env_keys=["CM_*PATH"])
    given = bench.run("plain").outcome.new_env
    assert given["CM_PATH"] == str(Path.cwd())
    assert given["CM_SCRIPT_PATH"] == str(folder)
    assert given["CM_SCRIPT_WORK_PATH"] == str(bench.entries()[0])
    assert given["CM_SCRIPT_REPO_PATH"] == str(repo.path)


def test_what_is_told_while_running(bench: Bench, repo: RepoBuilder):
    repo.script("leaf", cache=True, run="true")
    repo.script("top", deps=[{"tags": "leaf"}], run="true")
    bench.run("top")
    assert told(bench) == [
        ("started", "top", 0),
        ("started", "leaf", 1),
        ("finished", "leaf", 1),
        ("finished", "top", 0),
    ]
    assert bench.events[-1].log is not None
    assert bench.events[0].detail == "2 steps, 0 of them cached"
    bench.run("top")
    assert told(bench) == [("started", "top", 0), ("cached", "leaf", 1), ("finished", "top", 0)]


def test_a_detected_version_comes_back(bench: Bench, repo: RepoBuilder):
    repo.script("tool", cache=True, run="echo CM_DETECTED_VERSION=3.2 >> tmp-run-env.out")
    assert bench.run("tool").outcome.version == "3.2"
    assert bench.run("tool").outcome.version == "3.2"


def test_a_host_fact_fills_a_promised_output(bench: Bench, repo: RepoBuilder):
    repo.script("host", outputs={"CM_FLAVOR": {"type": "str", "fact": "os.flavor"}})
    report = bench.engine(facts=Facts("x", {"os.flavor": "debian"})).run(Request("host"))
    assert report.outcome.new_env == {"CM_FLAVOR": "debian"}


def test_the_final_environment_is_not_only_what_is_new(bench: Bench, repo: RepoBuilder):
    repo.script("plain", env={"CM_A": "1", "CM_B": "2"}, new_env_keys=["CM_A"])
    report = bench.run("plain", env={"CM_OUTSIDE": "3"})
    assert report.outcome.new_env == {"CM_A": "1"}
    assert {"CM_B", "CM_OUTSIDE"} <= set(report.env)


def test_a_hook_may_change_later_dependencies(bench: Bench, repo: RepoBuilder):
    code = "def preprocess(i):\n    i['meta']['posthook_deps'] = [{'tags': 'extra'}]\n"
    repo.script("extra", env={"CM_E": "1"}, new_env_keys=["CM_E"])
    repo.script("top", customize=code, new_env_keys=["CM_E"])
    assert bench.run("top").outcome.new_env == {"CM_E": "1"}


def test_a_hook_may_not_send_nonsense(bench: Bench, repo: RepoBuilder):
    repo.script("top", customize="def preprocess(i):\n    return {'skip': True, 'script': {'tags': 'nosuch'}}\n")
    with pytest.raises(CMBenchError, match="nosuch"):
        bench.run("top")


def test_a_cached_step_that_skips_leaves_an_empty_outcome(bench: Bench, repo: RepoBuilder):
    repo.script("top", cache=True, customize="def preprocess(i):\n    return {'return': 0, 'skip': True}\n", run=COUNTS)
    assert dict(bench.run("top").outcome.new_env) == {}
    assert count(bench) == 0
