"""What an experiment is on disk: ``sweep.json``, and one folder per point with what it was asked and how it ended.

::

    <experiment>/sweep.json                    the sweep
    <experiment>/points/<point>/ask.json       what the point is asked to run
    <experiment>/points/<point>/status.json    how it ended; without it the point is still missing
    <experiment>/points/<point>/run.log        what it printed

The result records stay in the results folder, where every other run puts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from cm4bench_experiments.errors import ExperimentError
from cm4bench_experiments.plan import Point
from cm4bench_experiments.sweep import Settings, Sweep
from cm4bench_results.store import write_atomically

T = TypeVar("T")
State = Literal["done", "failed", "timed out", "pruned"]


class Ask(msgspec.Struct, frozen=True):
    """All that a point needs to run, on whatever host it does. Paths are absolute."""

    point: Point
    tags: str
    options: Settings
    env: dict[str, str]
    device: str
    timeout_s: float
    results_dir: str
    cwd: str

    def argv(self) -> list[str]:
        """The command that runs this point alone, as the words after ``cmr``."""
        flags = [f"--{name}={_word(value)}" for name, value in self.options.items()]
        return [self.tags.replace(",", " "), *flags, *(f"--env.{name}={value}" for name, value in self.env.items())]


class Status(msgspec.Struct, frozen=True):
    """How a point ended. ``seconds`` is the run itself; ``records`` are paths of its result records."""

    state: State
    cause: str = ""
    records: tuple[str, ...] = ()
    seconds: float = 0.0
    started: str = ""
    host: str = ""


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class PointFolder:
    """One point on disk."""

    path: Path

    def ask(self) -> Ask:
        """What it was asked. Raises ExperimentError where that cannot be read."""
        return _read(self.path / "ask.json", Ask)

    def status(self) -> Status | None:
        """How it ended; None for a point that is missing, or whose status was damaged: it runs again."""
        try:
            return _read(self.path / "status.json", Status)
        except ExperimentError:
            return None

    def end(self, status: Status) -> None:
        """Write how it ended, in one step."""
        _write(self.path / "status.json", status)

    @property
    def log(self) -> Path:
        """What the run printed."""
        return self.path / "run.log"


@dataclass(frozen=True)
class Experiment:
    """One experiment on disk."""

    path: Path

    @classmethod
    def existing(cls, path: Path) -> Experiment:
        """The experiment in ``path``. Raises ExperimentError where there is none."""
        if not (path / "sweep.json").is_file():
            raise ExperimentError(f"{path} is no experiment: it has no sweep.json", "cm run experiment makes one")
        return cls(path)

    def sweep(self) -> Sweep:
        """Its sweep. Raises ExperimentError."""
        return _read(self.path / "sweep.json", Sweep)

    def open(self, sweep: Sweep) -> None:
        """Make the folder, or go on in it with a sweep that may have more points or other limits.

        Raises:
            ExperimentError: it belongs to another subject, or cannot be written.
        """
        try:
            (self.path / "points").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExperimentError(f"{self.path} cannot be written: {error.strerror}", "--dir=FOLDER") from None
        if (self.path / "sweep.json").is_file() and self.sweep().subject() != sweep.subject():
            known = self.sweep().run
            raise ExperimentError(
                f"{self.path} holds another experiment, of {known} with its own options", "--dir=ANOTHER_FOLDER"
            )
        _write(self.path / "sweep.json", sweep)

    def point(self, point: Point) -> PointFolder:
        """Where ``point`` lives, whether it is there or not."""
        return PointFolder(self.path / "points" / point.name)

    def prepare(self, ask: Ask) -> PointFolder:
        """Write what a point is asked, and forget an earlier end."""
        folder = self.point(ask.point)
        folder.path.mkdir(parents=True, exist_ok=True)
        (folder.path / "status.json").unlink(missing_ok=True)
        _write(folder.path / "ask.json", ask)
        return folder

    def known(self) -> Iterator[tuple[Ask, Status]]:
        """All points that ended, in the order of their names; damaged ones are passed over: they are missing."""
        for path in sorted((self.path / "points").glob("*/status.json")):
            folder = PointFolder(path.parent)
            status = folder.status()
            if status is not None and (path.parent / "ask.json").is_file():
                yield folder.ask(), status


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ExperimentError(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise ExperimentError(f"{path} is damaged: {error}", "remove it: its points run again") from None


def _write(path: Path, value: msgspec.Struct) -> None:
    write_atomically(path, msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n")
