"""One version per thing: requests that fit get one answer, those that do not are shown as the pair they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm4bench import Request
from cm4bench.errors import Conflict
from cm4bench.versions import VersionRange

LIBRARY = {
    "tags": "get,lib",
    "one_version_per": "CM_LIB",
    "variations": {"package.#": {"env": {"CM_LIB": "#"}}},
    "new_env_keys": ["CM_LIB_VERSION", "CM_VERSION"],
}


def libraries(repo, **demands):
    """A root whose middle scripts each ask for one package in their own way."""
    repo.script("get-lib", **LIBRARY)
    for name, (package, bounds) in demands.items():
        dep = {"tags": f"get,lib,_package.{package}", "names": [f"{name}-lib"], **bounds}
        repo.script(name, tags=name, deps=[dep])
    repo.script("root", tags="root", deps=[{"tags": name} for name in demands])


def libs(plan):
    return {step.version or str(step.asked) for step in plan.steps() if step.script.alias == "get-lib"}


def test_requests_that_fit_become_one_step(repo, bench):
    libraries(repo, a=("numpy", {"version_min": "1.26"}), b=("numpy", {"version_max": "2.1"}), c=("numpy", {}))
    plan = bench.engine().plan(Request("root"))
    bounded = {step.id for step in plan.steps() if step.script.alias == "get-lib" and str(step.asked)}
    assert len(bounded) == 1
    assert {str(step.asked) for step in plan.steps() if step.id in bounded} == {">=1.26, <=2.1"}


def test_an_exact_request_wins_within_the_others_bounds(repo, bench):
    libraries(repo, a=("numpy", {"version": "2.0"}), b=("numpy", {"version_max": "2.1"}))
    assert libs(bench.engine().plan(Request("root"))) == {"2.0"}


def test_packages_do_not_bind_each_other(repo, bench):
    libraries(repo, a=("numpy", {"version_min": "2.0"}), b=("scipy", {"version_max": "1.0"}))
    bench.engine().plan(Request("root"))


def test_the_conflict_is_the_pair_that_excludes_each_other(repo, bench):
    demands = {"a": {"version_min": "1.0"}, "b": {"version_min": "2.0"}, "c": {"version_max": "1.99"}, "d": {}}
    libraries(repo, **{name: ("numpy", bounds) for name, bounds in demands.items()})
    with pytest.raises(Conflict) as caught:
        bench.engine().plan(Request("root"))
    text = caught.value.render()
    assert ">=2.0  asked by root → b → get-lib _package.numpy" in text
    assert "<=1.99  asked by root → c → get-lib _package.numpy" in text
    assert "root → a" not in text and "root → d" not in text
    assert "--adr.b-lib.version=" in text and "--adr.c-lib.version=" in text


def test_the_way_out_that_was_shown_works(repo, bench):
    libraries(repo, a=("numpy", {"version": "2.0"}), b=("numpy", {"version": "1.0"}))
    with pytest.raises(Conflict):
        bench.engine().plan(Request("root"))
    assert libs(bench.engine().plan(Request("root", adr={"b-lib": {"version": "2.0"}}))) == {"2.0"}


def test_a_run_makes_what_the_plan_agreed_on(repo, bench):
    libraries(repo, a=("numpy", {"version_min": "1.26"}), b=("numpy", {"version_max": "2.1"}))
    report = bench.engine().run(Request("root"))
    assert [label for label in report.ran if label.startswith("get-lib")] == ["get-lib _package.numpy"]


BOUND = st.sampled_from(["", "1.0", "1.5", "2.0", "2.5"])
RANGES = st.builds(VersionRange, BOUND, BOUND, BOUND)


@given(RANGES, RANGES, st.sampled_from(["0.9", "1.0", "1.2", "1.5", "1.7", "2.0", "2.2", "2.5", "3"]))
def test_the_common_range_admits_what_both_admit(one: VersionRange, other: VersionRange, version: str):
    assert one.meet(other).admits(version) == (one.admits(version) and other.admits(version))


@given(RANGES, RANGES)
def test_meeting_is_symmetric(one: VersionRange, other: VersionRange):
    assert one.meet(other).is_possible() == other.meet(one).is_possible()
