"""What CM scripts of other repositories rely on: helpers on `automation`, flags around a run, MLCFlow's dialect."""

from pathlib import Path

import pytest
import yaml
from tests.workbench import Bench, RepoBuilder

from cm4bench.adapter import tags_of
from cm4bench.compat import toolbox
from cm4bench.compat.dialect import MLC, to_cm
from cm4bench.errors import CMBenchError
from cm4bench.manifestfiles import load_raw
from cm4bench.validation import has_expired, lifetime_s


def tool(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / "mytool"
    path.write_text(f"#!/bin/sh\necho tool {version}\n")
    path.chmod(0o755)
    return path


def test_files_of_a_name_with_version_endings(tmp_path: Path):
    for name in ("py", "py3", "py3.11", "pyx"):
        (tmp_path / name).write_text("")
    found = toolbox.find_file_in_paths(None, {"paths": [str(tmp_path)], "file_name": "py"})["found_files"]
    assert [Path(f).name for f in found] == ["py", "py3"]


def test_an_artifact_that_is_asked_for_by_path(tmp_path: Path):
    path = tool(tmp_path / "b", "1.0")
    env = {"CM_TMP_PATH": str(tmp_path / "b"), "CM_QUIET": "yes"}
    asked = {"file_name": "mytool", "env": env, "os_info": {}, "default_path_env_key": "PATH", "env_path_key": "CM_T"}
    answer = toolbox.find_artifact(None, asked)
    assert (answer["return"], env["CM_T"], env["+PATH"]) == (0, str(path), [str(tmp_path / "b")])
    assert toolbox.find_artifact(None, {**asked, "file_name": "none"})["return"] == 16
    env["CM_TMP_PATH"] = str(tmp_path / "missing")
    assert "doesn't exist" in toolbox.find_artifact(None, asked)["error"]


def test_a_version_is_read_from_the_tools_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    env: dict[str, str] = {}
    asked = {"match_text": r"tool ([\d.]+)", "group_number": 1, "env_key": "CM_V", "which_env": env}
    assert toolbox.parse_version(None, asked)["return"] == 16
    Path("tmp-ver.out").write_text("tool 1.25\n")
    assert toolbox.parse_version(None, asked)["version"] == "1.25"
    assert env == {"CM_V": "1.25", "CM_DETECTED_VERSION": "1.25"}


def test_a_fake_run_makes_only_the_dependencies(bench: Bench, repo: RepoBuilder):
    repo.script("dep", run="echo CM_D=1 >> tmp-run-env.out", new_env_keys=["CM_D"])
    repo.script("top", deps=[{"tags": "dep"}], run="exit 3", new_env_keys=["CM_D"])
    report = bench.run("top", env={"CM_TMP_FAKE_RUN": "yes"})
    assert (report.outcome.new_env, report.requested) == ({"CM_D": "1"}, ("dep",))


def test_dependencies_can_be_only_named(bench: Bench, repo: RepoBuilder):
    repo.script("dep", run="exit 3")
    repo.script("top", deps=[{"tags": "dep"}])
    flags = {"CM_TMP_FAKE_RUN": "yes", "CM_TMP_FAKE_DEPS": "yes"}
    assert bench.run("top", env=flags).requested == ("dep",)


def test_a_native_failure_may_be_ignored(bench: Bench, repo: RepoBuilder):
    repo.script("rough", run="echo CM_R=1 >> tmp-run-env.out; exit 3", new_env_keys=["CM_R"])
    assert bench.run("rough", options={"ignore_script_error": True}).outcome.new_env == {"CM_R": "1"}


def test_a_manifest_builds_on_another(repo: RepoBuilder):
    repo.script("base", env={"CM_A": "1", "CM_B": "1"}, tags="base,x")
    folder = repo.script("derived", _base="script::base", env={"CM_B": "2"})
    raw = load_raw(folder)
    assert raw["env"] == {"CM_A": "1", "CM_B": "2"}
    assert (raw["alias"], raw["tags"]) == ("derived", ["base", "x", "derived"])


def test_a_manifest_builds_on_one_of_another_repository(repo: RepoBuilder, tmp_path: Path):
    other = RepoBuilder(tmp_path / "other")
    base = other.script("base", env={"CM_A": "1"})
    repo.script("derived", _base="script::other:base", env={"CM_B": "2"}, new_env_keys=["CM_A", "CM_B"])
    bench = Bench(tmp_path / "CM", repo.value, other.value)
    assert bench.run("derived").outcome.new_env == {"CM_A": "1", "CM_B": "2"}
    (base / "_cm.yaml").write_text((base / "_cm.yaml").read_text().replace("'1'", "'changed'"))
    assert bench.run("derived").outcome.new_env == {"CM_A": "changed", "CM_B": "2"}
    with pytest.raises(CMBenchError, match="is no script of a registered repository"):
        Bench(tmp_path / "CM2", repo.value).run("derived")


def test_the_other_dialect_is_translated_both_ways():
    assert to_cm({"MLC_A": ["$MLC_B", "/data/MLC_C"]}) == {"CM_A": ["$CM_B", "/data/MLC_C"]}
    assert MLC.inward(MLC.outward({"CM_A": "${CM_B}"})) == {"CM_A": "${CM_B}"}


def test_an_mlc_script_runs_and_feeds_a_cm_script(bench: Bench, repo: RepoBuilder):
    folder = repo.script("other", run='echo "MLC_OUT=$MLC_IN-$MLC_SET" >> tmp-run-env.out')
    manifest = yaml.safe_load((folder / "_cm.yaml").read_text()) | {
        "env": {"MLC_IN": "in"},
        "new_env_keys": ["MLC_OUT"],
    }
    (folder / "_cm.yaml").unlink()
    (folder / "meta.yaml").write_text(yaml.safe_dump(manifest))
    (folder / "customize.py").write_text("import mlc\ndef preprocess(i):\n    i['env']['MLC_SET'] = 'set'\n")
    repo.script("top", deps=[{"tags": "other"}], new_env_keys=["CM_OUT"])
    assert bench.run("top").outcome.new_env == {"CM_OUT": "in-set"}


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("10m", 600), ("2h", 7200), ("3d", 259200)])
def test_lifetimes(text: str, seconds: int):
    assert lifetime_s(text) == seconds
    assert has_expired(seconds + 1, text) and not has_expired(seconds - 1, text)


