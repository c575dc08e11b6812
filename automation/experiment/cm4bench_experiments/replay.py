"""Runs one configuration of an experiment again and says whether the figure came out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cm4bench_experiments.child import Access
from cm4bench_experiments.conduct import Place, ask_of
from cm4bench_experiments.errors import ExperimentError
from cm4bench_experiments.executors.local import Forks
from cm4bench_experiments.figures import Configuration, configurations, more_is_better
from cm4bench_experiments.folder import Experiment
from cm4bench_experiments.plan import Point
from cm4bench_experiments.sweep import Sweep

if TYPE_CHECKING:
    from cm4bench_compare.noise import Comparison as NoisyComparison

# A margin wider than this would call almost anything reproduced.
TELLING = 0.25


@dataclass(frozen=True)
class Replayed:
    """The new value beside the known ones. ``reproduced`` is None where nothing is known about the noise."""

    old: tuple[float, ...]
    new: float
    reproduced: bool | None
    words: str


def run_again(
    experiment: Experiment, sweep: Sweep, chosen: Configuration, place: Place, access: Access
) -> Configuration:
    """Run a configuration once more, beside the experiment and not in it. Raises ExperimentError if that fails."""
    aside = Experiment(experiment.path / "replays")
    aside.open(sweep)
    key = Point(chosen.settings).key
    number = 1 + sum(ask.point.key == key for ask, _ in aside.known())
    executor = Forks(access)
    executor.submit(aside.prepare(ask_of(sweep, Point(chosen.settings, number), place)))
    folder, _ = executor.finished()
    status = folder.status()
    fresh = configurations([(folder.ask(), status)] if status else [])
    if not fresh or not fresh[0].runs:
        causes = "; ".join(fresh[0].causes) if fresh else "it left no status"
        raise ExperimentError(f"the point did not run again: {causes}", f"see {folder.log}")
    return fresh[0]


def judge(name: str, chosen: Configuration, fresh: Configuration, others: Sequence[Configuration]) -> Replayed:
    """Compare under the noise that all repeats of the experiment show. Raises ExperimentError without a figure."""
    from cm4bench_compare.noise import compare, learn
    from cm4bench_compare.words import sentence

    old = tuple(figure.value for figure in chosen.values.get(name, ()))
    figure = fresh.figure(name)
    if not old or figure is None:
        raise ExperimentError(f"the point has no figure {name!r} to compare", "cm show experiment --dir=FOLDER")
    try:
        noise = learn([[one.value for one in other.values.get(name, ())] for other in others])
        found = compare(old, [figure.value], higher_is_better=more_is_better(figure), noise=noise)
    except ValueError as error:
        raise ExperimentError(f"{name}: {error}") from None
    reproduced = _reproduced(found)
    verdict = {None: "cannot tell", True: "reproduced", False: "NOT reproduced"}[reproduced]
    words = f"{verdict}: {found.a:.4g} → {found.b:.4g} {figure.unit}; {sentence(found, 'the new run', figure.unit)}"
    return Replayed(old, figure.value, reproduced, words)


def _reproduced(found: NoisyComparison) -> bool | None:
    if found.low is None or found.high is None:
        return None
    telling = max(found.high - found.change, found.change - found.low) <= TELLING
    return False if found.beyond_noise else True if telling else None
