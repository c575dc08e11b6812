"""The doctor finds each ailment and names its cure."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench.tools import doctor
from cm4bench.tools.doctor import Check, check_lines, checks_data, diagnose
from cm4bench.tools.gpus import Gpu, Nvidia

NVIDIA = Nvidia("535.1", "12.2", (Gpu("H100", 80 * 10**9, "9.0"),))


def checks(bench: Bench, **options) -> dict[str, Check]:
    """By name; of several with one name the worst."""
    order = ["bad", "note", "ok"]
    found = sorted(diagnose(bench.engine(), **options), key=lambda one: -order.index(one.status))
    return {one.name: one for one in found}


def test_a_healthy_host(bench: Bench, repo: RepoBuilder):
    repo.script("a")
    found = checks(bench)
    assert {found[name].status for name in ("python", "pip", "CM home", "scripts", "cache")} == {"ok"}
    assert sys.executable in found["python"].found
    assert found["scripts"].found == "1 in 1 repositories"


def test_every_ailment_has_a_cure(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    found = list(diagnose(bench.engine(), nvidia=Nvidia(problem="NVML: Driver Not Loaded")))
    assert [one for one in found if one.status != "ok" and not one.fix] == []
    assert {one.name for one in found if one.status == "bad"} >= {"bash", "gpu", "scripts"}


@pytest.mark.parametrize(("cuda", "status"), [("12.1", "ok"), ("12.8", "ok"), ("11.8", "ok"), ("13.0", "bad")])
def test_toolkit_and_driver(bench: Bench, tmp_path: Path, monkeypatch, cuda: str, status: str):
    (tmp_path / "version.json").write_text(json.dumps({"cuda": {"version": f"{cuda}.1"}}))
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    found = checks(bench, nvidia=NVIDIA)["CUDA toolkit"]
    assert found.status == status and cuda in found.found
    assert ("update the NVIDIA driver" in found.fix) == (status == "bad")


@pytest.mark.parametrize(("cuda", "status"), [("none", "bad"), ("12.4", "ok"), ("13.0", "bad"), ("", None)])
def test_torch_and_driver(bench: Bench, monkeypatch, cuda: str, status: str | None):
    monkeypatch.setattr(doctor, "_torch_cuda", lambda: cuda)
    found = checks(bench, nvidia=NVIDIA).get("torch")
    assert (found.status if found else None) == status


def test_version_of_the_installed_torch_without_importing_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "torch")
    before = set(sys.modules)
    assert doctor._torch_cuda() in ("", "none") or doctor._torch_cuda()[0].isdigit()
    assert "torch" not in set(sys.modules) - before


def test_gpus(bench: Bench):
    found = list(diagnose(bench.engine(), nvidia=NVIDIA))
    assert Check("ok", "gpu", "H100, 80.0 GB, compute capability 9.0") in found
    assert checks(bench, nvidia=Nvidia("1", "12.0"))["gpu"].status == "bad"


def test_a_home_that_cannot_be_written(bench: Bench, tmp_path: Path, repo: RepoBuilder):
    (tmp_path / "file").write_text("")
    found = checks(Bench(tmp_path / "file" / "CM", repo.value))["CM home"]
    assert found.status == "bad" and "export CM_REPOS" in found.fix


def test_a_full_disk(bench: Bench, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    found = checks(bench)["disk"]
    assert (found.status, found.found) == ("note", "1.0 GB free for the cache")


def test_scripts_that_are_set_aside_and_repositories_that_are_gone(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    (repo.folder("broken") / "_cm.yaml").write_text("a: [")
    bench.repos.append(repo.value._replace(alias="gone", place=tmp_path / "gone"))
    found = checks(bench)
    assert found["set aside"].fix == f"cm lint script --path={repo.path}"
    assert "gone: " in found["repository"].found


def test_the_store(bench: Bench, repo: RepoBuilder):
    run = 'echo x > f\necho "CM_F=$PWD/f" > tmp-run-env.out'
    repo.script("get-f", cache=True, run=run, outputs={"CM_F": {"type": "file"}})
    bench.run("get-f")
    assert checks(bench)["cache"].found == "1 entries, their files are there"
    (bench.entries()[0] / "f").unlink()
    assert checks(bench)["cache"].status == "bad"
    (bench.entries()[0].parent / "debris").mkdir()
    assert any("1 unfinished folders" in one.found for one in diagnose(bench.engine()))


def test_no_connection_unless_asked_for(bench: Bench, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert checks(bench)["network"].status == "note"


def test_the_network(bench: Bench, monkeypatch):
    import requests

    def head(url, **_):
        if "pypi" in url:
            return type("Response", (), {"status_code": 200})
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests, "head", head)
    found = checks(bench, network=True)
    assert (found["PyPI"].status, found["GitHub"].status) == ("ok", "note")


def test_lines_and_data():
    found = [Check("ok", "a", "there"), Check("bad", "b", "gone", "fetch it")]
    assert list(check_lines(found)) == ["✓ a: there", "✗ b: gone", "    → fetch it", "", "1 thing to mend"]
    assert checks_data(found)[1] == {"status": "bad", "name": "b", "found": "gone", "fix": "fetch it"}
    assert list(check_lines(found[:1]))[-1] == "nothing to mend"
