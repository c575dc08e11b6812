"""Neighbours of the asked nodes, hop by hop, as the reference samples them.

Each hop looks at the nodes that the hop before found first: of each relation that points at them, up to `fanout` edges
at random, without repetition. Nodes are numbered in the order in which they were found, so that those known after a hop
are a prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graph_classification.graph import Relation
from harness.arrays import Array

if TYPE_CHECKING:
    import numpy as np

FANOUTS = (15, 10, 5)


@dataclass(frozen=True)
class Edges:
    """Sampled edges of one relation: local numbers of sources and targets, both (m,)."""

    source: Array
    target: Array


@dataclass
class Subgraph:
    """What was sampled.

    Attributes:
        nodes: per type, the graph's numbers of the nodes in the order in which they were found.
        known: per type, how many were known before the first hop, after the first, and so on.
        hops: per hop, the edges by relation name; relations without edges are left out.
    """

    nodes: dict[str, Array]
    known: dict[str, list[int]]
    hops: list[dict[str, Edges]] = field(default_factory=list)


class Sampler:
    """Samples around nodes of one type."""

    def __init__(self, relations: Sequence[Relation], predicted: str, fanouts: Sequence[int] = FANOUTS) -> None:
        self._relations, self._predicted, self._fanouts = relations, predicted, fanouts
        self._types = sorted({r.source for r in relations} | {r.target for r in relations} | {predicted})

    def sample(self, seeds: Array, rng: np.random.Generator) -> Subgraph:
        """The neighbourhood of distinct `seeds`, which get the numbers 0, 1, …"""
        import numpy as np

        numbers = {kind: Numbers() for kind in self._types}
        numbers[self._predicted].add(seeds)
        frontier = dict.fromkeys(self._types, 0)
        known = {kind: [len(numbers[kind])] for kind in self._types}
        hops = []
        for fanout in self._fanouts:
            start, end = frontier, {kind: len(numbers[kind]) for kind in self._types}
            found: dict[str, Edges] = {}
            for relation in self._relations:
                kind = relation.target
                targets = numbers[kind].all()[start[kind] : end[kind]]
                source, place = neighbours(relation, targets, fanout, rng)
                if len(source):
                    found[relation.name] = Edges(numbers[relation.source].add(source), place + start[kind])
            hops.append(found)
            frontier = end
            for kind in self._types:
                known[kind].append(len(numbers[kind]))
        nodes = {kind: np.asarray(table.all()) for kind, table in numbers.items()}
        return Subgraph(nodes, known, hops)


class Numbers:
    """Local numbers of one type's nodes, given in the order in which they come."""

    def __init__(self) -> None:
        import numpy as np

        self._nodes: Array = np.empty(0, dtype=np.int64)  # by local number
        self._sorted: Array = self._nodes
        self._order: Array = self._nodes  # local number of each entry of _sorted

    def __len__(self) -> int:
        return len(self._nodes)

    def all(self) -> Array:
        """The graph's numbers by local number."""
        return self._nodes

    def add(self, nodes: Array) -> Array:
        """Local numbers of `nodes`; unknown ones get the next."""
        import numpy as np

        distinct, first = np.unique(nodes, return_index=True)
        place = np.searchsorted(self._sorted, distinct)
        new = np.ones(len(distinct), dtype=bool)
        inside = place < len(self._sorted)
        new[inside] = self._sorted[place[inside]] != distinct[inside]
        if new.any():
            arrived = nodes[np.sort(first[new])]
            self._nodes = np.concatenate([self._nodes, arrived])
            self._order = np.argsort(self._nodes, kind="stable")
            self._sorted = self._nodes[self._order]
        numbers: Array = self._order[np.searchsorted(self._sorted, nodes)]
        return numbers


def neighbours(relation: Relation, targets: Array, fanout: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Sources (m,) of up to `fanout` edges into each target, and each one's position in `targets` (m,)."""
    import numpy as np

    starts = np.asarray(relation.indptr[targets], dtype=np.int64)
    degrees = np.asarray(relation.indptr[targets + 1], dtype=np.int64) - starts
    few = np.minimum(degrees, fanout)
    place = np.repeat(np.arange(len(targets)), few)
    within = np.arange(len(place)) - np.repeat(few.cumsum() - few, few)
    many = np.flatnonzero(degrees > fanout)
    if len(many):
        chosen = distinct(degrees[many], fanout, rng)
        within[np.isin(place, many, assume_unique=False)] = chosen.reshape(-1)
    return np.asarray(relation.indices[starts[place] + within], dtype=np.int64), place


def distinct(sizes: Array, count: int, rng: np.random.Generator) -> Array:
    """For each size, `count` distinct numbers below it, all subsets equally likely: (n, count).

    Floyd's method (Bentley and Floyd 1987), for all rows at once: sizes must be above `count`.
    """
    import numpy as np

    chosen = np.full((len(sizes), count), -1, dtype=np.int64)
    for column in range(count):
        last = sizes - count + column
        drawn = (rng.random(len(sizes)) * (last + 1)).astype(np.int64)
        taken = (chosen[:, :column] == drawn[:, None]).any(axis=1)
        chosen[:, column] = np.where(taken, last, drawn)
    return chosen
