"""Which results go into a submission, where, and by which round's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlperf_checker import roundfiles
from mlperf_checker.layout import Place

from mlperf_submission import results
from mlperf_submission.errors import SubmissionError
from mlperf_submission.order import Order
from mlperf_submission.results import Result
from mlperf_submission.tree import Member

if TYPE_CHECKING:
    from harness.rounds import Benchmark, Round


@dataclass(frozen=True)
class Selection:
    """The results of one submission. ``left_out`` says in words which ones are not in it, and why."""

    round: Round
    members: tuple[Member, ...]
    left_out: tuple[str, ...] = ()

    def of_model(self) -> list[list[Member]]:
        """The members of each model."""
        names = dict.fromkeys(one.place.benchmark for one in self.members)
        return [[one for one in self.members if one.place.benchmark == name] for name in names]


def find(records: Sequence[Path]) -> list[Result]:
    """The last result of each model and scenario in the given files and folders.

    Raises:
        SubmissionError: where there is none, or a record cannot be read.
    """
    found = [results.read(path) for folder in records for path in results.find(folder)]
    if not found:
        looked = ", ".join(map(str, records))
        raise SubmissionError(f"there are no results in {looked}", 'cmr "run mlperf inference _valid" makes some')
    return results.newest(found)


def round_of(found: Sequence[Result], asked: str) -> Round:
    """The round of all runs, by the seeds in their logs.

    Raises:
        SubmissionError: for seeds of no known round, of several rounds, or of another round than ``asked``.
    """
    by_round: dict[str, list[str]] = {}
    for result in found:
        for run in result.record.runs:
            if run.mode != "find-performance":
                known = roundfiles.of_seeds(result.seeds(run.mode))
                where = f"{result.model} {result.scenario} ({run.mode})"
                by_round.setdefault(known.name if known else "no known round", []).append(where)
    listed = "\n".join(f"  {name}: {', '.join(runs)}" for name, runs in sorted(by_round.items()))
    hint = "loadgen's wheel fixes the round: measure all with one loadgen, or choose by --results_dir"
    if len(by_round) != 1 or "no known round" in by_round:
        raise SubmissionError(f"the runs do not belong to one known round:\n{listed}", hint)
    name = next(iter(by_round))
    if asked and asked != name:
        raise SubmissionError(f"{asked} was asked for, but the seeds of the runs are those of {name}", hint)
    return roundfiles.load(name)


def select(found: Sequence[Result], chosen: Round, order: Order) -> Selection:
    """Places for all results that the round has a place for.

    Raises:
        SubmissionError: for a result that the round has no benchmark for.
    """
    members, left_out = [], []
    for result in found:
        benchmark = result.benchmark(chosen)
        if benchmark is None:
            told = result.configuration.get("benchmark")
            cause = f"{chosen.name} has no benchmark for {result.model} (loadgen was told {told!r})"
            raise SubmissionError(cause, "choose the results by --results_dir=FOLDER")
        if reason := _no_place(result, benchmark, chosen, order):
            left_out.append(reason)
            continue
        name = result.model if order.division == "open" else benchmark.name
        place = Place(order.division, order.submitter, order.system, name, result.scenario)
        members.append(Member(result, place, benchmark.name))
    if not members:
        raise SubmissionError("nothing is left to submit:\n" + "\n".join(f"  {one}" for one in left_out))
    return Selection(chosen, tuple(members), tuple(left_out))


def _no_place(result: Result, benchmark: Benchmark, chosen: Round, order: Order) -> str:
    has = benchmark.scenarios(order.category)
    if result.scenario in has:
        return ""
    scenarios = ", ".join(has) or "none at all"
    return (
        f"{result.model} {result.scenario} is left out: {chosen.name} has {scenarios} for {benchmark.name} "
        f"({order.category})"
    )
