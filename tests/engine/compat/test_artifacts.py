"""Scripts and cache entries as CM's artifacts: what cmind's own actions do with what our `find` returns."""

import json
from pathlib import Path

import pytest
import yaml
from tests.workbench import ROOT, CommandLine, RepoBuilder

from cm4bench.compat.artifacts import FoundArtifact, found_script
from cm4bench.manifest import Script
from cm4bench.manifestfiles import load_raw


@pytest.fixture
def registered(tmp_path: Path) -> tuple[CommandLine, RepoBuilder]:
    """The real cmind with this repository; another one, of two scripts, is added after it."""
    cm, repo = CommandLine(tmp_path), RepoBuilder(tmp_path / "other")
    repo.script("base", tags="base,x", cache=True)
    repo.script("derived", _base="script::base", tags="derived")
    for path in (ROOT, repo.path):
        added = cm("cm", "add", "repo", f"--path={path}")
        assert added.returncode == 0, added.stderr
    return cm, repo


def test_a_repository_with_inheriting_scripts_can_be_added_and_found(registered: tuple[CommandLine, RepoBuilder]):
    cm, _ = registered
    out = cm.home.parent / "found.json"
    assert cm("cm", "find", "script", "--tags=derived", f"--save_to_json={out}").returncode == 0
    found = json.loads(out.read_text())["list"]
    assert [entry["meta"]["tags"] for entry in found] == [["base", "x", "derived"]]


def test_scripts_are_copied_renamed_and_removed(registered: tuple[CommandLine, RepoBuilder]):
    cm, repo = registered
    assert cm("cm", "copy", "script", "base", "second", "--new_tags=more").returncode == 0
    copied = yaml.safe_load((repo.path / "script/second/_cm.yaml").read_text())
    assert copied["alias"] == "second" and copied["uid"] != load_raw(repo.path / "script/base")["uid"]
    assert cm("cm", "mv", "script", "second", "third").returncode == 0
    assert cm("cm", "find", "script", "third").stdout.split() == [str(repo.path / "script/third")]
    assert cm("cm", "rm", "script", "third", "-f").returncode == 0
    assert not (repo.path / "script/third").exists()


def test_cache_entries_are_artifacts(registered: tuple[CommandLine, RepoBuilder]):
    cm, _ = registered
    assert cm("cmr", "base x", "--quiet").returncode == 0
    code = "import cmind; e = cmind.access({'action': 'find', 'automation': 'cache', 'tags': 'base'})['list'][0]"
    done = cm("python", "-c", f"{code}; print(e.path, e.meta['associated_script_artifact'], e.repo_meta['alias'])")
    assert done.returncode == 0, done.stderr
    path, owner, repo = done.stdout.split()
    assert (Path(path) / "_cm.json").is_file() and owner.startswith("base,") and repo == "local"


def test_a_changed_description_is_written_and_keeps_the_identity(repo: RepoBuilder):
    folder = repo.script("thing", tags="a")
    artifact: FoundArtifact = found_script(Script(folder, repo.value, load_raw(folder)))
    artifact.update({"tags": ["b"]})
    assert artifact.meta["tags"] == ["a", "b"]
    artifact.update({"name": "new"}, replace=True, tags=["c"])
    written = json.loads((folder / "_cm.json").read_text())
    assert (written["alias"], written["name"], written["tags"]) == ("thing", "new", ["c"])
    assert artifact.load(ignore_inheritance=True) == {"return": 0}
