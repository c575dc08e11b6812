"""Runs under compliance tests in every state that matters, with the verdict that they deserve.

Each situation fills the logs of a case. `stricter` marks those where we say no and upstream's script yes, with the
reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.compliance.conftest import Logs, packed

Fill = Callable[[Logs, Logs, Logs], None]


@dataclass(frozen=True)
class Situation:
    """What the logs hold, and whether it passes; `said` is part of the first reason of a failure."""

    name: str
    test: str
    benchmark: str
    fill: Fill
    passes: bool
    said: str = ""
    scenario: str = "Offline"
    stricter: str = ""
    changes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.test}-{self.name}"


def floats(*values: float) -> list[dict[str, Any]]:
    return [{"qsl_idx": k, "data": packed("f", value)} for k, value in enumerate(values)]


def speed(reference: tuple[Any, ...], test: tuple[Any, ...], **more: Any) -> Fill:
    """Same answers, these performances: (scenario, score)."""

    def fill(measured: Logs, accuracy: Logs, compliance: Logs) -> None:
        measured.measured(*reference)
        accuracy.answered(floats(1, 2, 3))
        compliance.measured(*test, **more).answered(floats(1, 2, 3))

    return fill


def answers(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Fill:
    """Same performance, these answers."""

    def fill(measured: Logs, accuracy: Logs, compliance: Logs) -> None:
        measured.measured()
        accuracy.answered(before)
        compliance.measured().answered(after)

    return fill


def tokens(*entries: dict[str, Any]) -> Fill:
    def fill(measured: Logs, accuracy: Logs, compliance: Logs) -> None:
        measured.measured()
        compliance.measured().answered([{"qsl_idx": k} | one for k, one in enumerate(entries)])

    return fill


def token(*values: int, first: int | None = None, count: int | None = None, form: str = "i") -> dict[str, Any]:
    return {
        "data": packed(form, *values),
        "token_data": packed(form, values[0] if first is None else first),
        "token_count": len(values) if count is None else count,
    }


def query(number: int, *predictions: float, after: bool = False) -> dict[str, Any]:
    """An answer of dlrm-v3: timestamp, query, predictions, and in the accuracy run labels, weights and their number."""
    labels = [float(k % 2) for k in range(len(predictions))]
    rest = [] if after else [*labels, *[1.0] * len(predictions), float(len(predictions))]
    return {"qsl_idx": number, "data": packed("f", 7, number, *predictions, *rest)}


OTHER_LIMIT = {"limit_ns": 30_000_000}


def of_test01(name: str, fill: Fill, passes: bool, said: str = "", dtype: str = "float32", **more: Any) -> Situation:
    return Situation(name, "TEST01", "resnet", fill, passes, said, changes={"dtype": dtype}, **more)


def of_test04(name: str, fill: Fill, passes: bool, said: str = "", **more: Any) -> Situation:
    return Situation(name, "TEST04", "resnet", fill, passes, said, **more)


def of_test06(name: str, fill: Fill, passes: bool, said: str = "", dtype: str = "int32", **more: Any) -> Situation:
    return Situation(name, "TEST06", "llama2-70b-99.9", fill, passes, said, changes={"dtype": dtype}, **more)


def of_test08(name: str, fill: Fill, passes: bool, said: str = "") -> Situation:
    return Situation(name, "TEST08", "dlrm-v3", fill, passes, said)


def of_test09(name: str, fill: Fill, passes: bool, said: str = "") -> Situation:
    return Situation(name, "TEST09", "e2e-rag-qna", fill, passes, said)


TEST01 = [
    of_test01("same", speed(("Offline", 100), ("Offline", 95)), True),
    of_test01("other-answer", answers(floats(1, 2, 3), floats(1, 2, 4)), False, "1 differ"),
    of_test01("nothing-in-common", answers(floats(1), [{"qsl_idx": 9, "data": packed("f", 1)}]), False, "of 0 answers"),
    of_test01("first-byte-only", answers(floats(1, 2), floats(3, 4)), True, dtype="byte"),
    of_test01(
        "unknown-sample-once", answers(floats(1, 2), [*floats(1, 2), {"qsl_idx": 9, "data": packed("f", 1)}]), True
    ),
    of_test01(
        "unknown-sample-twice",
        answers(
            floats(1), [*floats(1), {"qsl_idx": 9, "data": packed("f", 1)}, {"qsl_idx": 9, "data": packed("f", 2)}]
        ),
        False,
        "1 differ",
    ),
    of_test01("empty-answers", answers([{"qsl_idx": 0, "data": ""}], [{"qsl_idx": 0, "data": ""}]), True),
    of_test01("empty-against-full", answers(floats(1), [{"qsl_idx": 0, "data": ""}]), False, "1 differ"),
    of_test01("nan", answers(floats(float("nan")), floats(float("nan"))), False, "1 differ"),
    of_test01("slower", speed(("Offline", 100), ("Offline", 89)), False, "89 per second"),
    of_test01("faster", speed(("Offline", 100), ("Offline", 111)), False, "111 per second"),
    of_test01(
        "short-stream", speed(("SingleStream", 200_000), ("SingleStream", 235_000)), True, scenario="SingleStream"
    ),
    of_test01(
        "long-stream",
        speed(("SingleStream", 300_000), ("SingleStream", 340_000)),
        False,
        "0.34 ms",
        scenario="SingleStream",
    ),
    of_test01(
        "multi-stream", speed(("MultiStream", 1_500_000), ("MultiStream", 1_750_000)), True, scenario="MultiStream"
    ),
    of_test01("other-scenario", speed(("Offline", 100), ("Server", 100)), False, "Offline and Server"),
    of_test01("other-limit", speed(("Server", 100), ("Server", 100), **OTHER_LIMIT), False, "30000000 ns"),
    of_test01("invalid", speed(("Offline", 100), ("Offline", 100), valid=False), False, "not call it VALID"),
    # Upstream's script breaks here, on a name that it never defined, and so says no by accident.
    of_test01("errors", speed(("Offline", 100), ("Offline", 100), errors=2), False, "logged errors, first: error 0"),
]
TEST04 = [
    of_test04("as-fast", speed(("Offline", 100), ("Offline", 109)), True),
    of_test04("slower", speed(("Offline", 100), ("Offline", 50)), True),
    of_test04("faster", speed(("Offline", 100), ("Offline", 110.5)), False, "10 % faster or more"),
    of_test04("server", speed(("Server", 100), ("Server", 112)), False, "112 per second"),
    of_test04("stream", speed(("SingleStream", 1e6), ("SingleStream", 0.85e6)), True, scenario="SingleStream"),
    of_test04(
        "stream-faster",
        speed(("SingleStream", 1e6), ("SingleStream", 0.8e6)),
        False,
        "20 % faster",
        scenario="SingleStream",
    ),
    of_test04(
        "very-fast-stream",
        speed(("SingleStream", 4000), ("SingleStream", 3500)),
        False,
        "10 % faster",
        scenario="SingleStream",
    ),
    of_test04("multi-stream", speed(("MultiStream", 1e6), ("MultiStream", 0.85e6)), True, scenario="MultiStream"),
    of_test04("invalid", speed(("Offline", 100), ("Offline", 100), valid=False), False, "not call it VALID"),
    of_test04("other-scenario", speed(("Offline", 100), ("Server", 90)), False, "Offline and Server"),
    of_test04(
        "errors",
        speed(("Offline", 100), ("Offline", 100), errors=1),
        False,
        "logged errors",
        stricter="a run with loadgen errors cannot be submitted",
    ),
    of_test04(
        "other-limit",
        speed(("Server", 100), ("Server", 100), **OTHER_LIMIT),
        False,
        "30000000 ns",
        stricter="upstream's pattern for the limit matches no line of the summary",
    ),
]
TEST06 = [
    of_test06("good", tokens(token(5, 6, 2), token(5, 2)), True),
    of_test06("offline-first-token", tokens(token(5, 6, 2, first=9)), True),
    of_test06(
        "server-first-token",
        tokens(token(5, 6, 2, first=9)),
        False,
        "begins with token 5, 9 was reported",
        scenario="Server",
    ),
    of_test06("server-good", tokens(token(5, 6, 2)), True, scenario="Server"),
    of_test06(
        "no-first-token",
        tokens({"data": packed("i", 5, 6), "token_count": 2}),
        False,
        "no first token was reported",
        scenario="Server",
    ),
    of_test06("two-ends", tokens(token(5, 6, 2, 2)), False, "ends with 2 end tokens"),
    of_test06("no-end", tokens(token(5, 6, 7)), True),
    of_test06("only-ends", tokens(token(2, 2)), True),
    of_test06("three-ends", tokens(token(2, 2, 2)), False, "ends with 2 end tokens"),
    of_test06(
        "too-many-counted",
        tokens(token(5, 6, 2, count=4)),
        False,
        "4 tokens were reported for sample 0, its answer has 3",
    ),
    of_test06("int64-as-int32", tokens(token(5, 6, 3, form="q")), False, "twice the bytes"),
    of_test06("int64", tokens(token(5, 6, 2, form="q")), True, dtype="int64"),
]
TEST08 = [
    of_test08("same", answers([query(1, 0.2, 0.7), query(2, 0.4, 0.6)], [query(1, 0.2, 0.7, after=True)]), True),
    of_test08("close", answers([query(1, 0.2, 0.7)], [query(1, 0.2, 0.7001, after=True)]), True),
    of_test08("other", answers([query(1, 0.2, 0.7)], [query(1, 0.2, 0.6, after=True)]), False, "1 of 1 differ"),
    of_test08(
        "unknown",
        answers([query(1, 0.2, 0.7)], [query(1, 0.2, 0.7, after=True), query(9, 0.2, 0.7, after=True)]),
        False,
        "1 of 2 not in the accuracy run",
    ),
]
TEST09 = [
    of_test09("good", tokens({"data": packed("i", *range(270))}, {"data": packed("i", *range(250))}), True),
    of_test09("short", tokens({"data": packed("i", *range(200))}, {"data": ""}), False, "100.00 tokens over 2 answers"),
    of_test09("long", tokens({"data": packed("i", *range(302))}), False, "302.00 tokens"),
]
ALL = (*TEST01, *TEST04, *TEST06, *TEST08, *TEST09)
