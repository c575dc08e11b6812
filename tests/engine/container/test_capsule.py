"""Capsules: what goes in, that it is checked to the last byte before anything runs, and that it runs elsewhere."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.workbench import RepoBuilder

from cm4bench import Engine, Request
from cm4bench.container.carried import CapsuleEngine
from cm4bench.container.packing import pack_tar
from cm4bench.container.standalone import start
from cm4bench.container.standalone.index import CapsuleError, object_path, read_index, verify
from cm4bench.container.wheels import LeftOut, Pinned, WheelError, collect_wheels
from cm4bench.errors import CMBenchError
from cm4bench.manifest import Repo

from .conftest import CapsuleMaker, rewrite


def paths_in(folder: Path) -> set[str]:
    return {member["path"] for member in read_index(folder)["members"]}


def elsewhere(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine as it is inside a capsule that was laid out in `home`."""
    monkeypatch.setenv("CM4BENCH_CAPSULE", str(folder))
    monkeypatch.setenv("CM4BENCH_HOME", str(home))
    repos = [Repo(path.name, path) for path in sorted((home / "repos").iterdir())]
    return CapsuleEngine.here(repos, home / "CM")


def test_what_is_inside(capsule: CapsuleMaker):
    folder = capsule()
    names = paths_in(folder)
    assert {"lock.json", "entries.json", "wheels/cmind-4.2.0-py3-none-any.whl", "repos/cm4bench/cmr"} <= names
    assert "repos/repo/script/use-data/run.sh" in names
    assert [name for name in names if name.endswith("data/numbers.txt")]
    assert capsule.made.entries == ("make-data",)  # the found tool is of this machine
    verify(folder, read_index(folder))


def test_nothing_of_this_machine_is_inside(capsule: CapsuleMaker, tmp_path: Path):
    folder = capsule()
    texts = [p.read_bytes() for p in folder.rglob("*") if p.is_file() and "standalone" not in p.parts]
    own = [text for text in texts if str(tmp_path / "CM").encode() in text or str(tmp_path / "work").encode() in text]
    assert own == []


def test_equal_content_is_kept_once(capsule: CapsuleMaker):
    members = read_index(capsule())["members"]
    by_name = {member["path"]: member["sha256"] for member in members}
    assert by_name["repos/cm4bench/cm"] == by_name["repos/cm4bench/cmr"]
    assert len({m["sha256"] for m in members}) == len(list(capsule.folder.glob("objects/*/*")))


def test_a_run_elsewhere_reuses_the_data(capsule: CapsuleMaker, started, tmp_path: Path, monkeypatch):
    folder = capsule()
    started(folder)
    report = elsewhere(folder, tmp_path / "home", monkeypatch).run(Request("use data"))
    assert report.made == ("find-tool",)
    listed = Path(report.env["CM_LIST"]).read_text().strip()
    assert Path(listed).is_relative_to(tmp_path / "home" / "CM")
    assert Path(listed).read_text() == "1 2 3"
    again = elsewhere(folder, tmp_path / "home", monkeypatch).run(Request("use data"))
    assert again.made == ()


def test_what_contains_a_tool_of_this_machine_is_made_anew(
    capsule: CapsuleMaker, repo: RepoBuilder, started, tmp_path: Path, monkeypatch
):
    both = [{"tags": "find,tool"}, {"tags": "make,data"}]
    made = "def preprocess(i):\n    open('x', 'w').close()\n    return {'return': 0}\n"
    repo.script("combine", tags="combine,data", cache=True, deps=both, customize=made)
    folder = capsule("combine data")
    assert capsule.made.entries == ("make-data",)
    started(folder)
    report = elsewhere(folder, tmp_path / "home", monkeypatch).run(Request("combine data"))
    assert set(report.made) == {"find-tool", "combine"}


def test_what_contains_a_python_package_travels_and_the_package_is_installed(
    capsule: CapsuleMaker, repo: RepoBuilder, started, tmp_path: Path
):
    metadata = str(importlib.metadata.distribution("filelock").locate_file("filelock/__init__.py"))
    repo.script(
        "lib",
        tags="get,lib",
        cache=True,
        customize=f"def preprocess(i):\n    i['env']['CM_LIB'] = {metadata!r}\n    return {{'return': 0}}\n",
        env={"CM_NOTHING": "x"},
        variations={"filelock": {"env": {"CM_GENERIC_PYTHON_PACKAGE_NAME": "filelock"}}},
        outputs={"CM_LIB": {"type": "file"}},
    )
    made = "def preprocess(i):\n    open('x', 'w').close()\n    return {'return': 0}\n"
    repo.script("combine", tags="combine,data", cache=True, deps=[{"tags": "get,lib,_filelock"}], customize=made)
    folder = capsule("combine data")
    assert capsule.made.entries == ("combine",)
    pip = tmp_path / "home" / "venv" / "bin" / "python"
    pip.parent.mkdir(parents=True)
    pip.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/pip\n')
    pip.chmod(0o755)
    started(folder)
    assert "-r" in (tmp_path / "pip").read_text().split()
    assert (tmp_path / "home" / "packages" / "packages.txt").read_text() == "filelock\n"


