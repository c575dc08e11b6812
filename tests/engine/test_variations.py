"""Variations: which are on and why, and in which order their blocks apply."""

from pathlib import Path
from typing import Any

import pytest

from cm4bench.errors import Conflict, ManifestError
from cm4bench.manifest import Repo, Script
from cm4bench.variations import layers, select_variations


def script(variations: dict[str, Any], **raw: Any) -> Script:
    return Script(Path("/r/script/s"), Repo("r", Path("/r")), {"alias": "s", "variations": variations, **raw})


def names(item: Script, *wanted: str, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    return select_variations(item, wanted, without).names


GROUPED = {
    "cpu": {"group": "device", "default": True},
    "cuda": {"group": "device"},
    "fast": {"base": ["cuda"]},
    "small": {},
}


def test_the_default_of_a_group():
    chosen = select_variations(script(GROUPED), ["small"])
    assert chosen.reasons == {"small": "asked for", "cpu": "default of group device"}


def test_a_member_asked_for_replaces_the_default():
    assert names(script(GROUPED), "cuda") == ("cuda",)


def test_a_base_comes_along_and_settles_its_group():
    chosen = select_variations(script(GROUPED), ["fast"])
    assert chosen.reasons == {"fast": "asked for", "cuda": "_fast is built on it"}


def test_an_excluded_default_leaves_the_group_empty():
    assert names(script(GROUPED), "small", without=("cpu",)) == ("small",)


def test_any_value_of_the_default_key_makes_a_default():
    assert names(script({"a": {"group": "g", "default": "true,"}})) == ("a",)


def test_two_of_a_group_conflict_with_reasons():
    with pytest.raises(Conflict) as caught:
        names(script(GROUPED), "cpu", "fast")
    assert "only one variation of group 'device' can be on, not _cpu and _cuda" in caught.value.cause
    assert "_cuda: _fast is built on it" in caught.value.cause
    assert caught.value.hint == "keep one of _cpu"


def test_an_excluded_base_is_a_conflict():
    with pytest.raises(Conflict, match="_fast needs _cuda, which is excluded"):
        names(script(GROUPED), "fast", without=("cuda",))


def test_an_unknown_base_is_the_manifests_fault():
    with pytest.raises(ManifestError, match=r"'a' has the unknown base 'smal' \(did you mean 'small'"):
        names(script({"a": {"base": ["smal"]}, "small": {}}), "a")


def test_bases_of_bases():
    assert names(script({"a": {"base": ["b"]}, "b": {"base": ["c"]}, "c": {"base": ["a"]}}), "a") == ("a", "b", "c")


def test_an_alias_brings_its_target():
    chosen = select_variations(script({"rn50": {"alias": "resnet50"}, "resnet50": {}}), ["rn50"])
    assert chosen.reasons == {"rn50": "asked for", "resnet50": "_rn50 is another name for it"}


def test_the_scripts_default_variation_only_when_none_is_asked_for():
    item = script({"p": {}, "q": {}}, default_variation="p")
    assert names(item) == ("p",)
    assert names(item, "q") == ("q",)
    assert names(item, without=("p",)) == ()


def test_default_variations_fill_an_empty_group():
    item = script(
        {
            "a": {"default_variations": {"b": "b2"}},
            "b1": {"group": "b", "default": True},
            "b2": {"group": "b"},
        }
    )
    assert names(item, "a") == ("a", "b2")
    assert names(item, "a", "b1") == ("a", "b1")
    assert names(item, "a", without=("b2",)) == ("a", "b1")
    assert names(item) == ("b1",)


def test_default_variations_judge_by_the_set_at_the_start():
    """Two variations that each default the same empty group both add theirs: CM calls that a conflict."""
    item = script(
        {
            "p": {"default_variations": {"g": "g1"}},
            "q": {"default_variations": {"g": "g2"}},
            "r": {"default_variations": {"g": "g1"}},
            "g1": {"group": "g"},
            "g2": {"group": "g"},
        }
    )
    assert names(item, "p", "r") == ("p", "r", "g1")
    with pytest.raises(Conflict, match="_g1 and _g2"):
        names(item, "p", "q")


def test_a_combination_can_have_default_variations():
    item = script(
        {"a": {}, "u": {}, "a,u": {"default_variations": {"b": "b1"}}, "b1": {"group": "b"}, "b2": {"group": "b"}}
    )
    assert names(item, "a") == ("a",)
    assert names(item, "a", "u") == ("a", "u", "b1")


def test_a_group_default_can_bring_a_base():
    item = script({"x": {"group": "g", "default": True, "base": ["y"]}, "y": {}})
    assert names(item) == ("x", "y")


def test_a_dynamic_base_yields_to_any_value():
    item = script({"b": {"base": ["size.7"]}, "size.#": {}})
    assert names(item, "b") == ("b", "size.7")
    assert names(item, "size.9", "b") == ("size.9", "b")


def test_dynamic_members_count_for_their_group():
    item = script({"size.#": {"group": "g"}, "auto": {"group": "g", "default": True}})
    assert names(item, "size.4") == ("size.4",)
    with pytest.raises(Conflict):
        names(item, "size.4", "size.5")


def test_supported_combinations():
    item = script({"x": {}, "y": {}, "z": {}}, valid_variation_combinations=[["x", "y"], ["x", "z"]])
    assert names(item, "x", "z") == ("x", "z")
    with pytest.raises(Conflict, match="supported: _x _y; _x _z"):
        names(item, "x")


def test_refused_combinations():
    item = script({"x": {}, "y": {}}, invalid_variation_combinations=[["x", "y"]])
    assert names(item, "x") == ("x",)
    with pytest.raises(Conflict, match="_x and _y do not work together"):
        names(item, "x", "y")


def labels(item: Script, *chosen: str) -> list[str]:
    return [label for label, _ in layers(item, chosen)]


def test_combinations_come_after_every_single_and_the_larger_later():
    item = script({"a": {}, "b": {}, "c": {}, "c,a,b": {}, "b,a": {}})
    assert labels(item, "a", "b") == ["_a", "_b,a", "_b", "_b,a"]
    assert labels(item, "a", "b", "c")[-2:] == ["_b,a", "_c,a,b"]


def test_a_value_fills_the_marks_of_a_dynamic_block():
    item = script(
        {"d.#": {"env": {"CM_#": "x#y#"}, "deps": [{"tags": "get,_v.#"}], "adr": {"n": {"tags": "_#"}}, "group": "#"}}
    )
    _, block = next(layers(item, ["d.a.8"]))
    assert block["env"] == {"CM_#": "xa.8ya.8"}
    assert block["deps"] == [{"tags": "get,_v.a.8"}]
    assert block["adr"] == {"n": {"tags": "_a.8"}}
    assert item.variations["d.#"]["env"] == {"CM_#": "x#y#"}


def test_a_literal_block_wins_over_the_dynamic_one():
    _, block = next(layers(script({"d.#": {"env": {"A": "#"}}, "d.8": {"env": {"A": "eight"}}}), ["d.8"]))
    assert block["env"] == {"A": "eight"}


def test_an_empty_block():
    assert list(layers(script({"v": None}), ["v"])) == [("_v", {})]
