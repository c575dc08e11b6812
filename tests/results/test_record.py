"""The record: a lossless JSON round trip, and clear errors for what cannot be read."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import record

from cm4bench_results import (
    Figure,
    LatencyProfile,
    LoadgenRun,
    Quality,
    RecordError,
    ResultRecord,
    Validity,
    dumps,
    loads,
)

# JSON numbers are doubles, and NaN has no place in a record.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(-(2**53), 2**53))


def profiles() -> st.SearchStrategy[LatencyProfile]:
    pairs = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e6)), max_size=4).map(tuple)
    return st.integers(0, 5).flatmap(
        lambda bins: st.builds(
            LatencyProfile,
            edges_ms=st.tuples(*[st.floats(0, 1e6)] * (bins + 1)),
            counts=st.tuples(*[st.integers(0, 10**9)] * bins),
            quantiles=pairs,
        )
    )


def records() -> st.SearchStrategy[ResultRecord]:
    st.register_type_strategy(LatencyProfile, profiles())
    verdicts = st.just(Validity(True)) | st.builds(
        Validity, valid=st.booleans(), reasons=st.lists(st.text(), min_size=1, max_size=2).map(tuple)
    )
    st.register_type_strategy(Validity, verdicts)
    free = st.dictionaries(st.text(), st.text() | st.none() | st.lists(st.booleans()), max_size=3)
    st.register_type_strategy(LoadgenRun, lambda _: st.builds(LoadgenRun, configuration=free))
    return st.builds(ResultRecord, schema_version=st.just(1))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records())
def test_round_trip_loses_nothing(made: ResultRecord) -> None:
    assert loads(dumps(made)) == made


def test_a_newer_schema_is_refused_with_what_to_do() -> None:
    newer = json.loads(dumps(record())) | {"schema_version": 99, "runs": "of another shape"}
    with pytest.raises(RecordError, match=r"result schema 99.*up to 1: update cm4bench"):
        loads(json.dumps(newer), "result.json")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not a result record"),
        ("[]", "is not a result record"),
        ("{}", "schema_version"),
        (dumps(record()).replace('"embedded"', '"invented"'), r"invented.*tier"),
        (dumps(record()).replace("41.25", '"fast"'), r"figures"),
    ],
)
def test_what_is_not_a_record_is_named(text: str, says: str) -> None:
    with pytest.raises(RecordError, match=f"^here.json.*{says}"):
        loads(text, "here.json")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_must_be_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Figure("latency", value, "ms")


def test_an_invalid_verdict_must_say_why() -> None:
    with pytest.raises(ValueError, match="reason"):
        Validity(False)


def test_latency_bins_need_their_edges() -> None:
    with pytest.raises(ValueError, match="2 bins need 3 edges"):
        LatencyProfile("query latency", 3, (1.0, 2.0), (1, 2), ())


def test_cumulative_latency_ends_at_one() -> None:
    assert LatencyProfile("q", 4, (1.0, 2.0, 3.0), (1, 3), ()).cumulative() == ((1.0, 0.0), (2.0, 0.25), (3.0, 1.0))


def test_quality_is_judged_only_against_a_target() -> None:
    assert Quality("top-1", 90.0, "%", 20, 18, 90.0).passed is True
    assert Quality("top-1", 89.9, "%", 20, 18, 90.0).passed is False
    assert Quality("top-1", 10.0, "%", 20, 2).passed is None
