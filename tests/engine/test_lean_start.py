"""A command that finds its step in the cache loads little: each of these libraries costs it a millisecond or more."""

from __future__ import annotations

import subprocess
import sys

from tests.workbench import ROOT, Bench, RepoBuilder

HEAVY = {
    *("pathlib", "hashlib", "_hashlib", "dataclasses", "fnmatch", "shutil", "subprocess", "tempfile", "urllib.parse"),
    *("multiprocessing", "difflib", "ast", "inspect", "yaml", "filelock", "rich", "msgspec", "numpy", "cmind"),
}
CODE = """
import sys
sys.path.insert(0, {engine!r})
from cm4bench import Engine, Repo, Request
from cm4bench import adapter
report = Engine([Repo("repo", {repo!r})], {home!r}).run(Request("top"))
assert report.made == () and report.outcome.new_env == {{"CM_KEPT": "1", "CM_TOP": "2"}}, report
print(*sys.modules)
"""


def test_a_reused_step_and_one_without_code_load_nothing_heavy(bench: Bench, repo: RepoBuilder) -> None:
    repo.script("kept", cache=True, env={"CM_KEPT": "1"}, new_env_keys=["CM_KEPT"])
    repo.script("top", deps=[{"tags": "kept"}], env={"CM_TOP": "2"}, new_env_keys=["CM_TOP", "CM_KEPT"])
    assert bench.run("top").made == ("kept",)
    code = CODE.format(engine=str(ROOT / "automation" / "script"), repo=str(repo.path), home=str(bench.home))
    # without site: what it loads for installed packages is not ours
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert HEAVY & set(loaded.split()) == set()
