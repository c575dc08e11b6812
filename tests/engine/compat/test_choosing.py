"""Which of several scripts: what the cache holds decides for what is wanted, not for what may never be."""

from tests.workbench import Bench, RepoBuilder


def test_a_script_that_asks_for_its_own_kind_keeps_its_identity(bench: Bench, repo: RepoBuilder):
    """`get-llvm` wants the flags of any compiler, unless it has found one itself: it must not change with the cache."""
    for sort, name in ((500, "gcc"), (100, "llvm")):
        wants = [{"tags": "compiler", "skip_if_env": {"CM_FOUND": ["yes"]}}] if name == "llvm" else []
        found = "echo CM_FOUND=yes >> tmp-run-env.out"
        keys = ["CM_FOUND"]
        repo.script(name, tags=f"compiler,{name}", sort=sort, cache=True, run=found, new_env_keys=keys, post_deps=wants)
    assert bench.run("gcc").made == ("gcc",)
    assert bench.run("llvm").made == ("llvm",)
    assert bench.run("llvm").made == ()


def test_of_several_scripts_the_one_in_the_cache_is_taken(bench: Bench, repo: RepoBuilder):
    for name in ("a", "b"):
        repo.script(name, tags=f"kind,{name}", cache=True, env={"CM_BY": name}, new_env_keys=["CM_BY"])
    assert bench.run("b").made == ("b",)
    assert bench.run("kind").outcome.new_env == {"CM_BY": "b"}
