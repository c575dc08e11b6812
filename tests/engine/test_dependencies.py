"""From a dependency of a frame to the call it makes."""

from pathlib import Path
from typing import Any

import pytest

from cm4bench.dependencies import dependency_call, give_back, verdict_of
from cm4bench.environment import Environment, Pending
from cm4bench.errors import CMBenchError
from cm4bench.frame import Call, Frame, open_frame
from cm4bench.manifest import Repo, Script
from cm4bench.query import parse_query
from cm4bench.recipe import Recipe


def frame(query: str = "s", env: dict[str, Any] | None = None, call: dict[str, Any] | None = None, **raw: Any) -> Frame:
    script = Script(Path("/r/script/s"), Repo("r", Path("/r")), {"alias": "s", **raw})
    nothing = Recipe("0" * 64, (), (), (), (), ())
    return open_frame(Call(parse_query(query), env=Environment(env), **(call or {})), script, nothing)


def asked(parent: Frame, **dep: Any) -> Call:
    return dependency_call({"tags": "d", **dep}, parent, "deps")


def test_tags_from_values():
    parent = frame(env={"CM_A": "a", "CM_EMPTY": " ", "CM_N": 8})
    assert str(asked(parent, update_tags_from_env=["CM_A", "CM_EMPTY", "CM_NOT"]).query) == "d,a"
    prefixed = {"_v.": ["CM_A", "CM_EMPTY"], "_n.": ["CM_N"]}
    assert str(asked(parent, update_tags_from_env_with_prefix=prefixed).query) == "d,_v.a,_n.8"


def test_a_dependencys_own_value_comes_first():
    call = asked(frame(env={"CM_A": "a"}), env={"CM_A": "own"}, update_tags_from_env_with_prefix={"_": ["CM_A"]})
    assert str(call.query) == "d,_own"


GROUPS = {
    "fp32": {"group": "precision"},
    "size.#": {"group": "size"},
    "extra": {},
}


def test_inherited_variations():
    parent = frame("s,_fp32,_size.8,_extra", variations=GROUPS)
    assert asked(parent, inherit_variation_tags=True).query.variations == ("fp32", "size.8", "extra")
    skipping = asked(parent, inherit_variation_tags=True, skip_inherit_variation_groups=["precision", "size"])
    assert skipping.query.variations == ("extra",)
    assert asked(parent, tags="d,-_extra", inherit_variation_tags=True).query.variations == ("fp32", "size.8")


def test_contradictory_tags_name_the_parent():
    with pytest.raises(CMBenchError) as caught:
        asked(frame(call={"chain": ("top",)}), tags="d,_a,-_a")
    assert caught.value.chain == ("top", "s")


LOCAL = ["CM_VERSION", "CM_VERSION_MIN", "CM_INPUT", "CM_NAME", "CM_TMP_X", "CM_GIT_URL", "CM_RENEW_CACHE_ENTRY"]


@pytest.mark.parametrize("key", LOCAL)
def test_local_keys_stay_here(key: str):
    parent = frame(env={key: "1", "CM_OTHER": "2"})
    assert key not in asked(parent).env
    assert asked(parent).env["CM_OTHER"] == "2"
    assert asked(parent, force_env_keys=[key]).env[key] == "1"


def test_reused_versions():
    parent = frame(env={"CM_VERSION": "3", "CM_TMP_X": "1"})
    call = asked(parent, reuse_version=True)
    assert call.env["CM_VERSION"] == "3"
    assert "CM_TMP_X" not in call.env


def test_unfilled_templates_stay_here():
    call = asked(frame(), env={})
    assert "CM_U" not in dependency_call({"tags": "d"}, frame(env={}, default_env={"CM_U": "<<<CM_NO>>>"}), "deps").env
    assert call.env.values is not None


def test_after_the_script_only_named_keys_are_hidden():
    parent = frame(env={"CM_TMP_X": "1", "CM_OUT": "2"}, clean_env_keys_post_deps=["CM_OUT"])
    env = dependency_call({"tags": "d"}, parent, "post_deps").env
    assert "CM_TMP_X" in env
    assert "CM_OUT" not in env


def test_what_is_handed_on():
    parent = frame(
        env={"CM_X": "x"},
        const={"CM_C": "1"},
        call={"adr": {"a": {"tags": "_q"}}, "const": {"CM_D": "2"}, "chain": ("top",)},
    )
    call = asked(
        parent,
        env={"CM_Y": "<<<CM_X>>>!"},
        const={"CM_E": "3"},
        adr={"b": {"version": "1"}},
        ad={"n": {"tags": "_w"}},
        version_min="1",
        extra_cache_tags="p-<<<CM_X>>>, q,r-<<<CM_NO>>>",
        force_cache=True,
        force_new_env_keys=["CM_*"],
        md5sum="abc",
        names=["n"],
    )
    assert call.local_env == {"CM_Y": "x!"}
    assert call.const == {"CM_C": "1", "CM_D": "2", "CM_E": "3"}
    assert call.adr == {"a": {"tags": "_q"}, "b": {"version": "1"}}
    assert call.ad == {"n": {"tags": "_w"}}
    assert (call.version.minimum, call.extra_cache_tags, call.force_cache) == ("1", ("p-x", "q"), True)
    assert (call.force_new_env_keys, call.options) == (("CM_*",), {"md5sum": "abc"})
    assert call.chain == ("top", "s")


def test_a_child_cannot_change_its_parents_values():
    parent = frame(env={"+L": ["a"]}, state={"t": {"u": [1]}}, call={"adr": {"a": {"tags": "x"}}})
    call = asked(parent)
    call.env["+L"].append("b")
    call.state["t"]["u"].append(2)
    assert parent.env["+L"] == ["a"]
    assert parent.state["t"] == {"u": [1]}
    assert asked(parent).adr is not parent.adr


def test_undecided_tags():
    parent = frame(env={"CM_A": Pending("step", "CM_A", "probe")})
    verdict = verdict_of({"tags": "d", "update_tags_from_env": ["CM_A"]}, parent)
    assert (verdict.holds, verdict.because) == (None, "its tags need CM_A")
    assert verdict_of({"tags": "d"}, parent).holds is True
    gated = {"tags": "d", "update_tags_from_env": ["CM_A"], "enable_if_env": {"CM_NO": ["yes"]}}
    assert verdict_of(gated, parent).holds is False


def test_what_comes_back_but_local_keys_that_are_held():
    parent = frame(env={"CM_TMP_HELD": "mine", "CM_X": "old", "+L": ["a"]}, const={"CM_C": "const"})
    give_back(parent, {"CM_TMP_HELD": "x", "CM_TMP_NEW": "y", "CM_X": "new", "+L": ["b"], "CM_C": "z"}, {"s": [1]}, "d")
    values = {k: parent.env[k] for k in ("CM_TMP_HELD", "CM_TMP_NEW", "CM_X", "+L", "CM_C")}
    assert values == {"CM_TMP_HELD": "mine", "CM_TMP_NEW": "y", "CM_X": "new", "+L": ["a", "b"], "CM_C": "const"}
    assert parent.state["s"] == [1]
    assert parent.trail == ["d"]
