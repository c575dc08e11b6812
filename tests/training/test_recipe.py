"""Hyper-parameters, optimisers and schedules."""

from __future__ import annotations

import math

import pytest
import torch

from trainer import optimisers
from trainer.errors import TrainingError
from trainer.recipe import Recipe


def test_texts_become_numbers() -> None:
    changed = Recipe().replaced({"learning_rate": "0.25", "epochs": "3", "nesterov": "true"})
    assert (changed.learning_rate, changed.epochs, changed.nesterov) == (0.25, 3, True)


def test_an_unknown_hyperparameter_is_named_with_its_neighbour() -> None:
    with pytest.raises(TrainingError, match="no hyper-parameter 'learningrate'") as caught:
        Recipe().replaced({"learningrate": 1})
    assert caught.value.hint == "did you mean learning_rate?"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("epochs", "many", "int"), ("optimizer", "adamx", "optimizer"), ("batch_size", 0, ">= 1"), ("momentum", 1, "< 1")],
)
def test_a_value_that_cannot_be_is_refused(name: str, value: object, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        Recipe().replaced({name: value})


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "adagrad", "lamb"])
def test_every_optimiser_goes_downhill(name: str) -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = optimisers.make(Recipe(optimizer=name, learning_rate=0.05), [weight])  # type: ignore[arg-type]
    for _ in range(100):
        optimizer.zero_grad()
        (weight**2).sum().backward()
        optimizer.step()
    assert float((weight.detach() ** 2).sum()) < 13 * 0.5


@pytest.mark.parametrize(
    ("schedule", "middle", "end"),
    [("constant", 1.0, 1.0), ("linear", 0.5, 0.0), ("cosine", 0.5, 0.0), ("polynomial", 0.25, 0.0)],
)
def test_schedules_follow_their_closed_form(schedule: str, middle: float, end: float) -> None:
    factor = optimisers.factor(Recipe(schedule=schedule, epochs=10, warmup_steps=10), 11)  # type: ignore[arg-type]
    assert [factor(step) for step in (0, 4, 9)] == [0.1, 0.5, 1.0]
    assert factor(10) == 1.0
    assert factor(60) == pytest.approx(middle)
    assert factor(110) == pytest.approx(end)


def test_steps_fall_at_their_epochs() -> None:
    factor = optimisers.factor(Recipe(schedule="step", decay_at=(3, 6), decay_factor=0.1, epochs=9), 5)
    assert [round(factor(5 * epoch), 9) for epoch in range(9)] == [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]


def test_one_cycle_rises_and_falls() -> None:
    values = [optimisers.factor(Recipe(schedule="onecycle", epochs=10), 10)(step) for step in range(101)]
    assert max(values) == pytest.approx(1.0, abs=0.02) and values.index(max(values)) == 30
    assert values[0] < 0.05 and values[-1] == pytest.approx(0.0)


def test_the_decay_ends_at_the_end_learning_rate() -> None:
    recipe = Recipe(schedule="cosine", learning_rate=0.2, end_learning_rate=0.02, epochs=2)
    assert math.isclose(optimisers.factor(recipe, 5)(10), 0.1)
