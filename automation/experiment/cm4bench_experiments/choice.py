"""The Pareto front of an experiment, and what is not worth repeating."""

from __future__ import annotations

from collections.abc import Sequence

from cm4bench_experiments.figures import Configuration, Objective


def scores(one: Configuration, objectives: Sequence[Objective]) -> tuple[float, ...] | None:
    """One number per objective, more is better; None where the configuration lacks one."""
    found = [one.better(objective) for objective in objectives]
    return None if not one.runs or None in found else tuple(value for value in found if value is not None)


def front(found: Sequence[Configuration], objectives: Sequence[Objective]) -> list[Configuration]:
    """Those that no other one beats, by the medians of their repeats; the best in the first objective first."""
    from cm4bench_compare.pareto import front as positions

    rated = [(score, one) for one in found if (score := scores(one, objectives)) is not None]
    kept = [rated[at] for at in positions([score for score, _ in rated], ["higher"] * len(objectives))]
    return [one for _, one in sorted(kept, key=lambda pair: pair[0], reverse=True)]


def is_hopeless(one: Configuration, others: Sequence[Configuration], objective: Objective, factor: float) -> str:
    """Why further repeats are not worth their time: ``factor`` times worse than the best; or an empty text."""
    mine, known = one.better(objective), [value for other in others if (value := other.better(objective)) is not None]
    if mine is None or not known:
        return ""
    best = max(known)
    ratio = best / mine if best > 0 and mine > 0 else mine / best if best < 0 else 0.0
    return f"{objective.name} is {ratio:.2g} times worse than the best" if ratio > factor else ""
