"""Tag queries: what the words mean, and that writing one down loses nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm4bench.errors import Conflict
from cm4bench.query import Query, parse_query


def parsed(text: str) -> Query | None:
    try:
        return parse_query(text)
    except Conflict:
        return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("get,ml-model", Query(("get", "ml-model"))),
        ("get ml-model  _fp32", Query(("get", "ml-model"), variations=("fp32",))),
        ("a,-b,_v,-_w", Query(("a",), ("b",), ("v",), ("w",))),
        ("a,_-w", Query(("a",), excluded_variations=("w",))),
        ("a,a,_v,_v", Query(("a",), variations=("v",))),
        ("_batch_size.8", Query(variations=("batch_size.8",))),
        (" , ,", Query()),
        ("a,_", Query(("a", "_"))),
    ],
)
def test_words(text: str, expected: Query):
    assert parse_query(text) == expected


def test_order_of_variations_is_kept():
    assert parse_query("a,_z,_b,_y").variations == ("z", "b", "y")


@pytest.mark.parametrize(("text", "named"), [("a,-a", "tag 'a'"), ("x,_v,-_v", "variation 'v'"), ("x,_v,_-v", "'v'")])
def test_asked_for_and_excluded_is_a_conflict(text: str, named: str):
    with pytest.raises(Conflict, match=named) as caught:
        parse_query(text)
    assert caught.value.hint


@given(st.text("ab_-,. ", max_size=20))
def test_round_trip(text: str):
    query = parsed(text)
    if query is not None:
        assert parse_query(str(query)) == query


@given(st.text("ab_-,. ", max_size=20))
def test_spaces_are_commas(text: str):
    assert parsed(text.replace(" ", ",")) == parsed(text)