def test_an_edited_recipe_does_not_get_the_old_data(capsule: CapsuleMaker, started, tmp_path: Path, monkeypatch):
    folder = capsule()
    started(folder)
    manifest = tmp_path / "home" / "repos" / "repo" / "script" / "make-data" / "customize.py"
    manifest.write_text(manifest.read_text().replace("1 2 3", "4 5 6"))
    report = elsewhere(folder, tmp_path / "home", monkeypatch).run(Request("use data"))
    assert "make-data" in report.made


def test_damaged_data_is_put_back(capsule: CapsuleMaker, started, tmp_path: Path, monkeypatch):
    folder = capsule()
    started(folder)
    report = elsewhere(folder, tmp_path / "home", monkeypatch).run(Request("use data"))
    Path(report.env["CM_LIST"]).unlink()
    again = elsewhere(folder, tmp_path / "home", monkeypatch).run(Request("use data"))
    assert again.made == ()
    assert Path(again.env["CM_LIST"]).is_file()


def test_the_run_gets_no_network_settings(capsule: CapsuleMaker, started, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.org/simple")
    shown = started(capsule(), "--results_dir=/x")
    assert "PIP_NO_INDEX=1" in shown
    assert "PIP_INDEX_URL" not in shown
    assert shown.splitlines()[0].endswith("/home/request.json --results_dir=/x")


def test_given_files_travel(capsule: CapsuleMaker, started, tmp_path: Path):
    (tmp_path / "work" / "my.txt").write_text("mine")
    folder = capsule(options={"file": "./my.txt", "results_dir": str(tmp_path / "out")})
    started(folder)
    request = json.loads((tmp_path / "home" / "request.json").read_text())
    assert Path(request["file"]).read_text() == "mine"
    assert Path(request["file"]).is_relative_to(tmp_path / "home")
    assert "results_dir" not in request


def test_large_given_files_only_when_told(capsule: CapsuleMaker, tmp_path: Path):
    (tmp_path / "work" / "my.txt").write_text("mine" * 1000)
    with pytest.raises(CMBenchError, match="up to 0 MB go unasked") as caught:
        capsule(options={"file": "./my.txt"}, limit=1000)
    assert "--large" in caught.value.hint


def test_what_was_left_out_is_asked_for(capsule: CapsuleMaker, tmp_path: Path, started):
    folder = capsule(limit=1 << 20)
    with pytest.raises(CapsuleError, match="left out of the capsule because of their size: torch") as caught:
        start.run(folder, tmp_path / "home")
    assert "--find_links" in caught.value.hint
    assert not (tmp_path / "home").exists()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "torch-2.13.0.whl").write_text("")
    assert start.run(folder, tmp_path / "home", find_links=tmp_path / "more") == 0


def test_secrets_stay_at_home(capsule: CapsuleMaker, tmp_path: Path):
    secret = "hunter2-hunter2"
    folder = capsule(options={"api_key": secret}, env={"CM_API_KEY_TOKEN": secret})
    assert not [p for p in folder.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]
    with pytest.raises(CapsuleError, match="secrets are not kept") as caught:
        start.run(folder, tmp_path / "home")
    assert "--env.CM_API_KEY_TOKEN=…" in caught.value.hint


def object_of(folder: Path, name: str) -> Path:
    member = next(m for m in read_index(folder)["members"] if m["path"] == name)
    return object_path(folder, member["sha256"])


