"""Which samples make which batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.batches import Layout, Order, in_turn, loader
from trainer.errors import TrainingError
from trainer.task import Columns


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(0, 3), st.integers(0, 2**31))
def test_ranks_and_accumulated_parts_together_are_the_batches_of_one_rank(
    world: int, accumulation: int, micro: int, epoch: int, seed: int
) -> None:
    size = world * accumulation * micro
    samples = 4 * size - 1
    alone = list(Order(samples, Layout.divide(size, 0, 1, 1), seed, epoch).micro_batches(0))
    parts = [
        list(Order(samples, Layout.divide(size, rank, world, accumulation), seed, epoch).micro_batches(0))
        for rank in range(world)
    ]
    for step, whole in enumerate(alone):
        own = [
            index for part in parts for one in part[step * accumulation : (step + 1) * accumulation] for index in one
        ]
        assert sorted(own) == sorted(whole)
    assert len(alone) == 3


@given(st.integers(0, 200), st.integers(1, 17), st.integers(1, 5))
def test_every_sample_is_evaluated_once(samples: int, batch_size: int, world: int) -> None:
    seen = [index for rank in range(world) for batch in in_turn(samples, batch_size, rank, world) for index in batch]
    assert sorted(seen) == list(range(samples))


def test_a_resumed_epoch_goes_on_where_it_stopped() -> None:
    order = Order(100, Layout.divide(10, 0, 1, 2), 5, 1)
    assert list(order.micro_batches(4)) == list(order.micro_batches(0))[8:]


def test_epochs_differ_and_seeds_differ() -> None:
    layout = Layout.divide(10, 0, 1, 1)
    first = list(Order(100, layout, 0, 0).micro_batches(0))
    assert first != list(Order(100, layout, 0, 1).micro_batches(0))
    assert first != list(Order(100, layout, 1, 0).micro_batches(0))


def test_an_epoch_may_be_shorter_than_a_pass() -> None:
    assert Order(100, Layout.divide(10, 0, 1, 1), 0, 0, epoch_samples=35).steps == 3


def test_a_batch_that_cannot_be_divided_is_refused_with_one_that_can() -> None:
    with pytest.raises(TrainingError, match="batch of 30 cannot be divided by 4 processes × 2") as caught:
        Layout.divide(30, 0, 4, 2)
    assert caught.value.hint == "--batch_size=32"


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_the_same_for_any_number_of_workers(workers: int) -> None:
    class Noisy(Columns):
        def batch(self, indices, draw):  # type: ignore[no-untyped-def]
            return super().batch(indices, draw)["x"] + torch.randn(1, generator=draw)

    batches = list(Order(64, Layout.divide(16, 0, 1, 1), 0, 0).micro_batches(0))
    split = Noisy(x=torch.arange(64.0))
    made = torch.stack(list(loader(split, batches, 3, workers)))
    assert torch.equal(made, torch.stack(list(loader(split, batches, 3, 0))))


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="'x': 3, 'y': 2"):
        Columns(x=torch.zeros(3), y=torch.zeros(2))
