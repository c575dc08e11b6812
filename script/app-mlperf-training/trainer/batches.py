"""Which samples make which batch: a pure function of seed, epoch, step and rank, so that any run can be resumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from trainer.errors import TrainingError
from trainer.task import Batch, Split


@dataclass(frozen=True)
class Layout:
    """How a global batch is divided. ``micro`` samples go through one rank at once, ``accumulation`` times a step."""

    rank: int
    world: int
    accumulation: int
    micro: int

    @classmethod
    def divide(cls, batch_size: int, rank: int, world: int, accumulation: int) -> Layout:
        """TrainingError where a batch cannot be divided evenly: then its mean would not be the mean of its parts."""
        parts = world * accumulation
        if batch_size % parts:
            near = max(parts, round(batch_size / parts) * parts)
            cause = f"a batch of {batch_size} cannot be divided by {world} processes × {accumulation} accumulated steps"
            raise TrainingError("config", cause, f"--batch_size={near}")
        return cls(rank, world, accumulation, batch_size // parts)

    @property
    def batch_size(self) -> int:
        """Samples per optimiser step, over all ranks."""
        return self.micro * self.world * self.accumulation


class Order:
    """The samples of one epoch, shuffled, in whole global batches; the rest of a pass is left out."""

    def __init__(self, samples: int, layout: Layout, seed: int, epoch: int, epoch_samples: int | None = None) -> None:
        import torch

        self._layout = layout
        wanted = min(epoch_samples or samples, samples)
        self.steps = wanted // layout.batch_size
        draw = torch.Generator().manual_seed((seed << 20) + epoch)
        self._order: list[int] = torch.randperm(samples, generator=draw).tolist()

    def micro_batches(self, from_step: int) -> Iterator[list[int]]:
        """This rank's part, ``accumulation`` lists per step; the first is that of optimiser step ``from_step``."""
        own = self._layout
        for step in range(from_step, self.steps):
            for part in range(own.accumulation):
                start = step * own.batch_size + (part * own.world + own.rank) * own.micro
                yield self._order[start : start + own.micro]


class _Fetch:
    """A split as torch's loader takes it: a whole batch of indices at once, with randomness that repeats."""

    def __init__(self, split: Split, seed: int) -> None:
        self._split = split
        self._seed = seed

    def __len__(self) -> int:
        return len(self._split)

    def __getitems__(self, indices: list[int]) -> Batch:
        import torch

        # By its first sample, so that a batch is the same whichever worker makes it.
        draw = torch.Generator().manual_seed(self._seed * 1_000_003 + indices[0])
        return self._split.batch(indices, draw)


def loader(split: Split, batches: Iterable[list[int]], seed: int, workers: int) -> Iterator[Batch]:
    """Batches in order, made by ``workers`` processes ahead of time, or in this one for 0."""
    fetch = _Fetch(split, seed)
    if not workers:
        return (fetch.__getitems__(indices) for indices in batches)
    from torch.utils.data import DataLoader

    options: dict[str, Any] = {"num_workers": workers, "collate_fn": _as_it_is, "persistent_workers": False}
    return iter(DataLoader(fetch, batch_sampler=list(batches), **options))  # type: ignore[arg-type]


def _as_it_is(batch: Batch) -> Batch:
    return batch


def in_turn(samples: int, batch_size: int, rank: int, world: int) -> list[list[int]]:
    """The evaluation batches of one rank: every sample once over all ranks, none twice, none left out."""
    own = range(rank, samples, world)
    return [list(own[start : start + batch_size]) for start in range(0, len(own), batch_size)]
