"""Results that the rules let one infer from others, on request only.

On an edge system a SingleStream result also stands for MultiStream and Offline, a MultiStream result for Offline; and a
result of `X-99.9` also stands for `X-99`. Only what was not measured is inferred.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlperf_checker.layout import Place

if TYPE_CHECKING:
    from harness.rounds import Round

# The better source first: a MultiStream run says more about Offline than a SingleStream run.
_SOURCES = {"Offline": ("MultiStream", "SingleStream"), "MultiStream": ("SingleStream",)}
_HIGH, _LOW = "-99.9", "-99"


@dataclass(frozen=True)
class Inferred:
    """A result at ``target`` that is a copy of the measured one at ``source``."""

    source: Place
    target: Place


def inferences(
    places: Sequence[Place], found: Round, category: str, benchmarks: dict[str, str], estimates: Container[Place]
) -> list[Inferred]:
    """What can be inferred from the measured results at ``places``.

    Args:
        found: the round, which says which scenarios a benchmark has.
        category: of the system; scenarios are inferred for edge systems only.
        benchmarks: model folder to the round's benchmark.
        estimates: SingleStream results whose log has loadgen's estimate for MultiStream (662 queries and more).
    """
    scenarios = list(_scenarios(places, found, category, benchmarks, estimates))
    measured = {(one.benchmark, one.scenario) for one in places}
    everything = [*((one, one) for one in places), *((one.target, one.source) for one in scenarios)]
    lower = [
        Inferred(source, replace(target, benchmark=target.benchmark[: -len(_HIGH)] + _LOW))
        for target, source in everything
        if target.benchmark.endswith(_HIGH) and target.division != "open"
    ]
    usable = [
        one
        for one in lower
        if (one.target.benchmark, one.target.scenario) not in measured
        and _has(found, one.target.benchmark, one.target.scenario, category)
    ]
    return [*scenarios, *usable]


def _scenarios(
    places: Sequence[Place], found: Round, category: str, benchmarks: dict[str, str], estimates: Container[Place]
) -> Iterator[Inferred]:
    if "edge" not in category.split(","):
        return
    for model in dict.fromkeys(one.benchmark for one in places):
        own = {one.scenario: one for one in places if one.benchmark == model}
        for target, sources in _SOURCES.items():
            if target in own or not _has(found, benchmarks[model], target, category):
                continue
            for source in sources:
                if source in own and (target != "MultiStream" or own[source] in estimates):
                    yield Inferred(own[source], replace(own[source], scenario=target))
                    break


def _has(found: Round, benchmark: str, scenario: str, category: str) -> bool:
    return benchmark in found.benchmarks and scenario in found.benchmarks[benchmark].scenarios(category)