@pytest.mark.parametrize("name", ["wheels/cmind-4.2.0-py3-none-any.whl", "repos/repo/script/use-data/run.sh"])
def test_a_corrupted_member_is_named_and_nothing_runs(name: str, capsule: CapsuleMaker, tmp_path: Path):
    folder = capsule()
    damaged = object_of(folder, name)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    with pytest.raises(CapsuleError, match=f"{name} does not have the content"):
        start.run(folder, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_missing_wheel_is_named(capsule: CapsuleMaker, tmp_path: Path):
    folder = capsule()
    object_of(folder, "wheels/cmind-4.2.0-py3-none-any.whl").unlink()
    with pytest.raises(CapsuleError, match=r"cmind-4[.]2[.]0-py3-none-any[.]whl is missing"):
        start.run(folder, tmp_path / "home")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 99}, "has capsule schema 99; this program reads up to 1"),
        ({"schema": "x"}, "has capsule schema x"),
        ({"kind": "other"}, "is no capsule"),
        ({"members": None}, "is not whole"),
        ({"members": [{"path": "../x", "sha256": "0" * 64, "size": 0}]}, "leads out of its folder"),
        ({"members": [{"path": "/etc/x", "sha256": "0" * 64, "size": 0}]}, "leads out of its folder"),
        ({"members": [{"path": "x", "sha256": "../../x", "size": 0}]}, "no proper hash"),
        ({"machine": {"python": "3.8", "system": "linux", "machine": os.uname().machine}}, "for Python 3.8"),
        ({"machine": {"python": "3.11", "system": "linux", "machine": "pdp11"}}, "linux on pdp11"),
    ],
)
def test_an_index_that_cannot_be_used(changes: dict, words: str, capsule: CapsuleMaker, tmp_path: Path):
    folder = capsule()
    rewrite(folder, **changes)
    with pytest.raises(CapsuleError, match=words):
        start.run(folder, tmp_path / "home")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"kind": 1}', '{"kind": "cm4bench-capsule"}'])
def test_an_index_that_is_none(text: str, tmp_path: Path):
    (tmp_path / "capsule.json").write_text(text)
    with pytest.raises(CapsuleError):
        read_index(tmp_path)


def test_an_edited_index(capsule: CapsuleMaker):
    folder = capsule()
    path = folder / "capsule.json"
    path.write_text(path.read_text().replace('"use,data"', '"use,other"').replace('"use data"', '"use other"'))
    with pytest.raises(CapsuleError, match="was changed since it was written"):
        read_index(folder)


def test_as_one_file(capsule: CapsuleMaker, tmp_path: Path, started):
    file = tmp_path / "all.tar"
    pack_tar(capsule(), file)
    shown = started(file)
    assert f"CM4BENCH_CAPSULE={tmp_path / 'home' / 'capsule'}" in shown


def test_a_tar_file_cannot_write_elsewhere(capsule: CapsuleMaker, tmp_path: Path, started):
    file = tmp_path / "all.tar"
    pack_tar(capsule(), file)
    (tmp_path / "evil").write_text("evil")
    with tarfile.open(file, "a") as archive:
        for name in ("../evil", "/tmp/evil", "objects/../../evil", "launcher/x.sh"):
            archive.add(tmp_path / "evil", name)
    started(file)
    assert not [p for p in (tmp_path / "home").rglob("*") if p.name == "evil" or p.name == "x.sh"]


def test_a_broken_tar_file(capsule: CapsuleMaker, tmp_path: Path):
    file = tmp_path / "all.tar"
    pack_tar(capsule(), file)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(CapsuleError):
        start.run(file, tmp_path / "home")


def test_a_home_of_another_capsule(capsule: CapsuleMaker, tmp_path: Path, started):
    started(capsule())
    (tmp_path / "home" / "laid-out").write_text("0" * 64)
    with pytest.raises(CapsuleError, match="belongs to another capsule"):
        start.run(capsule.folder, tmp_path / "home")


def test_the_capsule_is_not_changed_by_its_runs(capsule: CapsuleMaker, tmp_path: Path, started, monkeypatch):
    folder = capsule()
    started(folder)
    elsewhere(folder, tmp_path / "home", monkeypatch).run(Request("use data"))
    verify(folder, read_index(folder))


def test_wheels_come_from_the_place_that_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    small, large = (write_wheel(tmp_path, name, size) for name, size in (("small", 10), ("large", 100_000)))
    wheels, left_out = collect_wheels(sys.executable, [["small", "large"]], tmp_path / "out", 50_000)
    assert [wheel.name for wheel in wheels] == [small.name]
    assert left_out == [LeftOut(large.name, large.stat().st_size)]
    with pytest.raises(WheelError, match="pip could not get the packages"):
        collect_wheels(sys.executable, [["small", "there-is-no-such-thing"]], tmp_path / "none", None)


def write_wheel(folder: Path, name: str, size: int) -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "#" * size)
        info = f"{name}-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def test_a_release_is_asked_for_by_hash(tmp_path: Path):
    one = Pinned("a", "1", (tmp_path / "a%20b-1.whl").as_uri(), "0" * 64)
    assert one.requirement.endswith(f"#sha256={'0' * 64}")
