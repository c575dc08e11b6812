"""Differences of locks in words: the most important first, each said once."""

from __future__ import annotations

from msgspec.structs import replace

from cm4bench.tools.difference import KINDS, compare_locks
from cm4bench.tools.lockfile import DataMark, Lock, LockedRepo, LockedRequest, LockedStep, Package


def step(label: str = "get-x", **values) -> LockedStep:
    alias = label.split()[0]
    variations = {word[1:]: "asked for" for word in label.split()[1:]}
    ours = {"label": label, "alias": alias, "uid": f"uid-{alias}", "repo": "r", "id": "1", "variations": variations}
    return LockedStep(**{**ours, "recipe": "aa", "files": {"run.sh": "1"}, **values})


def lock(*steps: LockedStep, **values) -> Lock:
    ours = {"created": "", "request": LockedRequest("get x"), "host": {"accelerator": "cpu"}, "ran": True}
    return Lock(repositories=(LockedRepo("r", "u", "a" * 40),), steps=steps, **{**ours, **values})


def words(old: Lock, new: Lock) -> list[str]:
    return [str(one) for one in compare_locks(old, new)]


def test_equal_locks():
    assert words(lock(step()), lock(step())) == []


def test_identity_and_time_do_not_matter():
    assert words(lock(step(), created="1"), lock(step(id="2"), created="2")) == []


def test_most_important_first():
    old = lock(step(data=(DataMark("K", "f", "file", 1, "aa"),), versions={"CM_T_VERSION": "1"}))
    changed = step(recipe="bb", data=(DataMark("K", "f", "file", 2, "bb"),), versions={"CM_T_VERSION": "2"})
    new = lock(changed, step("more"), host={"accelerator": "cuda"}, request=LockedRequest("get y"))
    kinds = [one.kind for one in compare_locks(old, new)]
    assert kinds == ["request", "step", "recipe", "data", "tool", "host"]
    assert kinds == sorted(kinds, key=KINDS.index)


def test_requests():
    old = LockedRequest("get x", options={"n": 1, "t": "<redacted>"}, version=("1", "", "", ""))
    new = LockedRequest("get x", options={"n": 2, "t": "<redacted>"}, env={"A": "b"})
    assert words(lock(request=old), lock(request=new)) == [
        "request: --n: was 1, is 2",
        "request: --env.A: was unset, is b",
        "request: --version: was 1, is any",
    ]


def test_a_recipe_of_many_steps_is_told_once():
    old = lock(step("get-x _a"), step("get-x _b"))
    new = lock(*(step(f"get-x _{v}", recipe="bb", files={"run.sh": "2", "new.py": "3"}) for v in "ab"))
    assert words(old, new) == ["recipe: get-x: run.sh edited; new.py added"]


def test_steps_are_matched_by_what_they_are_not_by_place():
    assert words(lock(step("a"), step("b")), lock(step("b"), step("a"))) == []
    assert words(lock(step("a"), step("b")), lock(step("b"))) == ["step: a: is no longer part of it"]


def test_variations_of_the_same_script():
    assert words(lock(step("a _x")), lock(step("a _y"))) == ["variation: a: was _x, is _y"]


def test_data_that_only_differs_by_paths_is_equal():
    marks = [DataMark("K", "f", "file", 9, digest, "same") for digest in ("aa", "bb")]
    assert words(lock(step(data=(marks[0],))), lock(step(data=(marks[1],)))) == []


def test_missing_data_counts_only_after_runs():
    old, new = lock(step(data=(DataMark("K", "d/f", "file", 2000, "a" * 64),))), lock(step())
    assert words(old, new) == ["data: get-x, K: was f (2.0 kB, sha256 aaaaaaaaaaaa…), is not there"]
    assert words(old, replace(new, ran=False)) == []


def test_a_package_and_the_version_key_that_repeats_it():
    old = step(packages=(Package("torch", "2.1"),), versions={"CM_TORCH_VERSION": "2.1"})
    new = step(packages=(Package("torch", "2.2"),), versions={"CM_TORCH_VERSION": "2.2"})
    assert words(lock(old), lock(new)) == ["package: torch: was 2.1, is 2.2"]


def test_inputs_that_other_steps_make_are_not_compared_by_value():
    old, new = step(inputs={"A": "1", "B": "2"}), step(inputs={"A": "(made by another step)", "B": "3"})
    assert words(lock(old), lock(new)) == ["input: get-x, B: was 2, is 3"]


def test_another_commit_and_kernel_are_notes():
    old, new = lock(host={"os.kernel": "1"}), lock(host={"os.kernel": "2"})
    new = replace(new, repositories=(LockedRepo("r", "u", "b" * 40),))
    assert [one.kind for one in compare_locks(old, new)] == ["note", "note"]
