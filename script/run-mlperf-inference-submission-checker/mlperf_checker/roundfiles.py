"""The rounds that can be checked: those of the harness, and older ones that are only read, in this package's folder."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.rounds import Library, Round

OLDER = Path(__file__).parent / "rounds"
_HARNESS = Path(__file__).parents[2] / "app-mlperf-inference"


@lru_cache(maxsize=1)
def libraries() -> tuple[Library, ...]:
    """Where round files lie, oldest rounds first."""
    try:
        from harness import rounds
    except ModuleNotFoundError:
        # `python -m mlperf_checker` from a checkout, without the environment that cmr sets
        sys.path.append(str(_HARNESS))
        from harness import rounds
    return rounds.Library(OLDER), rounds.Library(rounds.FOLDER)


def names() -> tuple[str, ...]:
    """Names of all rounds, oldest first."""
    return tuple(name for one in libraries() for name in one.names())


@lru_cache(maxsize=16)
def load(name: str) -> Round:
    """A round by its name.

    Raises:
        HarnessError: kind `config`, for an unknown round, with those that exist.
    """
    for library in libraries():
        if name in library.names():
            return library.load(name)
    from harness.errors import HarnessError
    from harness.rounds.words import did_you_mean

    raise HarnessError(
        "config", f"unknown round {name!r}{did_you_mean(name, names())}", f"rounds: {', '.join(names())}"
    )


def of_seeds(seeds: dict[str, int]) -> Round | None:
    """The round that a run belongs to by the seeds in its log, None for unknown ones."""
    found = (library.of_seeds(seeds) for library in reversed(libraries()))
    return next((one for one in found if one is not None), None)
