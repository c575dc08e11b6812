"""Environment values: origins, merging, templates, patterns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm4bench.environment import (
    Environment,
    Pending,
    expand,
    is_pattern,
    merge_lists,
    origin_parts,
    plain_copy,
    template_keys,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


def test_a_value_without_origin_is_identified_by_itself():
    env = Environment({"A": "1"})
    assert env.provenance("A") == "='1'"
    env.set("A", "2", "step")
    assert env.provenance("A") == "@step"
    env.set("A", "3")
    assert env.provenance("A") == "='3'"


def test_setdefault_leaves_what_is_there():
    env = Environment({"A": "1"})
    env.setdefault("A", "2")
    env.setdefault("B", "2")
    assert env.values == {"A": "1", "B": "2"}


def test_discard_forgets_the_origin_too():
    env = Environment({"A": "1"}, {"A": "step"})
    env.discard("A")
    env.discard("NOT_THERE")
    assert "A" not in env
    assert env.origins == {}


def test_text_of_what_is_unset_or_pending_is_empty():
    env = Environment({"A": " x ", "B": None, "C": Pending("s", "C"), "D": 3})
    assert [env.text(key) for key in "ABCDE"] == ["x", "", "", "3", ""]


def test_copies_are_independent():
    env = Environment({"L": ["a"], "M": {"k": ["v"]}})
    twin = env.copy()
    twin["L"].append("b")
    twin["M"]["k"].append("w")
    assert env.values == {"L": ["a"], "M": {"k": ["v"]}}


def test_a_dependency_overwrites_texts_and_appends_lists():
    env = Environment({"+PATH": ["/a"], "A": "old"})
    env.merge_new({"+PATH": ["/b", "/a"], "A": "new", "B": "1"}, "dep")
    assert env.values == {"+PATH": ["/a", "/b"], "A": "new", "B": "1"}
    assert env.provenance("A") == "@dep"
    assert "dep" in origin_parts(env.origins["+PATH"])


def test_a_list_made_by_two_steps_comes_from_both():
    env = Environment()
    env.merge_new({"+PATH": ["/a"]}, "one")
    env.merge_new({"+PATH": ["/b"]}, "two")
    assert origin_parts(env.origins["+PATH"]) == ["one", "two"]


def test_undecided_origins_lose_their_mark():
    assert origin_parts("one+two?") == ["one", "two"]


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["CM_A"], ["CM_A"]),
        (["CM_A*"], ["CM_A", "CM_AB"]),
        (["CM_A?"], ["CM_AB"]),
        (["CM_B", "CM_A*"], ["CM_B", "CM_A", "CM_AB"]),
        (["CM_X"], []),
        (["+*"], ["+PATH"]),
        (["cm_a"], []),
    ],
)
def test_patterns(patterns: list[str], found: list[str]):
    env = Environment(dict.fromkeys(["CM_A", "CM_AB", "CM_B", "+PATH"], ""))
    assert env.matching(patterns) == found


def test_what_is_a_pattern():
    assert is_pattern("CM_*")
    assert is_pattern("CM_?")
    assert not is_pattern("+PATH")


def test_templates():
    env = Environment({"A": "1", "B": "b", "P": Pending("s", "P")})
    assert expand("<<<A>>>-<<<B>>>", env) == "1-b"
    assert expand("<<<A>>>-<<<NOPE>>>", env) == "1-<<<NOPE>>>"
    assert expand(["<<<A>>>", 3], env) == ["1", 3]
    assert expand("x<<<P>>>", env) == env["P"]
    assert expand(4, env) == 4
    assert template_keys("a<<<K>>>b<<<L>>>") == ["K", "L"]
    assert template_keys(None) == []


@given(st.lists(st.integers()), st.lists(st.integers()))
def test_merged_lists_keep_the_old_and_gain_each_new_item(old: list[int], new: list[int]):
    merged = merge_lists(old, new)
    assert merged[: len(old)] == old
    assert set(merged) == {*old, *new}


@given(PLAIN)
def test_plain_copies_are_equal(value: object):
    assert plain_copy(value) == value


def test_a_pending_value_shows_its_key():
    assert str(Pending("step", "CM_A")) == "<CM_A>"
