"""Runs one configuration of an experiment again and says whether the figure came out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cm4bench_experiments.child import Access
from cm4bench_experiments.conduct import Place, ask_of
from cm4bench_experiments.errors import ExperimentError
from cm4bench_experiments.executors import Executor
from cm4bench_experiments.executors.local import Forks
from cm4bench_experiments.figures import Configuration, configuration, more_is_better
from cm4bench_experiments.folder import Ask, Experiment, PointFolder, Status
from cm4bench_experiments.plan import Point
from cm4bench_experiments.sweep import Sweep

if TYPE_CHECKING:
    from cm4bench_compare.noise import Comparison as NoisyComparison

# A margin wider than this would call almost anything reproduced.
TELLING = 0.25


@dataclass(frozen=True)
class Replayed:
    """New values beside the known ones. ``reproduced`` is None where too little is known about the noise."""

    old: tuple[float, ...]
    new: tuple[float, ...]
    reproduced: bool | None
    words: str


def run_again(
    experiment: Experiment, sweep: Sweep, chosen: Configuration, place: Place, access: Access, repeats: int = 1
) -> Configuration:
    """Run a configuration so often, one after the other, beside the experiment and not in it.

    Raises:
        ExperimentError: a run failed.
    """
    aside = Experiment(experiment.path / "replays")
    aside.open(sweep)
    key = Point(chosen.settings).key
    before = sum(ask.point.key == key for ask, _ in aside.known())
    executor = Forks(access)
    return configuration(
        [_run(aside.prepare(ask_of(sweep, Point(chosen.settings, number), place)), executor)
         for number in range(before + 1, before + repeats + 1)]
    )  # fmt: skip


def _run(folder: PointFolder, executor: Executor) -> tuple[Ask, Status]:
    executor.submit(folder)
    executor.finished()
    status = folder.status()
    fresh = configuration([(folder.ask(), status)]) if status else None
    if status is None or fresh is None or not fresh.runs:
        causes = "; ".join(fresh.causes) if fresh else "it left no status"
        raise ExperimentError(f"the point did not run again: {causes}", f"see {folder.log}")
    return folder.ask(), status


def judge(name: str, chosen: Configuration, fresh: Configuration, others: Sequence[Configuration]) -> Replayed:
    """Compare under the noise of the point's own repeats and, as far as they agree, of all ``others``.

    Raises:
        ExperimentError: there is no such figure.
    """
    from cm4bench_compare.noise import compare, learn
    from cm4bench_compare.words import sentence

    old, new = (tuple(figure.value for figure in one.values.get(name, ())) for one in (chosen, fresh))
    figure = fresh.figure(name)
    if not old or figure is None:
        raise ExperimentError(f"the point has no figure {name!r} to compare", "cm show experiment --dir=FOLDER")
    try:
        repeats = [[one.value for one in other.values.get(name, ())] for other in others if other is not chosen]
        noise = learn(repeats)
        found = compare(old, new, higher_is_better=more_is_better(figure), noise=noise)
    except ValueError as error:
        raise ExperimentError(f"{name}: {error}") from None
    reproduced = _reproduced(found)
    verdict = {None: "cannot tell", True: "reproduced", False: "NOT reproduced"}[reproduced]
    who = "the new run" if len(new) == 1 else "what ran again"
    words = f"{verdict}: {found.a:.4g} → {found.b:.4g} {figure.unit}; {sentence(found, who, figure.unit)}"
    return Replayed(old, new, reproduced, words)


def _reproduced(found: NoisyComparison) -> bool | None:
    if found.low is None or found.high is None:
        return None
    telling = max(found.high - found.change, found.change - found.low) <= TELLING
    return False if found.beyond_noise else True if telling else None
