"""What several trainings of one configuration say together: the spread over their seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cm4bench_trainings.record import Training

# Two-sided 95 % quantiles of Student's t for 1, 2 … degrees of freedom; beyond, the error of the rule below is 0.1 %.
_T95 = (
    *(12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.30600, 2.26216, 2.22814),
    *(2.20099, 2.17881, 2.16037, 2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302, 2.08596),
    *(2.07961, 2.07387, 2.06866, 2.06390, 2.05954, 2.05553, 2.05183, 2.04841, 2.04523, 2.04227),
)
_NORMAL95 = 1.95996


@dataclass(frozen=True)
class Summary:
    """Of one figure over several trainings.

    ``deviation`` is the sample's (n - 1). ``low`` and ``high`` bound the mean with 95 % confidence (Student's t);
    None for a single value.
    """

    figure: str
    unit: str
    count: int
    mean: float
    median: float
    minimum: float
    maximum: float
    deviation: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Group:
    """Trainings that differ in nothing but their seed, with the spread of their figures."""

    title: str
    trainings: tuple[Training, ...]
    summaries: tuple[Summary, ...]


_FIGURES: tuple[tuple[str, str, Callable[[Training], float | None]], ...] = (
    ("time to train", "s", lambda one: one.time_to_train_s),
    ("quality", "", lambda one: one.quality.value),
    ("epochs", "", lambda one: one.epochs if not one.failure else None),
    ("throughput", "samples/s", lambda one: one.throughput),
    ("energy", "J", lambda one: one.monitor.energy.joules if not one.resumed else None),
)


def summary(figure: str, unit: str, values: Sequence[float]) -> Summary | None:
    """Of the values of one figure; None where there are none."""
    if not values:
        return None
    mean, count = statistics.fmean(values), len(values)
    deviation = statistics.stdev(values) if count > 1 else None
    reach = _quantile(count - 1) * deviation / count**0.5 if deviation is not None else None
    return Summary(
        figure=figure,
        unit=unit,
        count=count,
        mean=mean,
        median=statistics.median(values),
        minimum=min(values),
        maximum=max(values),
        deviation=deviation,
        low=None if reach is None else mean - reach,
        high=None if reach is None else mean + reach,
    )


def groups(trainings: Iterable[Training]) -> list[Group]:
    """The trainings by configuration, in the order in which configurations first come."""
    found: dict[str, list[Training]] = {}
    for one in trainings:
        found.setdefault(_configuration(one), []).append(one)
    return [_group(members) for members in found.values()]


def _group(members: Sequence[Training]) -> Group:
    made = (
        summary(name, unit, [value for one in members if (value := of(one)) is not None]) for name, unit, of in _FIGURES
    )
    first = members[0]
    data = f" on {first.dataset}" if first.dataset else ""
    return Group(f"{first.benchmark}{data}", tuple(members), tuple(one for one in made if one))


#: what a run's place and time are, not its configuration
_NOT_CONFIGURATION = ("seed", "runs", "output_dir", "resume", "hang_timeout_s", "keep_checkpoint", "monitor_every_s")


def _configuration(one: Training) -> str:
    kept = {key: value for key, value in one.config.items() if key not in _NOT_CONFIGURATION}
    machine = {key: one.host.get(key) for key in ("cpu_model", "accelerators")}
    return repr(
        (one.benchmark, one.dataset, one.tier, sorted(kept.items(), key=str), machine, sorted(one.software.items()))
    )


def _quantile(degrees: int) -> float:
    return _T95[degrees - 1] if degrees <= len(_T95) else _NORMAL95 + 2.4 / degrees
