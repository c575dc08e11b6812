"""Container engines: their command lines, what they get to see of the host, and clear words where they are missing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.workbench import Bench

from cm4bench import Request
from cm4bench.container import engines
from cm4bench.container.engines import Apptainer, Docker, Launch, Mount, Podman, find_engine
from cm4bench.container.inside import Wish, launch_for, run_inside
from cm4bench.errors import CMBenchError

FAKE = """#!/bin/sh
case $1 in
  image) [ -f "{folder}/built" ]; exit ;;
  build) touch "{folder}/built"; ls > "{folder}/context"; exit {build} ;;
  run)
    printf '%s\\n' "$@" > "{folder}/run"
    for word; do case $word in @*) cat "${{word#@}}" > "{folder}/request" ;; esac; done
    exit {run} ;;
esac
"""


def fake(tmp_path: Path, kind: type = Docker, build: int = 0, run: int = 0):
    """An engine that only writes down how it was called."""
    program = tmp_path / kind.name
    program.write_text(FAKE.format(folder=tmp_path, build=build, run=run))
    program.chmod(0o755)
    return kind(str(program), tmp_path / "images")


LAUNCH = Launch("image:1", ("@/r.json",), (Mount(Path("/w"), True), Mount(Path("/d"))), Path("/w"), {"CM_REPOS": "/c"})


def test_docker_command():
    command = Docker("docker", Path()).run_command(LAUNCH)
    assert command[:3] == ["docker", "run", "--rm"]
    assert "type=bind,source=/w,target=/w" in command
    assert "type=bind,source=/d,target=/d,readonly" in command
    assert command[command.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
    assert command[-2:] == ["image:1", "@/r.json"]


def test_apptainer_command():
    command = Apptainer("apptainer", Path()).run_command(LAUNCH)
    assert command[:3] == ["apptainer", "run", "--contain"]
    assert "/w:/w:rw" in command
    assert "/d:/d:ro" in command
    assert command[-2:] == ["image:1", "@/r.json"]


@pytest.mark.parametrize(
    ("kind", "flag"), [(Docker, "--gpus=all"), (Podman, "--device=nvidia.com/gpu=all"), (Apptainer, "--nv")]
)
def test_gpus_only_for_cuda(kind: type, flag: str):
    import dataclasses

    assert flag not in kind("x", Path()).run_command(LAUNCH)
    assert flag in kind("x", Path()).run_command(dataclasses.replace(LAUNCH, cuda=True))


@pytest.mark.parametrize("kind", [Docker, Podman, Apptainer])
def test_paths_that_cannot_be_mounted(kind: type):
    launch = Launch("i", (), (Mount(Path("/a,b")),), Path("/"))
    with pytest.raises(CMBenchError, match="cannot mount a path"):
        kind("x", Path()).run_command(launch)


def test_a_missing_engine_is_no_reason_to_run_on_the_host():
    with pytest.raises(CMBenchError, match="apptainer is not installed; found on PATH: podman") as caught:
        find_engine("apptainer", Path(), which=lambda name: "/bin/podman" if name == "podman" else None)
    assert "--container=podman" in caught.value.hint


def test_no_engine_at_all():
    with pytest.raises(CMBenchError, match="docker is not installed; no other") as caught:
        find_engine("docker", Path(), which=lambda name: None)
    assert "apt install docker.io" in caught.value.hint


def test_an_engine_that_does_not_answer(tmp_path: Path):
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n")
    program.chmod(0o755)
    with pytest.raises(CMBenchError, match="cannot run containers here: Cannot connect"):
        find_engine("docker", Path(), which=lambda name: str(program))


def test_an_unknown_engine():
    with pytest.raises(CMBenchError, match="no such engine") as caught:
        find_engine("lxc", Path())
    assert all(name in caught.value.hint for name in engines.ENGINES)


def test_mounts_are_what_the_request_names(world: Bench, tmp_path: Path):
    data = tmp_path / "data.txt"
    data.write_text("x")
    options = {"file": str(data), "results_dir": "out", "word": "make-data", "tool": "/bin/sh"}
    launch = launch_for(world.home, Request("use data", options=options), "i:1", tmp_path / "r.json", cuda=False)
    assert Mount(data) in launch.mounts
    assert Mount(Path.cwd(), True) in launch.mounts
    assert (Path.cwd() / "out").is_dir()
    named = {mount.path for mount in launch.mounts}
    assert named == {data, Path.cwd(), tmp_path / "r.json", world.home / "cm4bench" / "containers" / "i-1"}


def test_the_whole_file_system_is_never_mounted(world: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir("/")
    with pytest.raises(CMBenchError, match="mounted as a whole"):
        launch_for(world.home, Request("use data"), "i:1", tmp_path / "r.json", cuda=False)


def test_one_build_for_two_runs_and_no_secret_on_a_command_line(world: Bench, tmp_path: Path):
    tool, token = fake(tmp_path), "hf_" + "a" * 30
    given = {"tags": "use,data", "env": {"CM_HF_TOKEN": token}}
    for _ in range(2):
        assert run_inside(world.engine(), Request("use data", env=given["env"]), given, tool, Wish()) == 0
    assert (tmp_path / "context").read_text().split() == ["Dockerfile", "cm4bench.def", "packages", "repos"]
    assert token not in (tmp_path / "run").read_text()
    assert json.loads((tmp_path / "request").read_text()) == given


def test_exit_code_of_the_run(world: Bench, tmp_path: Path):
    assert run_inside(world.engine(), Request("use data"), {"tags": "use,data"}, fake(tmp_path, run=7), Wish()) == 7


def test_a_build_that_fails(world: Bench, tmp_path: Path):
    with pytest.raises(CMBenchError, match="could not build the image"):
        run_inside(world.engine(), Request("use data"), {"tags": "use,data"}, fake(tmp_path, build=3), Wish())


def test_an_impossible_plan_builds_nothing(world: Bench, tmp_path: Path):
    with pytest.raises(CMBenchError):
        run_inside(world.engine(), Request("no such thing"), {}, fake(tmp_path), Wish())
    assert not (tmp_path / "built").exists()
