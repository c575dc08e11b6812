"""All rounds of a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from harness.errors import HarnessError
from harness.rounds.reading import read
from harness.rounds.round import Round
from harness.rounds.words import did_you_mean


@lru_cache(maxsize=64)
def _read_once(path: Path, mtime_ns: int) -> Round:
    return read(path)


@dataclass(frozen=True)
class Library:
    """The round files of a folder, each read when it is first asked for. A file more is a round more."""

    folder: Path

    def names(self) -> tuple[str, ...]:
        """Names of the rounds, oldest first. Nothing is read for it."""
        return tuple(sorted((path.stem for path in self.folder.glob("v*.yaml")), key=_order))

    def load(self, name: str) -> Round:
        """A round by its name.

        Raises:
            HarnessError: kind `config`, for an unknown round, or for a file with a mistake in it.
        """
        if name not in self.names():
            known = ", ".join(self.names()) or f"none in {self.folder}"
            raise HarnessError(
                "config", f"unknown round {name!r}{did_you_mean(name, self.names())}", f"rounds: {known}"
            )
        path = self.folder / f"{name}.yaml"
        return _read_once(path, path.stat().st_mtime_ns)

    def all(self) -> tuple[Round, ...]:
        """Every round, oldest first."""
        return tuple(self.load(name) for name in self.names())

    def _newest_first(self) -> Iterator[Round]:
        return (self.load(name) for name in reversed(self.names()))

    def of_seeds(self, seeds: Mapping[str, int]) -> Round | None:
        """The round that a run belongs to, by the seeds in its log, `{"qsl_rng_seed": …, …}`; None for unknown ones."""
        for one in self._newest_first():
            if all(seeds.get(key) == getattr(one.seeds, key) for key in one.seeds.__struct_fields__):
                return one
        return None

    def from_loadgen_version(self, version: str) -> Round:
        """The round whose seeds a published loadgen wheel carries.

        A run's log is the better witness: `of_seeds`.

        Raises:
            HarnessError: kind `config`, for a version that no round file names.
        """
        for one in self._newest_first():
            if version in one.loadgen:
                return one
        known = "; ".join(f"{one.name}: {one.loadgen.first} to {one.loadgen.last}" for one in self.all())
        raise HarnessError("config", f"no round is known for loadgen {version}", f"loadgen of the rounds: {known}")

    def default(self) -> Round:
        """The round of the loadgen that is installed here, the newest one where none is installed."""
        from importlib.metadata import PackageNotFoundError, version

        for name in ("mlcommons-loadgen", "mlperf-loadgen"):
            try:
                return self.from_loadgen_version(version(name))
            except PackageNotFoundError:
                continue
        return self.load(self.names()[-1])

    def which_have(self, model: str, scenario: str | None = None, category: str | None = None) -> tuple[str, ...]:
        """Names of the rounds that have a benchmark, in a scenario and category if these are given. Oldest first."""
        found = ((one.name, one.find(model)) for one in self.all())
        return tuple(
            name
            for name, benchmark in found
            if benchmark is not None and (scenario is None or scenario in benchmark.scenarios(category))
        )


def _order(name: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else -1 for part in name.removeprefix("v").split("."))
