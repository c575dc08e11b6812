"""Delta debugging, and the planted culprit in a lock."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cm4bench_compare import bisect, ddmin
from cm4bench_compare.bisection import BisectError, as_data
from cm4bench_compare.lockmix import entries, mixed, read, write

ITEMS = some.integers(1, 40)


@given(ITEMS.flatmap(lambda n: some.tuples(some.just(n), some.sets(some.integers(0, n - 1), min_size=1))))
def test_a_planted_set_is_found_exactly(case: tuple[int, set[int]]) -> None:
    count, planted = case
    assert set(ddmin(range(count), lambda part: planted <= set(part))) == planted


@given(ITEMS.flatmap(lambda n: some.tuples(some.just(n), some.sets(some.integers(0, n - 1), min_size=1))))
def test_one_of_several_causes_is_enough(case: tuple[int, set[int]]) -> None:
    count, planted = case
    found = ddmin(range(count), lambda part: bool(planted & set(part)))
    assert len(found) == 1 and found[0] in planted


@given(some.integers(2, 12), some.randoms())
def test_whatever_the_test_the_answer_is_minimal(count: int, chance: random.Random) -> None:
    answers: dict[tuple[int, ...], bool] = {tuple(range(count)): True, (): False}

    def shows(part: tuple[int, ...]) -> bool:
        return answers.setdefault(part, chance.random() < 0.4)

    found = ddmin(range(count), shows)
    assert answers[found]
    if len(found) > 1:
        assert not any(answers.get(tuple(one for one in found if one != gone), False) for gone in found)


@given(ITEMS)
def test_no_part_is_run_twice(count: int) -> None:
    asked: list[tuple[int, ...]] = []

    def shows(part: tuple[int, ...]) -> bool:
        asked.append(part)
        return 0 in part

    ddmin(range(count), shows)
    assert len(asked) == len(set(asked))
    assert len(asked) <= 2 * count + 10


def lock(threads: int = 2, torch: str = "2.13.0", **options: Any) -> dict[str, Any]:
    return {
        "created": "2026-01-31T09:30:05+00:00",
        "request": {
            "tags": "run,mlperf,inference",
            "options": {"threads": threads, "results_dir": f"r{threads}", **options},
            "adr": {"torch": {"version": torch}},
        },
        "host": {},
        "repositories": [],
        "steps": [
            {"label": "torch", "alias": "get-torch", "uid": "", "repo": "r", "id": "1", "recipe": "x",
             "packages": [{"name": "torch", "version": torch, "record_sha256": "ab"}]}
        ],
    }  # fmt: skip


GOOD, BAD = lock(batch_size=8), lock(threads=1, torch="2.12.0", batch_size=16, seed=3)


class Machine:
    """A machine on which one thread is half as fast as two."""

    def __init__(self, **effects: float) -> None:
        self.runs = 0
        self.chance = random.Random(5)

    def __call__(self, given: dict[str, Any]) -> Sequence[float]:
        self.runs += 1
        speed = 50.0 * int(given["request"]["options"]["threads"])
        return [speed * (1 + self.chance.gauss(0, 0.01)) for _ in range(3)]


def test_entries_of_a_difference() -> None:
    names = [one.name for one in entries(GOOD, BAD)]
    assert names == ["--batch_size", "--seed", "--threads", "--adr.torch.version", "package torch"]


def test_all_entries_applied_are_the_bad_lock() -> None:
    made = mixed(GOOD, entries(GOOD, BAD))
    made["request"]["options"]["results_dir"] = "r1"
    made["steps"][0]["packages"][0]["record_sha256"] = "ab"
    assert made == BAD
    back = mixed(BAD, entries(BAD, GOOD))
    assert back["request"]["options"] == {"threads": 2, "results_dir": "r1", "batch_size": 8}


def test_the_planted_thread_count_is_named() -> None:
    machine = Machine()
    found = bisect(GOOD, BAD, machine)
    assert [str(one) for one in found.culprits] == ["--threads: 2 → 1"]
    assert found.comparison.verdict == "worse"
    assert machine.runs <= 12
    assert as_data(found)["culprits"] == ["--threads: 2 → 1"]


def test_two_entries_that_only_together_do_harm() -> None:
    def run(given: dict[str, Any]) -> Sequence[float]:
        options = given["request"]["options"]
        slow = options["batch_size"] == 16 and given["steps"][0]["packages"][0]["version"] == "2.12.0"
        return [40.0, 40.5, 39.8] if slow else [100.0, 101.0, 99.5]

    assert [one.name for one in bisect(GOOD, BAD, run).culprits] == ["--batch_size", "package torch"]


def test_mixes_that_cannot_run_are_passed_over() -> None:
    machine = Machine()

    def run(given: dict[str, Any]) -> Sequence[float]:
        options = given["request"]["options"]
        broken = options.get("seed") == 3 and options["threads"] == 2
        return [] if broken else machine(given)

    assert "--threads: 2 → 1" in [str(one) for one in bisect(GOOD, BAD, run).culprits]


@pytest.mark.parametrize(
    ("good", "bad", "run", "word"),
    [
        (GOOD, GOOD, Machine(), "nothing can be mixed"),
        (GOOD, lock(batch_size=16), Machine(), "within noise"),
        (GOOD, BAD, lambda given: [5.0], "--repeats"),
        (GOOD, BAD, lambda given: [], "cannot be run"),
    ],
)
def test_what_cannot_be_traced_is_said(good: dict, bad: dict, run: Any, word: str) -> None:
    with pytest.raises(BisectError, match=word):
        bisect(good, bad, run)


def test_a_mixed_lock_is_a_lock(tmp_path: Path) -> None:
    write(mixed(GOOD, entries(GOOD, BAD)[:2]), tmp_path / "lock.json")
    assert read(tmp_path / "lock.json")["request"]["options"]["batch_size"] == 16
