"""Versions: a total order over whatever tools print, and ranges that agree with it."""

from functools import cmp_to_key

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm4bench.errors import Conflict
from cm4bench.versions import VersionRange, compare

VERSIONS = st.one_of(
    st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts))),
    st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}([a-z]{1,2}[0-9]?)?", fullmatch=True),
    st.sampled_from(["master", "main", "1.0rc1", "1.1.1w", "r4.1-dev", "0", "3.10.0-rc.1"]),
)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1.9", "1.10", -1),
        ("3.10.2", "3.9.18", 1),
        ("1.0", "1", 0),
        ("1.1.1", "1.1.1w", -1),
        ("1.0rc", "1.0.1", -1),
        ("1.0rc1", "1.0", -1),
        ("1.0rc1", "1.0rc2", -1),
        ("1.0a", "1a", 0),
        ("1.0.0", "1", 0),
        ("master", "1.0", -1),
        ("V2", "v2", 0),
        ("r4.1", "r4.0", 1),
    ],
)
def test_examples(left: str, right: str, expected: int):
    assert compare(left, right) == expected


@given(VERSIONS, VERSIONS, VERSIONS)
def test_compare_is_a_total_order(a: str, b: str, c: str):
    assert compare(a, a) == 0
    assert compare(a, b) == -compare(b, a)
    if compare(a, b) <= 0 and compare(b, c) <= 0:
        assert compare(a, c) <= 0


@given(st.lists(VERSIONS, min_size=3, max_size=3).map(lambda three: sorted(three, key=cmp_to_key(compare))), VERSIONS)
def test_a_clamped_default_is_admitted(bounds: list[str], default: str):
    low, usable, high = bounds
    asked = VersionRange(minimum=low, maximum=high, usable_maximum=usable)
    assert asked.admits(asked.clamp(default))


@given(VERSIONS, VERSIONS, VERSIONS)
def test_an_admitted_default_is_left_alone(low: str, high: str, default: str):
    asked = VersionRange(minimum=low, maximum=high)
    if asked.admits(default):
        assert asked.clamp(default) == default


@given(VERSIONS, VERSIONS, VERSIONS)
def test_admits_agrees_with_compare(low: str, high: str, version: str):
    inside = compare(low, version) <= 0 <= compare(high, version)
    assert VersionRange(minimum=low, maximum=high).admits(version) is inside


@pytest.mark.parametrize(
    ("asked", "default", "made"),
    [
        (VersionRange(), "", ""),
        (VersionRange(minimum="2"), "", ""),
        (VersionRange(minimum="2"), "1.0", "2"),
        (VersionRange(maximum="3"), "4", "3"),
        (VersionRange(maximum="3", usable_maximum="2.8"), "4", "2.8"),
        (VersionRange(maximum="3", usable_maximum="2.8"), "2.9", "2.9"),
    ],
)
def test_clamp(asked: VersionRange, default: str, made: str):
    assert asked.clamp(default) == made


def test_an_unknown_version_is_admitted():
    assert VersionRange(exact="2", minimum="1").admits("")


def test_equal_spellings_are_the_exact_version():
    assert VersionRange(exact="1.0").admits("1.0.0")


@pytest.mark.parametrize("asked", [VersionRange(minimum="2", maximum="1"), VersionRange(exact="3", maximum="2")])
def test_an_impossible_range_is_a_conflict(asked: VersionRange):
    with pytest.raises(Conflict):
        asked.check()


def test_the_inner_request_fills_its_gaps_from_the_outer():
    inner, outer = VersionRange(minimum="1"), VersionRange(exact="3", minimum="2", maximum="4", usable_maximum="4")
    assert inner.over(outer) == VersionRange("3", "1", "4", "4")


def test_reading_flags_and_environment():
    assert VersionRange.from_mapping({"version_min": 2, "version_max_usable": "3"}) == VersionRange("", "2", "", "3")
    assert VersionRange.from_mapping({"CM_VERSION": "1", "CM_VERSION_MAX": "2"}, "CM_VERSION") == VersionRange(
        "1", "", "2"
    )


@pytest.mark.parametrize(
    ("asked", "pip", "words"),
    [
        (VersionRange("1.2", "1"), "==1.2", "==1.2, >=1"),
        (VersionRange(minimum="1", maximum="2"), ">=1,<=2", ">=1, <=2"),
        (VersionRange(maximum="2"), "<=2", "<=2"),
        (VersionRange(), "", ""),
    ],
)
def test_texts(asked: VersionRange, pip: str, words: str):
    assert asked.pip_string() == pip
    assert str(asked) == words


def test_suffixes_name_only_what_is_asked():
    assert VersionRange(minimum="1", usable_maximum="2").env_suffixes() == [("_MIN", "1"), ("_MAX_USABLE", "2")]
