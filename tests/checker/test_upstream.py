"""Upstream's unmodified checkers pass our passing trees, and see the same results.

MLCOMMONS_INFERENCE names a checkout of mlcommons/inference; nothing of it is kept here.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlperf_checker import check_tree, upstream
from tests.checker import trees
from tests.checker.mutations import MUTATIONS

CHECKOUT = Path(os.environ.get("MLCOMMONS_INFERENCE", "nowhere"))
needs_checkout = pytest.mark.skipif(not CHECKOUT.is_dir(), reason="MLCOMMONS_INFERENCE names no checkout")
# made-up power folders cannot pass, and today's checkers no longer know v4.1
KINDS = [kind for kind in trees.KINDS if not kind.startswith(("power", "open-v4.1"))]

# A fault that upstream's newer checker lets through (or crashes on, which passes nothing) is what ours is for.
THEIRS_TOO = (
    "wrong seed",
    "one minute",
    "few samples in memory",
    "500 of 50000 samples",
    "key missing",
    "wrong status",
)


@pytest.mark.slow
@needs_checkout
@pytest.mark.parametrize("kind", KINDS)
def test_the_newer_checker_agrees(tmp_path: Path, kind: str) -> None:
    tree = trees.build(tmp_path / "tree", kind)
    theirs = upstream.run(CHECKOUT, tree.root, tree.version)
    assert "submission looks OK" in theirs.last_line
    assert list(upstream.differences(check_tree(tree.root, tree.version), theirs)) == []


@pytest.mark.slow
@needs_checkout
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "v6" in kind])
def test_the_older_checker_agrees(tmp_path: Path, kind: str) -> None:
    tree = trees.build(tmp_path / "tree", kind)
    theirs = upstream.run(CHECKOUT / "tools" / "submission" / "submission_checker_old.py", tree.root, tree.version)
    assert "submission looks OK" in theirs.last_line
    # its numbers are not compared: it knows tokens per second of few benchmarks
    assert len(theirs.results) == len(tree.scenarios)


@pytest.mark.slow
@needs_checkout
@pytest.mark.parametrize("name", THEIRS_TOO)
def test_faults_that_both_find(tmp_path: Path, name: str) -> None:
    tree = trees.build(tmp_path / "tree", MUTATIONS[name].kind)
    MUTATIONS[name].break_it(tree)
    theirs = upstream.run(CHECKOUT, tree.root, tree.version)
    assert not theirs.results
    assert list(upstream.differences(check_tree(tree.root, tree.version), theirs)) == []


@pytest.mark.slow
@needs_checkout
def test_the_command_compares(tmp_path: Path) -> None:
    tree = trees.build(tmp_path / "tree", "open-v6.1")
    MUTATIONS["result INVALID"].break_it(tree)
    command = [sys.executable, "-m", "mlperf_checker", str(tree.root), "--version", "v6.1", "--upstream", str(CHECKOUT)]
    paths = os.pathsep.join(one for one in sys.path if one)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, check=False)
    assert done.returncode == 1
    assert "ours fails (result-invalid), upstream passes" in done.stdout
