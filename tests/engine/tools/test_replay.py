"""Replay: every drift is named before anything runs; equal results come out in another folder and CM home."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder, uid_of

from cm4bench import Repo, Request
from cm4bench.errors import CMBenchError
from cm4bench.tools.lock import lock_run
from cm4bench.tools.lockfile import Lock
from cm4bench.tools.replay import Drifted, check, parse_accepted, replay

RUN = 'cp "$CM_TMP_CURRENT_SCRIPT_PATH/source.bin" data.bin\necho "made in $PWD" > note.txt\n' + (
    'printf "CM_DATA=%s/data.bin\\nCM_NOTE=%s/note.txt\\n" "$PWD" "$PWD" > tmp-run-env.out'
)
OUTPUTS = {"CM_DATA": {"type": "file"}, "CM_NOTE": {"type": "file"}}


class World:
    """A lock of `use`, which needs the cached `get`, made from a file beside the scripts."""

    def __init__(self, base: Path) -> None:
        self.repo = RepoBuilder(base / "repo")
        folder = self.repo.script("get", cache=True, run=RUN, outputs=OUTPUTS, new_env_keys=["CM_DATA"])
        (folder / "source.bin").write_bytes(bytes(1000))
        self.repo.script(
            "use",
            deps=[{"tags": "get"}],
            input_mapping={"n": "CM_N", "gh_token": "CM_GH_TOKEN"},
            variations={"v": {}},
        )
        self.bench = Bench(base / "CM", self.repo.value)

    def lock(self, tags: str = "use", **request) -> Lock:
        asked = Request(tags, **request)
        return lock_run(self.bench.engine(), asked, self.bench.engine().run(asked))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return World(tmp_path)


def replayed(bench: Bench, lock: Lock, *accepted: str, **given):
    return replay(bench.engine, lock, Request("", **given), accepted)


def refusal(bench: Bench, lock: Lock, *accepted: str, **given) -> str:
    before = bench.entries()
    with pytest.raises(Drifted, match="nothing was run") as caught:
        replayed(bench, lock, *accepted, **given)
    assert bench.entries() == before
    assert not [event for event in bench.events if event.kind == "started"]
    return caught.value.cause


def test_nothing_changed(world: World):
    done = replayed(world.bench, world.lock())
    assert (done.drift, done.outcome, done.report.made) == ([], [], ())


def test_in_another_clone_and_home(world: World, tmp_path: Path, monkeypatch):
    lock = world.lock(options={"n": str(tmp_path / "work" / "input")})
    shutil.copytree(world.repo.path, tmp_path / "elsewhere" / "my clone")
    manifest = tmp_path / "elsewhere" / "my clone" / "script" / "use" / "_cm.yaml"
    manifest.write_text(manifest.read_text())  # the same, with its own time
    (tmp_path / "elsewhere" / "work").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere" / "work")
    clone = Repo("repo", tmp_path / "elsewhere" / "my clone", world.repo.value.uid)
    done = replayed(Bench(tmp_path / "elsewhere" / "CM", clone), lock)
    assert (done.drift, done.outcome, done.report.made) == ([], [], ("get",))
    assert done.report.env["CM_N"] == str(tmp_path / "elsewhere" / "work" / "input")


def test_a_changed_recipe_is_named_with_its_files(world: World):
    lock = world.lock()
    folder = world.repo.folder("get")
    (folder / "run.sh").write_text(f"#!/bin/bash\n# edited\n{RUN}\n")
    (folder / "more.txt").write_text("new")
    assert "recipe: get: run.sh edited; more.txt added" in refusal(world.bench, lock)
    assert replayed(world.bench, lock, "recipe").report.made == ("get",)


def test_a_changed_data_file_is_named(world: World):
    lock = world.lock()
    (entry,) = world.bench.entries()
    (entry / "data.bin").write_bytes(b"x" * 1000)
    assert "data: get, CM_DATA: was data.bin (1.0 kB, sha256 541b3e9daa09…), is data.bin" in refusal(world.bench, lock)
    assert replayed(world.bench, lock, "data").outcome == []  # made anew, and equal


def test_a_deleted_data_file_is_named(world: World):
    lock = world.lock()
    (world.bench.entries()[0] / "data.bin").unlink()
    assert "CM_DATA: was data.bin (1.0 kB, sha256 541b3e9daa09…), is gone" in refusal(world.bench, lock)


def test_other_data_comes_out(world: World):
    lock = world.lock()
    shutil.rmtree(world.bench.home)
    (world.repo.folder("get") / "source.bin").write_bytes(bytes(999))
    assert "source.bin edited" in refusal(world.bench, lock)
    with pytest.raises(Drifted, match="it ran, and what came out differs from the lock\n  data: get, CM_DATA"):
        replayed(world.bench, lock, "recipe")
    shutil.rmtree(world.bench.home)
    assert [one.kind for one in replayed(world.bench, lock, "recipe", "data").outcome] == ["data"]


def test_other_host_facts_are_named(world: World):
    lock = world.lock()
    facts = world.bench.engine().facts
    other = facts._replace(values={**facts.values, "accelerator": "cuda", "os.kernel": "9.9"}, platform="linux-aarch64")
    engine = world.bench.engine(facts=other)
    found = [str(one) for one in check(engine, lock, Request(""))[1]]
    assert any(line.startswith("host: accelerator: was ") and line.endswith("is cuda") for line in found)
    assert "host: platform: was linux-x86_64, is linux-aarch64" in [
        line.replace(facts.platform, "linux-x86_64") for line in found
    ]
    assert any(line.startswith("note: os.kernel: ") for line in found)


def test_a_missing_repository(world: World, tmp_path: Path):
    with pytest.raises(CMBenchError, match="needs the repository repo, which is not registered") as caught:
        replayed(Bench(tmp_path / "CM2", RepoBuilder(tmp_path / "other").value), world.lock())
    assert "cm pull repo repo" in str(caught.value.hint)


def test_a_missing_script(world: World):
    lock = world.lock()
    shutil.rmtree(world.repo.folder("get"))
    with pytest.raises(CMBenchError, match="can no longer be planned: no script has the tag 'get'"):
        replayed(world.bench, lock)


def test_another_script_that_answers(world: World, tmp_path: Path):
    lock = world.lock()
    first = RepoBuilder(tmp_path / "first")
    shutil.copytree(world.repo.folder("get"), tmp_path / "first" / "script" / "get")
    manifest = first.folder("get") / "_cm.yaml"
    manifest.write_text(manifest.read_text().replace(uid_of("get"), uid_of("usurper")))
    cause = refusal(Bench(tmp_path / "CM2", first.value, world.repo.value), lock)
    assert f"script: get: was get of repo ({uid_of('get')}), is get of first ({uid_of('usurper')})" in cause


def test_an_added_step_and_another_variation(world: World):
    lock = world.lock("use,_v")
    manifest = world.repo.folder("use") / "_cm.yaml"
    text = (
        manifest.read_text()
        .replace("variations:", "default_variation: w\nvariations:\n  w: {}")
        .replace("  v: {}", "  v: {base: [w]}")
    )
    manifest.write_text(text)
    world.repo.script("new")
    cause = refusal(world.bench, lock)
    assert "variation: use: was _v, is _v _w" in cause
    assert "recipe: use: _cm.yaml edited" in cause


def test_secrets_must_be_given_again(world: World):
    lock = world.lock(options={"gh_token": "abcdefgh"})
    with pytest.raises(CMBenchError, match="--gh_token was given") as caught:
        replayed(world.bench, lock)
    assert caught.value.hint == "give it again: --gh_token=…"
    assert replayed(world.bench, lock, options={"gh_token": "ijklmnop"}).report.env["CM_GH_TOKEN"] == "ijklmnop"


def test_what_the_user_says_now_is_no_drift(world: World):
    done = replayed(world.bench, world.lock(options={"n": "1"}), options={"n": "2"})
    assert done.report.env["CM_N"] == "2"
    assert not [one for one in done.drift if one.kind != "note"]


@pytest.mark.parametrize("text", ["", "host", "host,recipe, data"])
def test_accepted_kinds(text: str):
    assert parse_accepted(text) == {word.strip() for word in text.split(",") if word}


def test_an_unknown_kind():
    with pytest.raises(CMBenchError, match="--accept=hosts: no such kind"):
        parse_accepted("hosts")


def test_a_replaced_program_is_named_though_the_cache_tells_its_old_version(world: World, tmp_path: Path):
    tool = tmp_path / "tool"
    tool.write_text("one")
    hook = (
        "def preprocess(i):\n"
        f"    i['env'].update(CM_TOOL_BIN_WITH_PATH={str(tool)!r}, CM_TOOL_VERSION='1.0')\n    return {{'return': 0}}\n"
    )
    world.repo.script("get-tool", cache=True, customize=hook, new_env_keys=["CM_TOOL_*"])
    lock = world.lock("get-tool")
    tool.write_text("two")
    assert "tool: get-tool, CM_TOOL_BIN_WITH_PATH: was tool (3 B, " in refusal(world.bench, lock)


# -- packages


def install(folder: Path, version: str, content: str = "x = 1\n") -> None:
    """What pip leaves behind."""
    shutil.rmtree(folder, ignore_errors=True)
    info = folder / f"thing-{version}.dist-info"
    info.mkdir(parents=True)
    (folder / "thing.py").write_text(content)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n")
    (info / "RECORD").write_text("thing.py,sha256=abc,6\nthing.pyc,,\n")


@pytest.fixture
def packaged(world: World, tmp_path: Path) -> Path:
    """`lib` stands for a package in a folder, as get-generic-python-lib does; the folder."""
    site = tmp_path / "work" / "site"
    hook = (
        "import importlib.metadata\ndef postprocess(i):\n"
        f"    found = next(iter(importlib.metadata.distributions(name='thing', path=[{str(site)!r}])))\n"
        f"    i['env'].update(CM_PYTHONLIB_PATH={str(site)!r}, CM_THING_VERSION=found.version)\n"
        "    return {'return': 0}\n"
    )
    variations = {"thing": {"env": {"CM_GENERIC_PYTHON_PACKAGE_NAME": "thing"}}}
    keys = ["CM_PYTHONLIB_PATH", "CM_THING_VERSION"]
    world.repo.script("lib", customize=hook, variations=variations, new_env_keys=keys)
    install(site, "1.0")
    return site


def test_packages_are_locked(world: World, packaged: Path):
    (package,) = world.lock("lib,_thing").steps[0].packages
    assert (package.name, package.version, package.folder) == ("thing", "1.0", "{cwd}/site")


def test_another_version_of_a_package_is_named(world: World, packaged: Path):
    lock = world.lock("lib,_thing")
    install(packaged, "1.1")
    assert "package: thing: was 1.0, is 1.1" in refusal(world.bench, lock)


def test_other_files_of_a_package_are_named(world: World, packaged: Path):
    lock = world.lock("lib,_thing")
    install(packaged, "1.0", "import evil\n")
    assert "package: thing: 1.0 has other files than it had" in refusal(world.bench, lock)


def test_a_package_that_is_not_there_is_pinned(world: World, packaged: Path, tmp_path: Path):
    lock = world.lock("lib,_thing")
    shutil.rmtree(packaged)
    world.repo.script("lib2", run=f'cat "$PIP_CONSTRAINT" > {tmp_path}/seen\n')
    folder = world.repo.folder("lib")
    hook = (folder / "customize.py").read_text()
    (folder / "customize.py").write_text(
        hook + "\nimport os, pathlib, shutil\ndef preprocess(i):\n"
        f"    shutil.copy(os.environ['PIP_CONSTRAINT'], {str(tmp_path / 'seen')!r})\n"
        f"    info = pathlib.Path({str(packaged)!r}) / 'thing-1.0.dist-info'\n    info.mkdir(parents=True)\n"
        "    (info / 'METADATA').write_text('Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n')\n"
        "    return {'return': 0}\n"
    )
    replayed(world.bench, lock, "recipe", "package")
    assert (tmp_path / "seen").read_text() == "thing==1.0\n"


# -- repositories


def test_another_commit_is_a_note(world: World, tmp_path: Path):
    def git(*arguments: str) -> None:
        command = ["git", "-C", str(world.repo.path), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    git("init")
    git("add", "-A")
    git("commit", "-m", "one")
    lock = world.lock()
    assert len(lock.repositories[0].commit) == 40 and not lock.repositories[0].dirty
    (world.repo.path / "README.md").write_text("text")
    git("add", "-A")
    git("commit", "-m", "two")
    done = replayed(world.bench, lock)
    assert [one.kind for one in done.drift] == ["note"]
    (world.repo.folder("get") / "x.txt").write_text("x")
    assert world.lock().repositories[0].dirty
