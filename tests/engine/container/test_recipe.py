"""Images from plans: the text is the same every time, says what it must, and passes a linter for Dockerfiles."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workbench import ROOT, Bench, RepoBuilder

from cm4bench import Engine, Repo, Request
from cm4bench.container.bases import base_image
from cm4bench.container.context import write_context
from cm4bench.container.recipe import apptainer_text, dockerfile_text, image_recipe
from cm4bench.errors import CMBenchError
from cm4bench.facts import Facts

GOLDEN = Path(__file__).with_name("golden")
BASE = f"docker.io/library/python:3.11-slim-bookworm@sha256:{'0' * 64}"
REQUESTS = {
    "data": Request("get dataset imagenet val _embedded"),
    "system": Request("get generic-sys-util _cmake"),
    "benchmark": Request("run mlperf inference", env={"CM_MLPERF_DEVICE": "cpu"}),
}


def own_recipe(name: str, home: Path, **options):
    """Planned as if on a machine that has nothing yet: the same on every host."""
    facts = Facts("linux-x86_64", {"os.type": "linux", "os.flavor": "debian", "accelerator": "cpu", "cpu.count": 2})
    engine = Engine([Repo("cm4bench", ROOT, strict=True)], home, facts=facts)
    return image_recipe(engine.plan(REQUESTS[name]), engine.repos, BASE, **options)


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("kind", ["Dockerfile", "def"])
def test_golden(name: str, kind: str, tmp_path: Path):
    text = (dockerfile_text if kind == "Dockerfile" else apptainer_text)(own_recipe(name, tmp_path))
    golden = GOLDEN / f"{name}.{kind}"
    if os.environ.get("CM4BENCH_REWRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text(), "meant? then: CM4BENCH_REWRITE_GOLDEN=1 ./test tests/engine/container"


@pytest.mark.parametrize("name", REQUESTS)
def test_hadolint_has_nothing_to_say(name: str, tmp_path: Path):
    tool = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if tool is None:
        pytest.skip("hadolint is not installed")
    for wheels in (False, True):
        text = dockerfile_text(own_recipe(name, tmp_path, wheels=wheels))
        done = subprocess.run([tool, "--no-color", "-"], input=text, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "")


def test_base_user_and_arguments(tmp_path: Path):
    lines = dockerfile_text(own_recipe("benchmark", tmp_path)).splitlines()
    assert [line for line in lines if line.startswith("FROM")] == [f"FROM {BASE}"]
    assert [line.split()[1] for line in lines if line.startswith("USER")] == ["1000"]
    assert not [line for line in lines if line.startswith("ARG")]


def test_a_token_in_the_request_is_not_in_the_recipe(world: Bench):
    engine, token = world.engine(), "ghp_" + "a" * 36
    request = Request("use data", options={"api_key": token}, env={"CM_AUTH_TOKEN": token})
    recipe = image_recipe(engine.plan(request), engine.repos, BASE)
    assert token not in dockerfile_text(recipe) + apptainer_text(recipe)


def test_text_in_a_request_cannot_end_the_comment(world: Bench):
    engine = world.engine()
    plan = engine.plan(Request("use data"))._replace(request="use data\nRUN rm -rf /")
    assert "\nRUN rm" not in dockerfile_text(image_recipe(plan, engine.repos, BASE))


@pytest.mark.parametrize("name", ["x; rm -rf /", "--index-url=http://evil", "a\nRUN b", "$(id)"])
def test_package_names_are_only_names(name: str, world: Bench, repo: RepoBuilder):
    repo.script("lib", tags="get,lib", variations={"p": {"env": {"CM_GENERIC_PYTHON_PACKAGE_NAME": name}}})
    engine = world.engine()
    with pytest.raises(CMBenchError, match="names a package that is none"):
        image_recipe(engine.plan(Request("get lib _p")), engine.repos, BASE)


def test_other_repositories_come_along_and_are_found(world: Bench):
    engine = world.engine()
    text = dockerfile_text(image_recipe(engine.plan(Request("use data")), engine.repos, BASE))
    assert "CM4BENCH_REPOS=/opt/repos/repo" in text


def test_without_a_clone_there_is_no_image(bench: Bench, repo: RepoBuilder):
    repo.script("alone", tags="be,alone")
    with pytest.raises(CMBenchError, match="no launcher to take along"):
        image_recipe(bench.plan("be alone"), bench.repos, BASE)


def test_build_folder(world: Bench, tmp_path: Path):
    engine = world.engine()
    recipe = image_recipe(engine.plan(Request("use data")), engine.repos, BASE)
    (tmp_path / "cm4bench" / "tests").mkdir()
    (tmp_path / "cm4bench" / "tests" / "test_x.py").write_text("")
    digests = {write_context(recipe, engine.repos, tmp_path / name) for name in ("one", "two")}
    assert len(digests) == 1
    assert (tmp_path / "one" / "Dockerfile").read_text() == dockerfile_text(recipe)
    assert os.access(tmp_path / "one" / "repos" / "cm4bench" / "cmr", os.X_OK)
    assert not (tmp_path / "one" / "repos" / "cm4bench" / "tests").exists()
    with pytest.raises(CMBenchError, match="is not empty"):
        write_context(recipe, engine.repos, tmp_path / "one")


def test_edited_scripts_are_another_image(world: Bench, repo: RepoBuilder, tmp_path: Path):
    engine = world.engine()
    recipe = image_recipe(engine.plan(Request("use data")), engine.repos, BASE)
    before = write_context(recipe, engine.repos, tmp_path / "one")
    (repo.folder("use-data") / "run.sh").write_text("#!/bin/bash\n")
    assert write_context(recipe, engine.repos, tmp_path / "two") != before


def test_known_bases_are_pinned():
    known = json.loads((ROOT / "automation/script/cm4bench/container/bases.json").read_text())
    for version in known["bases"]:
        assert re.fullmatch(
            rf"docker\.io/library/python:{version}-slim-bookworm@sha256:[0-9a-f]{{64}}", base_image(version)
        )
    assert base_image() == base_image(known["default"])


@pytest.mark.parametrize("wanted", ["python:3.11", "python:latest", "x@sha256:12", "a b@sha256:" + "0" * 64, "3.9"])
def test_a_tag_alone_is_refused(wanted: str):
    with pytest.raises(CMBenchError, match="neither a known base nor pinned"):
        base_image(wanted)
