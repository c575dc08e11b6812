"""Which of several networks the option `network` asks for, and how large CosmoFlow's are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from trainer.errors import TrainingError
from trainer.task import Setup

Choice = TypeVar("Choice")


def chosen(setup: Setup, choices: Mapping[str, Choice]) -> Choice:
    """What the option names, the first by default; TrainingError with the names that there are for any other."""
    name = setup.option("network", next(iter(choices)))
    if name not in choices:
        raise TrainingError("config", f"there is no network {name!r} here", f"--hpc_network: {', '.join(choices)}")
    return choices[name]


@dataclass(frozen=True)
class CubeNetwork:
    """CosmoFlow's network: layers that halve the cube, channels of the first of them, dropout of the dense ones."""

    layers: int
    filters: int
    dropout: float


SMALL, OFFICIAL = CubeNetwork(3, 16, 0.0), CubeNetwork(5, 32, 0.5)
