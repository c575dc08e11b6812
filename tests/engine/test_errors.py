"""Errors: cause first, one screen, the next command."""

from pathlib import Path

import pytest

from cm4bench.errors import CMBenchError, NotFound, StepFailed, did_you_mean

SCREEN = """\
error: it broke

because:
  top
    └ middle _v
      └ low

last lines of its output:
  | one
  | two

full log: /logs/low.log

next: repair it"""


def test_the_screen():
    error = StepFailed("it broke", hint="repair it").through(("top", "middle _v", "low"))
    error.log, error.log_tail = Path("/logs/low.log"), ["one", "two"]
    assert error.render() == SCREEN


def test_a_bare_cause():
    assert CMBenchError("it broke").through(("top",)).render() == "error: it broke"


def test_the_deepest_chain_is_kept():
    assert CMBenchError("x").through(("a", "b")).through(("a",)).chain == ("a", "b")


def test_codes():
    assert (CMBenchError("x").code, NotFound("x").code, NotFound("x", code=1).code) == (1, 16, 1)


@pytest.mark.parametrize(
    ("word", "text"),
    [("cpuu", " (did you mean 'cpu'?)"), ("modell", " (did you mean 'model' or 'models'?)"), ("zzz", "")],
)
def test_suggestions(word: str, text: str):
    assert did_you_mean(word, ["cpu", "model", "models"]) == text
