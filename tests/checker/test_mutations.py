"""One fault at a time in a passing tree: the right rule names it, in words, and nothing raises."""

from pathlib import Path

import pytest
from mlperf_checker import check_tree, screen
from mlperf_checker.registry import all_rules
from tests.checker import trees
from tests.checker.mutations import MUTATIONS


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, trees.Tree]:
    home = tmp_path_factory.mktemp("good")
    kinds = {one.kind for one in MUTATIONS.values()}
    return {kind: trees.build(home / kind, kind) for kind in sorted(kinds)}


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_fault_is_named(tmp_path: Path, good: dict[str, trees.Tree], name: str) -> None:
    mutation = MUTATIONS[name]
    tree = good[mutation.kind].copy(tmp_path / "tree")
    before = {one.rule for one in check_tree(tree.root, tree.version).findings}
    assert mutation.rule not in before or mutation.rule == "nameplate"
    mutation.break_it(tree)
    report = check_tree(tree.root, tree.version)
    said = [one for one in report.findings if one.rule == mutation.rule and "could not look" not in one.cause]
    assert said, [str(one) for one in report.findings]
    assert not [one for one in report.findings if "could not look" in one.cause]
    for one in said:
        assert len(one.cause.split()) >= 3 and len(one.remedy.split()) >= 2
        assert one.path and not one.path.startswith("/")
    assert any(not one.ok for one in report.verdicts) == mutation.fails or not report.verdicts
    assert list(screen.lines(report))[-1] == report.counts


def test_every_rule_has_a_fault() -> None:
    by_rule = {one.rule for one in MUTATIONS.values()}
    elsewhere = {"no-submission", "system-power-key", "power-measurement"}
    assert {one.name for one in all_rules()} - by_rule - elsewhere == set()


def test_rules_say_what_they_check() -> None:
    assert all(one.check.__doc__ for one in all_rules())
