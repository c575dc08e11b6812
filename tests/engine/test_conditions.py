"""Conditions of dependencies: CM's truth table, and the third value for what only a run can tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm4bench.conditions import CONDITION_KEYS, judge
from cm4bench.environment import Environment, Pending

ON, OFF = ("yes", "on", "true", "1", "TRUE", "Yes"), ("no", "off", "false", "0", "False")
UNSET = object()


def holds(form: str, words: list[object], value: object) -> bool | None:
    env = Environment({} if value is UNSET else {"CM_A": value})
    return judge({form: {"CM_A": words}}, env).holds


@pytest.mark.parametrize("word", ON)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(v, True) for v in ("yes", "anything", True, 1)],
        *[(v, False) for v in ("no", "OFF", "", False, 0, UNSET)],
    ],
)
def test_words_for_set(word: str, value: object, expected: bool):
    """yes/on/true/1 mean: set to anything that is not a word for unset."""
    assert holds("enable_if_env", [word], value) is expected
    assert holds("skip_if_env", [word], value) is not expected
    assert holds("enable_if_any_env", [word], value) is expected
    assert holds("skip_if_any_env", [word], value) is not expected


@pytest.mark.parametrize("word", OFF)
@pytest.mark.parametrize(
    ("value", "expected"), [("no", True), ("", True), (False, True), ("yes", False), ("other", False)]
)
def test_words_for_unset(word: str, value: object, expected: bool):
    assert holds("enable_if_env", [word], value) is expected
    assert holds("skip_if_env", [word], value) is not expected


@pytest.mark.parametrize(
    ("form", "expected"),
    [("enable_if_env", True), ("skip_if_env", False), ("enable_if_any_env", False), ("skip_if_any_env", True)],
)
def test_a_missing_key_is_unset_only_where_all_keys_count(form: str, expected: bool):
    assert holds(form, ["off"], UNSET) is expected


@pytest.mark.parametrize(
    ("words", "value", "expected"),
    [
        (["foo", "BAR"], "bar", True),
        (["foo", "BAR"], " Foo ", True),
        (["foo"], "food", False),
        (["foo"], UNSET, False),
        (["foo", "yes"], "other", True),
        (["4"], 4, True),
    ],
)
def test_listed_values(words: list[object], value: object, expected: bool):
    assert holds("enable_if_env", words, value) is expected


def test_a_single_value_need_not_be_a_list():
    assert judge({"enable_if_env": {"CM_A": "linux"}}, Environment({"CM_A": "linux"})).holds


@pytest.mark.parametrize(
    ("form", "table"),
    [
        ("enable_if_env", {(1, 1): True, (1, 0): False, (0, 0): False}),
        ("enable_if_any_env", {(1, 1): True, (1, 0): True, (0, 0): False}),
        ("skip_if_env", {(1, 1): False, (1, 0): True, (0, 0): True}),
        ("skip_if_any_env", {(1, 1): False, (1, 0): False, (0, 0): True}),
    ],
)
def test_several_keys(form: str, table: dict[tuple[int, int], bool]):
    for (a, b), expected in table.items():
        env = Environment({"CM_A": "yes" if a else "no", "CM_B": "yes" if b else "no"})
        assert judge({form: {"CM_A": ["yes"], "CM_B": ["yes"]}}, env).holds is expected


def test_all_forms_must_agree():
    dep = {"enable_if_env": {"CM_A": ["yes"]}, "skip_if_env": {"CM_B": ["yes"]}}
    assert judge(dep, Environment({"CM_A": "yes"})).holds is True
    assert judge(dep, Environment({"CM_A": "yes", "CM_B": "yes"})).holds is False


def test_no_condition_always_holds():
    assert judge({"tags": "a"}, Environment()).holds is True


def test_a_verdict_names_its_condition():
    verdict = judge({"enable_if_env": {"CM_A": ["x", "y"]}}, Environment({"CM_A": "z"}))
    assert verdict.because == "enable_if_env CM_A=x|y"


def test_an_undecided_verdict_names_what_it_waits_for():
    pending = Pending("step", "CM_A", "detect-os")
    verdict = judge({"enable_if_env": {"CM_A": ["x"]}, "skip_if_env": {"CM_A": ["y"]}}, Environment({"CM_A": pending}))
    assert verdict.holds is None
    assert verdict.waits_on == (pending,)


def test_fake_runs_skip_what_asks_for_it():
    assert judge({"skip_if_fake_run": True}, Environment(), rehearsal=True).holds is False
    assert judge({"skip_if_fake_run": True}, Environment()).holds is True


KEYS = ("CM_A", "CM_B", "CM_C")
WORDS = st.sampled_from(["yes", "on", "no", "off", "", "x", "y", "1", "0"])
BLOCKS = st.dictionaries(st.sampled_from(KEYS), st.lists(WORDS, min_size=1, max_size=3), max_size=3)
DEPENDENCIES = st.dictionaries(st.sampled_from(CONDITION_KEYS), BLOCKS, max_size=3)
SETTLED = st.dictionaries(st.sampled_from(KEYS), WORDS)


@given(DEPENDENCIES, SETTLED, st.sets(st.sampled_from(KEYS)))
def test_an_unknown_never_flips_a_decided_verdict(dep: dict, settled: dict, unknown: set[str]):
    """Whatever the unknown keys turn out to be (unset included), a verdict given before still stands."""
    before = Environment({**settled, **{key: Pending("step", key, maybe=True) for key in unknown}})
    early, late = judge(dep, before), judge(dep, Environment(settled))
    assert late.holds is not None
    assert early.holds in (None, late.holds)
    if early.holds is None:
        assert {p.key for p in early.waits_on} <= unknown


@given(DEPENDENCIES, SETTLED)
def test_what_is_known_is_decided(dep: dict, settled: dict):
    assert judge(dep, Environment(settled)).holds in (True, False)
