"""A lock says all that decided about a run, and nothing that must not be written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench import Request
from cm4bench.tools.lock import lock_plan, lock_run
from cm4bench.tools.lockfile import Lock, LockError, is_lock, read_lock, write_lock

MAKES_FILE = 'head -c 1000 /dev/zero > data.bin\necho "CM_DATA=$PWD/data.bin" > tmp-run-env.out'


@pytest.fixture
def chain(repo: RepoBuilder) -> RepoBuilder:
    """`use` needs `get`, which is cached and makes a file."""
    repo.script("get", cache=True, run=MAKES_FILE, outputs={"CM_DATA": {"type": "file"}}, variations={"v": {}})
    repo.script(
        "use",
        deps=[{"tags": "get,_v", "names": ["file"]}],
        input_mapping={"n": "CM_N", "gh_token": "CM_GH_TOKEN"},
        env={"CM_COPY": "<<<CM_GH_TOKEN>>> for <<<CM_N>>>"},
    )
    return repo


def locked(bench: Bench, tags: str = "use", **request) -> Lock:
    asked = Request(tags, **request)
    return lock_run(bench.engine(), asked, bench.engine().run(asked))


def test_a_plan_is_locked_without_running(bench: Bench, chain: RepoBuilder):
    lock = lock_plan(bench.engine(), Request("use"))
    assert [step.label for step in lock.steps] == ["get _v", "use"]
    assert not lock.ran and not lock.steps[0].made and not lock.steps[0].data
    assert bench.entries() == []


def test_a_run_is_locked_with_its_data(bench: Bench, chain: RepoBuilder):
    get, use = locked(bench).steps
    (mark,) = get.data
    assert (mark.key, mark.kind, mark.size, mark.path) == ("CM_DATA", "file", 1000, "{cache}/{entry}/data.bin")
    assert mark.sha256 == "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53"
    assert set(get.files) == {"_cm.yaml", "run.sh"}
    assert use.needs == (0,)


def test_what_is_inside_of_a_cached_step_is_locked_too(bench: Bench, chain: RepoBuilder):
    chain.script("outer", cache=True, deps=[{"tags": "get"}])
    bench.run("outer")
    assert [step.label for step in lock_plan(bench.engine(), Request("outer")).steps] == ["get", "outer"]


def test_same_request_same_lock(bench: Bench, chain: RepoBuilder):
    first, second = locked(bench), locked(bench)
    assert first.steps == second.steps and first.host == second.host


def test_folders_are_marked_by_content_and_texts_without_paths(bench: Bench, repo: RepoBuilder):
    run = 'mkdir tree\necho "made in $PWD" > tree/note.txt\necho "CM_TREE=$PWD/tree" > tmp-run-env.out'
    repo.script("get-tree", cache=True, run=run, outputs={"CM_TREE": {"type": "dir"}})
    here = locked(bench, "get-tree").steps[0].data[0]
    there = locked(Bench(bench.home.parent / "other CM", repo.value), "get-tree").steps[0].data[0]
    assert here.sha256 != there.sha256
    assert here.portable_sha256 == there.portable_sha256 != ""


def test_files_that_the_request_names(bench: Bench, chain: RepoBuilder, tmp_path: Path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    (mark,) = locked(bench, options={"n": str(tmp_path / "model.bin")}).request_data
    assert (mark.key, mark.size) == ("--n", 7)


def test_secrets_are_nowhere_in_the_file(bench: Bench, chain: RepoBuilder, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "of-the-environment")
    options = {"gh_token": "of-the-request", "n": "of-the-environment"}
    write_lock(locked(bench, options=options), tmp_path / "lock.json")
    text = (tmp_path / "lock.json").read_text()
    assert "of-the-request" not in text and "of-the-environment" not in text
    assert read_lock(tmp_path / "lock.json").redacted == ("options.gh_token",)


def test_a_working_folder_is_no_secret(bench: Bench, chain: RepoBuilder, monkeypatch):
    monkeypatch.setenv("PWD", "/a/working/folder")
    monkeypatch.setenv("OLDPWD", "/another/folder")
    lock = locked(bench, options={"n": "/a/working/folder", "pwd": "of-the-request"})
    assert lock.request.options["n"] == "/a/working/folder"
    assert lock.redacted == ("options.pwd",)


def test_nothing_of_this_machine_is_in_the_file(bench: Bench, chain: RepoBuilder, tmp_path: Path):
    write_lock(locked(bench, env={"CM_X": str(tmp_path / "work" / "x")}), tmp_path / "lock.json")
    assert str(tmp_path) not in (tmp_path / "lock.json").read_text()


def test_what_steps_tell_about_versions(bench: Bench, repo: RepoBuilder):
    hook = (
        "def postprocess(i):\n    i['env']['CM_TOOL_VERSION'] = '1.2.3'\n    return {'return': 0, 'version': '1.2'}\n"
    )
    repo.script("get-tool", cache=True, customize=hook, new_env_keys=["CM_TOOL_VERSION"])
    (step,) = locked(bench, "get-tool").steps
    assert (step.versions, step.delivered) == ({"CM_TOOL_VERSION": "1.2.3"}, "1.2")


# -- the file


@pytest.fixture
def written(bench: Bench, chain: RepoBuilder, tmp_path: Path) -> Path:
    write_lock(locked(bench), tmp_path / "lock.json")
    return tmp_path / "lock.json"


def test_a_lock_comes_back_as_it_was(written: Path):
    lock = read_lock(written)
    write_lock(lock, written.with_name("again.json"))
    assert read_lock(written.with_name("again.json")) == lock
    assert is_lock(written) and not is_lock(written.with_name("none.json"))


def changed(path: Path, **values) -> Path:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return path


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"kind": 1}', "\xff", "{" * 5000, '{"a": ' * 5000])
def test_what_is_no_lock(written: Path, content: str):
    written.write_text(content, encoding="latin-1")
    with pytest.raises(LockError, match="is not a lock"):
        read_lock(written)


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(LockError, match="cannot be read: No such file"):
        read_lock(tmp_path / "none.json")


def test_a_newer_lock(written: Path):
    with pytest.raises(LockError, match=r"lock schema 99.*update cm4bench"):
        read_lock(changed(written, schema=99))


def test_an_edited_lock(written: Path):
    with pytest.raises(LockError, match="was edited since"):
        read_lock(changed(written, created="2020-01-01T00:00:00+00:00"))


def test_formatting_a_lock_is_no_edit(written: Path):
    assert read_lock(changed(written)).steps


def test_a_place_that_cannot_be_written(written: Path, tmp_path: Path):
    with pytest.raises(LockError, match="cannot be written"):
        write_lock(read_lock(written), written / "below-a-file" / "lock.json")
