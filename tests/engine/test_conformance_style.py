"""CM's semantics, point by point: the scripts of tests/fixtures/semantics, run for real through the library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.workbench import FIXTURES, Bench

from cm4bench import Repo, Report
from cm4bench.errors import CMBenchError, Conflict
from cm4bench.versions import VersionRange

Run = Callable[..., Report]


@pytest.fixture
def semantics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Bench(tmp_path / "CM", Repo("semantics", FIXTURES / "semantics"))


@pytest.fixture
def run(semantics: Bench) -> Run:
    return semantics.run


def trace(report: Report) -> list[str]:
    return list(report.outcome.new_state.get("trace", []))


def given(report: Report) -> dict[str, Any]:
    return dict(report.outcome.new_env)


# -- phases

PHASES = ["deps", "preprocess", "prehook", "native", "posthook", "postprocess", "post"]


def test_order_of_phases(run: Run):
    assert trace(run("phases")) == PHASES


def test_a_variation_adds_replaces_by_name_and_replaces_by_tags(run: Run):
    assert trace(run("phases,_more")) == ["deps", "more", *PHASES[1:]]
    assert trace(run("phases,_instead")) == ["instead", *PHASES[1:]]
    assert trace(run("phases,_same-tags")) == [*PHASES[:-1], "post CM_NOTE=replaced"]


def test_a_hit_gives_the_state_without_running(run: Run):
    assert trace(run("phases-cached")) == PHASES
    again = run("phases-cached")
    assert trace(again) == PHASES
    assert again.ran == ()


def test_dynamic_dependencies_run_around_a_hit(run: Run):
    first = run("phases-cached,_dynamic")
    assert "mark _at.dynamic-deps" in first.ran
    again = run("phases-cached,_dynamic")
    assert again.ran == ("mark _at.dynamic-deps", "mark _at.dynamic-post")
    assert trace(again)[0] == "dynamic-deps"
    assert set(trace(again)) == {*PHASES, "dynamic-deps", "dynamic-post"}


def test_a_hook_may_end_the_step(run: Run):
    skipped = run("skips")
    assert given(skipped) == {}
    assert trace(skipped) == []


def test_a_hook_may_send_another_script(run: Run):
    assert given(run("skips", options={"instead": "found,_v.instead"})) == {"CM_MARKED": "instead"}


def test_a_hook_decides_about_later_dependencies(run: Run):
    assert trace(run("decides")) == ["last"]
    assert trace(run("decides", options={"want": "wanted"})) == ["decided", "last"]
    assert trace(run("decides", options={"want": "drop"})) == []


# -- conditions

GATES = [
    ({}, ["if-unset", "unless-set", "unless-both", "unless-any", "unless-any-unset"]),
    (
        {"a": "yes"},
        ["if-set", "if-any", "unless-unset", "unless-both", "unless-any-unset", "unless-empty"],
    ),
    (
        {"a": "bar"},
        ["if-set", "if-value", "if-any", "unless-unset", "unless-both", "unless-any-unset", "unless-empty"],
    ),
    ({"a": "no"}, ["if-unset", "unless-set", "unless-both", "unless-any", "unless-empty"]),
    (
        {"b": "yes"},
        ["if-unset", "if-any", "unless-set", "unless-both", "unless-any-unset"],
    ),
    (
        {"a": "yes", "b": "yes"},
        ["if-set", "if-both", "if-any", "unless-unset", "unless-any-unset", "unless-empty"],
    ),
]


@pytest.mark.parametrize(("options", "taken"), GATES)
def test_conditions(run: Run, options: dict[str, str], taken: list[str]):
    assert trace(run("gates", options=options)) == taken


# -- variations

LAYERS = [
    ("layers", {"CM_X": "a1", "CM_A": "a1", "CM_D": "default", "CM_KEEP": "base"}),
    ("layers,_a2", {"CM_X": "a2", "CM_A": "a2", "CM_B": "b2"}),
    ("layers,_a2,_b1", {"CM_B": "b1"}),
    ("layers,_b1,_a2", {"CM_B": "b1"}),
    ("layers,_a1,_single", {"CM_X": "single", "CM_D": "single"}),
    ("layers,_single,_a1", {"CM_X": "a1"}),
    ("layers,_nick,_a1", {"CM_X": "a1", "CM_D": "single"}),
    ("layers,_a2,_single,_b1", {"CM_X": "both"}),
    ("layers,_single,_b1,_a2", {"CM_X": "both"}),
    ("layers,_b2,_single,_a2", {"CM_X": "three"}),
    ("layers,_single,_a2", {"CM_X": "three", "CM_B": "b2"}),
    ("layers,_other", {"CM_A": "a2", "CM_B": "b2", "CM_D": "default", "CM_E": "other"}),
    ("layers,_size.4", {"CM_SIZE": "4", "CM_SIZE_TEXT": "<4>"}),
    ("layers,_size.8", {"CM_SIZE": "eight"}),
    ("layers,_size.a.b", {"CM_SIZE": "a.b"}),
    ("layers,_fixed,_single", {"CM_X": "fixed"}),
]


@pytest.mark.parametrize(("query", "expected"), LAYERS)
def test_variations(run: Run, query: str, expected: dict[str, str]):
    new_env = given(run(query))
    assert {key: new_env.get(key) for key in expected} == expected


def test_a_flag_wins_over_variations(run: Run):
    assert given(run("layers,_single", options={"x": "flag"}))["CM_X"] == "flag"


def test_two_of_a_group(run: Run):
    with pytest.raises(Conflict, match="group 'a'"):
        run("layers,_a1,_a2")


def test_a_flag_is_a_constant_below_but_an_outside_value_is_not(run: Run):
    assert given(run("settings", options={"flavour": "flag"})) == {"CM_FLAVOUR": "flag", "CM_LEAF": "1"}
    assert given(run("settings", env={"CM_FLAVOUR": "outside"})) == {"CM_FLAVOUR": "leaf", "CM_LEAF": "1"}


# -- what dependencies see and give


def test_what_a_dependency_sees(run: Run):
    assert trace(run("visible")) == [
        "plain CM_NOTE=n",
        "forced CM_NOTE=n CM_TMP_NOTE=t CM_MINE_NOTE=m",
        "version CM_NOTE=n CM_VERSION=3",
        "own CM_NOTE=own CM_TMP_NOTE=n!",
        "after CM_TMP_NOTE=t CM_MINE_NOTE=m CM_VERSION=3",
    ]


def test_what_comes_back(run: Run):
    new_env = given(run("returns", env={"+PATH": ["/outside"], "CM_R_OTHER": "x"}))
    assert new_env == {
        "CM_R_EXACT": "1",
        "CM_R_P1": "2",
        "CM_RR_": "4",
        "CM_RR_LONG": "5",
        "CM_NAMED": "6",
        "+PATH": ["/outside", "/nowhere/one", "/nowhere/two"],
        "+CM_LIST": ["both", "one", "two"],
    }


def test_templates(run: Run):
    new_env = given(run("templates", options={"key": "MYKEY"}))
    assert new_env == {
        "CM_T_A": "1",
        "CM_T_B": "b1",
        "CM_T_UNKNOWN": "<<<CM_NOWHERE>>>",
        "CM_T_LATE": "next",
        "CM_T_NEXT": "next",
        "CM_T_FOUND": "(1)",
        "MYKEY": "val",
    }


# -- changes by name

RECURSIVE = [
    ("recursive", ["top", "bottom"]),
    ("recursive,_outer", ["top CM_NOTE=outer", "bottom"]),
    ("recursive,_inner", ["top", "bottom CM_NOTE=inner"]),
    ("recursive,_all", ["top CM_NOTE=all", "bottom CM_NOTE=all"]),
    ("recursive,_direct", ["top CM_NOTE=direct", "bottom"]),
    ("recursive,_versioned", ["top", "bottom CM_VERSION=7"]),
]


@pytest.mark.parametrize(("query", "expected"), RECURSIVE)
def test_changes_by_name(run: Run, query: str, expected: list[str]):
    assert trace(run(query)) == expected


def test_changes_by_name_from_the_request(run: Run):
    change = {"all": {"env": {"CM_NOTE": "req"}}}
    assert trace(run("recursive", adr=change)) == ["top CM_NOTE=req", "bottom CM_NOTE=req"]
    assert trace(run("recursive", ad=change)) == ["top CM_NOTE=req", "bottom"]
    assert trace(run("recursive", adr={"nosuch": {"tags": "_x"}})) == ["top", "bottom"]


def test_a_direct_change_must_find_its_name(run: Run):
    with pytest.raises(Conflict, match="nosuch is not one of the dependency names"):
        run("recursive,_unknown")


# -- versions

VERSIONS = [
    ("versioned", VersionRange(), "2.0", "two", ["leaf CM_NOTE=ad"]),
    ("versioned", VersionRange("1.0"), "1.0", "one", ["leaf CM_NOTE=adr"]),
    ("versioned", VersionRange("3.0"), "3.0", "three", ["leaf", "three"]),
    ("versioned,_newest", VersionRange(), "3.0", "three", ["leaf", "three"]),
    ("versioned", VersionRange(minimum="2.5"), "2.5", "two", ["leaf CM_NOTE=ad"]),
    ("versioned", VersionRange(maximum="1.5", usable_maximum="1.2"), "1.2", "two", ["leaf CM_NOTE=ad"]),
]


@pytest.mark.parametrize(("query", "asked", "version", "block", "deps"), VERSIONS)
def test_versions(run: Run, query: str, asked: VersionRange, version: str, block: str, deps: list[str]):
    report = run(query, version=asked)
    assert (given(report)["CM_VERSION"], given(report)["CM_V"], trace(report)) == (version, block, deps)


# -- native scripts


def test_native_environment_and_results(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CM_SEARCH", "/before")
    monkeypatch.delenv("CM_FLAGS", raising=False)
    report = run("native")
    new_env = given(report)
    assert new_env["CM_N_SEARCH"] == "/x:/y:/before"
    assert new_env["CM_N_FLAGS"].split() == ["-a", "-b"]
    assert new_env["CM_N_SEMI"].startswith("p;q;")
    assert new_env["CM_N_EQUALS"] == "-O2 -DA=b=c"
    assert new_env["CM_N_SPACES"] == "trimmed"
    assert new_env["CM_N_QUOTED"] == 'say "hi" to `whoami` and $(whoami)'
    assert report.outcome.new_state == {"given": {"first": 1, "items": ["a", "b"], "second": 2}, "taken": 1}


@pytest.mark.parametrize(
    ("host", "chosen"),
    [
        ({}, "run"),
        ({"CM_HOST_OS_FLAVOR": "debian"}, "run-debian"),
        ({"CM_HOST_OS_FLAVOR": "debian", "CM_HOST_OS_VERSION": "12"}, "run-debian-12"),
        ({"CM_HOST_OS_FLAVOR": "debian", "CM_HOST_OS_VERSION": "11"}, "run-debian"),
        ({"CM_HOST_OS_FLAVOR": "alpine", "CM_HOST_PLATFORM_FLAVOR": "x86_64"}, "run-x86_64"),
        ({"CM_HOST_OS_FLAVOR": "alpine", "CM_HOST_PLATFORM_FLAVOR": "arm64"}, "run"),
    ],
)
def test_the_most_specific_native_script(run: Run, host: dict[str, str], chosen: str):
    assert given(run("native-choice", env=host)) == {"CM_CHOSEN": chosen}


def test_a_named_native_script(run: Run):
    assert given(run("native-choice,_named")) == {"CM_CHOSEN": "other"}
    with pytest.raises(CMBenchError, match=r"no native script nosuch\.sh") as caught:
        run("native-choice,_missing")
    assert caught.value.code == 16
