"""Opening a frame: CM's order of precedence, from the caller's values up to constants."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cm4bench.environment import Environment, Pending
from cm4bench.errors import CMBenchError, Conflict
from cm4bench.frame import Call, Frame, merge_values, open_frame
from cm4bench.manifest import Repo, Script
from cm4bench.query import parse_query
from cm4bench.recipe import Recipe
from cm4bench.versions import VersionRange

NOTHING = Recipe("0" * 64, (), (), (), (), ())
Opener = Callable[..., Frame]


def opened(manifest: dict[str, Any], query: str = "s", **call: Any) -> Frame:
    script = Script(Path("/r/script/s"), Repo("r", Path("/r")), {"alias": "s", "tags": ["s"], **manifest})
    call["env"] = Environment(call.get("env"))
    return open_frame(Call(parse_query(query), **call), script, NOTHING)


LADDER = [
    ({}, {}, "caller"),
    ({"default_env": {"K": "default"}}, {}, "caller"),
    ({"env": {"K": "env"}}, {}, "env"),
    ({"env": {"K": "env"}, "input_mapping": {"k": "K"}}, {"options": {"k": "flag"}}, "flag"),
    ({"env": {"K": "env"}, "const": {"K": "const"}}, {}, "const"),
    ({"env": {"K": "env"}, "variations": {"v": {"env": {"K": "variation"}}}}, {}, "variation"),
    ({"variations": {"v": {"default_env": {"K": "variation"}}}}, {}, "caller"),
    (
        {"variations": {"v": {"env": {"K": "v"}}, "w": {"env": {"K": "w"}}, "v,w": {"env": {"K": "both"}}}},
        {"query": "s,_w,_v"},
        "both",
    ),
    ({"variations": {"v": {"env": {"K": "v"}}}, "input_mapping": {"k": "K"}}, {"options": {"k": "flag"}}, "flag"),
    ({"variations": {"v": {"env": {"K": "v"}, "const": {"K": "const"}}}}, {}, "const"),
    ({"versions": {"1": {"env": {"K": "version"}}}, "variations": {"v": {"env": {"K": "v"}}}}, {"ver": "1"}, "version"),
    ({"versions": {"1": {"env": {"K": "version"}}}, "variations": {"v": {"const": {"K": "c"}}}}, {"ver": "1"}, "c"),
    ({"variations": {"v": {"env": {"K": "v"}}}}, {"const": {"K": "incoming"}}, "incoming"),
    ({"env": {"K": "env"}}, {"local_env": {"K": "dep"}}, "env"),
    ({}, {"local_env": {"K": "dep"}}, "dep"),
]


@pytest.mark.parametrize(("manifest", "call", "expected"), LADDER)
def test_precedence(manifest: dict, call: dict, expected: str):
    manifest.setdefault("variations", {"v": {}})
    call = dict(call)
    version = VersionRange(call.pop("ver", ""))
    frame = opened(manifest, call.pop("query", "s,_v"), env={"K": "caller"}, version=version, **call)
    assert frame.env["K"] == expected


def test_defaults_fill_what_is_unset():
    frame = opened({"default_env": {"A": "top", "B": "top"}, "variations": {"v": {"default_env": {"A": "v"}}}}, "s,_v")
    assert (frame.env["A"], frame.env["B"]) == ("top", "top")


def test_variations_apply_in_the_order_asked_for():
    blocks = {"v": {"env": {"K": "v"}}, "w": {"env": {"K": "w"}}}
    assert opened({"variations": blocks}, "s,_v,_w").env["K"] == "w"
    assert opened({"variations": blocks}, "s,_w,_v").env["K"] == "v"


def test_a_flag_is_a_constant_for_everything_below():
    frame = opened({"input_mapping": {"k": "K"}, "env": {"K": "env"}}, options={"k": "flag"})
    assert frame.const == {"K": "flag"}


def test_an_input_default_fills_a_gap_but_is_no_constant():
    manifest = {"inputs": {"n": {"env": "N", "type": "int", "default": 4}}}
    assert opened(manifest).env["N"] == 4
    assert opened(manifest, env={"N": "1"}).env["N"] == "1"
    assert opened(manifest).const == {}


def test_an_impossible_flag_says_why_and_what_next():
    with pytest.raises(CMBenchError, match=r"--n=x must be an integer") as caught:
        opened({"inputs": {"n": {"env": "N", "type": "int"}}}, options={"n": "x"})
    assert caught.value.hint == 'cmr "s" --help lists the options'


def test_the_callers_values_are_not_changed():
    call = Call(parse_query("s"), env=Environment({"L": ["a"]}))
    script = Script(Path("/r/script/s"), Repo("r", Path("/r")), {"state": {"x": {"y": [1]}}, "env": {"A": "1"}})
    frame = open_frame(call, script, NOTHING)
    frame.env["L"].append("b")
    frame.state["x"]["y"].append(2)
    assert call.env.values == {"L": ["a"]}
    assert script.raw["state"] == {"x": {"y": [1]}}


def test_conditional_blocks():
    manifest = {
        "env": {"OS": "linux"},
        "update_meta_if_env": [
            {"enable_if_env": {"OS": ["linux"]}, "env": {"A": "yes"}, "state": {"s": 1}},
            {"enable_if_env": {"OS": ["windows"]}, "env": {"A": "no"}},
        ],
    }
    frame = opened(manifest)
    assert frame.env["A"] == "yes"
    assert frame.state["s"] == 1


def test_templates_are_filled_when_their_keys_are_known():
    frame = opened({"env": {"D": "<<<E>>>", "E": "e<<<F>>>", "U": "<<<NOPE>>>", "L": ["<<<F>>>x"], "F": "f"}})
    frame.settle_env()
    assert frame.env["E"] == "ef"
    assert frame.env["U"] == "<<<NOPE>>>"
    frame.env.set("NOPE", "now")
    frame.settle_env()
    assert frame.env["U"] == "now"


def test_a_template_over_a_pending_key_is_pending():
    frame = opened({"env": {"D": "x<<<E>>>"}}, env={"E": Pending("step", "E")})
    assert isinstance(frame.env["D"], Pending)
    assert frame.env.provenance("D") == "@step"


def test_variations_add_keys_deps_and_a_script_name():
    manifest = {
        "new_env_keys": ["A"],
        "deps": [{"tags": "x"}],
        "variations": {
            "v": {
                "new_env_keys": ["B", "A"],
                "new_state_keys": ["s"],
                "deps": [{"tags": "y"}],
                "post_deps": [{"tags": "z"}],
                "script_name": "other",
            }
        },
    }
    frame = opened(manifest, "s,_v")
    assert (frame.new_env_keys, frame.new_state_keys, frame.script_name) == (["A", "B"], ["s"], "other")
    assert [d["tags"] for d in frame.deps["deps"]] == ["x", "y"]
    assert [d["tags"] for d in frame.deps["post_deps"]] == ["z"]


def test_promised_outputs_are_new_keys():
    assert opened({"new_env_keys": ["A"], "outputs": {"A": {}, "B": {"type": "file"}}}).new_env_keys == ["A", "B"]


def test_ad_changes_direct_dependencies_and_must_find_them():
    manifest = {"deps": [{"tags": "x", "names": ["n"]}], "variations": {"v": {"ad": {"n": {"tags": "_q"}}}}}
    assert opened(manifest, "s,_v").deps["deps"][0]["tags"] == "x,_q"
    assert opened(manifest, ad={"n": {"tags": "_r"}}).deps["deps"][0]["tags"] == "x,_r"
    with pytest.raises(Conflict, match=r"nosuch is not one of the dependency names \(n\)"):
        opened(manifest, ad={"nosuch": {}})


def test_adr_changes_own_dependencies_and_goes_on_to_theirs():
    manifest = {
        "deps": [{"tags": "x", "names": ["n"]}],
        "variations": {"v": {"adr": {"n": {"tags": "_q"}, "inner": {"version": "2"}}}},
    }
    frame = opened(manifest, "s,_v", adr={"n": {"tags": "_o"}})
    assert frame.deps["deps"][0]["tags"] == "x,_o,_q"
    assert frame.adr == {"n": {"tags": "_o,_q"}, "inner": {"version": "2"}}


VERSIONED = {
    "default_version": "2.0",
    "versions": {"1.0": {"env": {"V": "one"}}, "2.0": {"env": {"V": "two"}}, "3.0": {"env": {"V": "three"}}},
    "variations": {"dv": {"default_version": "3.0"}},
}


@pytest.mark.parametrize(
    ("query", "asked", "exact", "block"),
    [
        ("s", VersionRange(), "2.0", "two"),
        ("s", VersionRange("1.0"), "1.0", "one"),
        ("s,_dv", VersionRange(), "3.0", "three"),
        ("s", VersionRange(minimum="3.0"), "3.0", "two"),
        ("s", VersionRange(maximum="1.5"), "1.5", "two"),
        ("s", VersionRange(maximum="1.5", usable_maximum="1.0"), "1.0", "two"),
    ],
)
def test_versions(query: str, asked: VersionRange, exact: str, block: str):
    """The block is that of the unclamped default, as in CM."""
    frame = opened(VERSIONED, query, version=asked)
    assert (frame.version.exact, frame.env["CM_VERSION"], frame.env["V"]) == (exact, exact, block)


def test_version_bounds_reach_the_environment():
    frame = opened({}, version=VersionRange(minimum="1", maximum="2"))
    assert (frame.env["CM_VERSION_MIN"], frame.env["CM_VERSION_MAX"]) == ("1", "2")
    assert frame.env["CM_TMP_PIP_VERSION_STRING"] == ">=1,<=2"


def test_versions_may_come_from_environment_or_manifest():
    assert opened({"version_min": "3"}, env={"CM_VERSION_MAX": "4"}).version == VersionRange("", "3", "4")
    assert opened({"version_min": "3"}, version=VersionRange(minimum="2")).version.minimum == "2"


def test_an_impossible_version_range():
    with pytest.raises(Conflict, match=r"no version is both >= 3 and <= 2"):
        opened({"version_min": "3"}, version=VersionRange(maximum="2"))


@pytest.mark.parametrize(
    ("old", "new", "merged"),
    [
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ([1, 2], [2, 3], [1, 2, 3]),
        ({"a": [1]}, {"a": [1, 2]}, {"a": [1, 2]}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        (None, {"a": 1}, {"a": 1}),
        ([1], "x", "x"),
    ],
)
def test_states_merge_deeply(old: object, new: object, merged: object):
    assert merge_values(old, new) == merged


def test_labels_and_chains():
    frame = opened({"variations": {"v": {}}}, "s,_v", chain=("above",))
    assert frame.chain == ("above", "s _v")


def test_force_cache_needs_a_script_that_allows_it():
    assert opened({"can_force_cache": True}, force_cache=True).caches
    assert not opened({}, force_cache=True).caches
    assert not opened({"can_force_cache": True}).caches