def test_an_expired_entry_is_made_again(bench: Bench, repo: RepoBuilder):
    repo.script("short", cache=True, cache_expiration="0", run="true")
    assert bench.run("short").made == bench.run("short").made == ("short",)


def test_where_a_tool_was_looked_for_belongs_to_its_entry(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    ask = "{'file_name': 'mytool', 'env': i['env'], 'os_info': i['os_info'], 'default_path_env_key': 'PATH',"
    find = f"i['automation'].find_artifact({ask} 'env_path_key': 'CM_MYTOOL'}})"
    folder = repo.script("tool", cache=True, new_env_keys=["CM_MYTOOL"])
    (folder / "customize.py").write_text(
        "from types import SimpleNamespace\nfrom cm4bench.compat import toolbox\n"
        "def preprocess(i):\n    find = lambda asked: toolbox.find_artifact(None, asked)\n"
        f"    i['automation'] = SimpleNamespace(find_artifact=find)\n    return {find}\n"
    )
    for name in ("a", "b"):
        path = tool(tmp_path / name, "1")
        assert bench.run("tool", env={"CM_TMP_PATH": str(path.parent)}).outcome.new_env == {"CM_MYTOOL": str(path)}
    by_file = {"CM_INPUT": str(tmp_path / "a/mytool")}
    assert bench.run("tool", env=by_file).made == ("tool",)
    assert bench.run("tool", env=by_file).made == ()


@pytest.mark.parametrize(
    ("first", "later", "tags"),
    [
        ("set venv", "work", "set venv"),
        ("set,venv", "_v", "set,venv,_v"),
        ("a b", "_v _w", "a b,_v _w"),
        ("detect", "os", "detect,os"),
    ],
)
def test_a_word_after_a_whole_request_is_left_to_the_script(first: str, later: str, tags: str):
    assert tags_of({"artifact": first, "artifacts": [later]}) == tags


@pytest.mark.parametrize("cache", [False, True])
def test_the_native_script_runs_where_a_hook_has_gone(bench: Bench, repo: RepoBuilder, tmp_path: Path, cache: bool):
    there = tmp_path / "there"
    there.mkdir()
    repo.script(
        "mover",
        cache=cache,
        customize=f"import os\ndef preprocess(i):\n    os.chdir({str(there)!r})\n",
        run="touch made-here; echo CM_HERE=$PWD >> tmp-run-env.out",
        new_env_keys=["CM_HERE"],
    )
    before = Path.cwd()
    assert bench.run("mover").outcome.new_env == {"CM_HERE": str(there)}
    assert ([p.name for p in there.iterdir()], Path.cwd()) == (["made-here"], before)
