"""Dependency lists: joined by variations, changed by name."""

import pytest

from cm4bench.deplists import add_to_named, append_deps, has_name
from cm4bench.environment import Environment, Pending


def test_new_ones_are_appended():
    deps = [{"tags": "a"}]
    append_deps(deps, [{"tags": "b"}])
    assert deps == [{"tags": "a"}, {"tags": "b"}]


def test_the_same_names_replace_in_place():
    deps = [{"tags": "a", "names": ["n", "m"]}, {"tags": "b"}]
    append_deps(deps, [{"tags": "c", "names": ["m", "n"]}])
    assert deps == [{"tags": "c", "names": ["m", "n"]}, {"tags": "b"}]


def test_nameless_ones_are_known_by_their_tags_in_any_order():
    deps = [{"tags": "m,tr,_x"}]
    append_deps(deps, [{"tags": "_x,m,tr", "env": {"A": 1}}])
    assert deps == [{"tags": "_x,m,tr", "env": {"A": 1}}]


def test_a_name_and_no_name_are_different():
    deps = [{"tags": "a", "names": ["n"]}]
    append_deps(deps, [{"tags": "a"}])
    assert len(deps) == 2


def test_names_may_be_one_text():
    assert has_name({"names": "abc"}, "abc")
    assert not has_name({"names": "abc"}, "b")
    assert not has_name({}, "b")


def changed(dep: dict, info: dict, **env: object) -> dict:
    add_to_named([dep], {"n": info}, Environment(env))
    return dep


def test_tags_are_added_once():
    assert changed({"names": ["n"], "tags": "a,_b"}, {"tags": "_b,_c"})["tags"] == "a,_b,_c"


def test_tags_with_an_unknown_key_are_dropped():
    dep = {"names": ["n"], "tags": "a"}
    assert changed(dep, {"tags": "_v.<<<CM_A>>>,_w"})["tags"] == "a,_w"
    assert changed(dep, {"tags": "_v.<<<CM_A>>>"}, CM_A="1")["tags"] == "a,_w,_v.1"


def test_mappings_merge_lists_grow_values_replace():
    dep = {"names": ["n"], "env": {"A": 1, "B": 1}, "tags": "a", "version": "1", "force_env_keys": ["X"]}
    changed(dep, {"env": {"B": 2, "C": "<<<K>>>"}, "version": "2", "force_env_keys": ["Y"]}, K="k")
    assert dep["env"] == {"A": 1, "B": 2, "C": "k"}
    assert dep["version"] == "2"
    assert dep["force_env_keys"] == ["X", "Y"]


@pytest.mark.parametrize(("value", "tags"), [("yes", "a,_x"), ("no", "a"), (None, "a")])
def test_a_condition_gates_the_change(value: str | None, tags: str):
    env = {} if value is None else {"CM_G": value}
    dep = changed({"names": ["n"], "tags": "a"}, {"tags": "_x", "enable_if_env": {"CM_G": ["yes"]}}, **env)
    assert dep["tags"] == tags
    assert "enable_if_env" not in dep


def test_whether_a_name_was_found():
    deps = [{"names": ["n"], "tags": "a"}]
    assert add_to_named(deps, {"n": {}}, Environment())
    assert not add_to_named(deps, {"m": {}}, Environment())
    assert add_to_named(deps, {"m": {"skip_if_env": {"A": ["off"]}}}, Environment())
    assert not add_to_named(deps, {"n": None}, Environment())


def test_a_pending_value_is_not_written_into_a_change():
    dep = changed({"names": ["n"], "tags": "a"}, {"version": "<<<K>>>"}, K=Pending("s", "K"))
    assert dep["version"] == "<<<K>>>"
