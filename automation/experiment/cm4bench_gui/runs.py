"""Runs as their folders tell them while they happen: ``<results>/<run id>/<scenario>/<mode>/run_1``."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["running", "done", "failed", "stopped"]

MODES = ("find-performance", "performance", "accuracy")
# Of a run without a process on this host, which may be at work on another one: how long it may write nothing.
QUIET_S = 150.0
NEWEST = 40


def is_worked_on(folder: Path) -> bool:
    """Does the command line of a process on this host name something in ``folder``?"""
    inside = os.fsencode(folder.absolute()) + b"/"
    return any(inside in words for words in _command_lines())


def _command_lines() -> Iterator[bytes]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended, or is somebody else's
            yield file.read_bytes()


@dataclass(frozen=True)
class RunPart:
    """One loadgen run. ``trials`` counts what a search tried; ``seconds`` since it began, or as long as it took."""

    scenario: str
    mode: str
    state: State
    seconds: float
    detail: str = ""
    trials: int = 0


@dataclass(frozen=True)
class RunView:
    """All runs of one command; its id is the folder's name."""

    id: str
    folder: Path
    parts: tuple[RunPart, ...]

    @property
    def state(self) -> State:
        """Of the whole: what still runs, then what failed, decides."""
        states = {part.state for part in self.parts}
        order: tuple[State, ...] = ("running", "failed", "stopped")
        return next((state for state in order if state in states), "done")


def read_runs(folders: Iterable[str], now: float | None = None, newest: int = NEWEST) -> list[RunView]:
    """The newest runs under ``folders``, newest first; unreadable folders count as empty."""
    at = time.time() if now is None else now
    found = [path for folder in folders for path in _children(Path(folder))]
    found.sort(key=lambda path: path.name, reverse=True)
    views = (RunView(path.name, path, tuple(_parts(path, at))) for path in found[:newest])
    return [view for view in views if view.parts]


def _parts(run: Path, now: float) -> Iterator[RunPart]:
    for scenario in sorted(_children(run)):
        for mode in MODES:
            folder = scenario / mode
            if folder.is_dir():
                yield _part(scenario.name, mode, folder / "run_1", now)


def _part(scenario: str, mode: str, folder: Path, now: float) -> RunPart:
    trials = sorted(_children(folder / "trials"))
    places = (folder.parent, folder, *trials[:1], *trials[-1:])
    times = [_changed(path) for place in places for path in _files(place)]
    began, latest = min(times), max(times)
    outcome = folder / "outcome.json"
    if outcome.is_file():
        state, detail = _ending(outcome)
        return RunPart(scenario, mode, state, latest - began, detail, len(trials))
    alive = now - latest < QUIET_S or is_worked_on(folder.parent)
    return RunPart(scenario, mode, "running" if alive else "stopped", now - began if alive else latest - began,
                   _last_line(folder / "console.log"), len(trials))  # fmt: skip


def _ending(outcome: Path) -> tuple[State, str]:
    import msgspec

    try:
        told = msgspec.json.decode(outcome.read_bytes(), type=_Outcome)
    except (OSError, msgspec.MsgspecError) as error:
        return "failed", f"outcome.json cannot be read: {error}"
    if told.status != "ok":
        return "failed", told.failure.cause if told.failure else told.status
    reasons = told.validity.reasons if told.validity else ()
    return "done", "; ".join(reasons)


@dataclass(frozen=True)
class _Failure:
    cause: str = ""


@dataclass(frozen=True)
class _Validity:
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Outcome:
    """As much of an outcome as tells how it ended."""

    status: str
    failure: _Failure | None = None
    validity: _Validity | None = None


def _last_line(console: Path, most: int = 4096) -> str:
    try:
        with console.open("rb") as file:
            file.seek(max(0, console.stat().st_size - most))
            lines = file.read(most).decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:200]


def _children(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []


def _files(folder: Path) -> list[Path]:
    """A folder and what lies right in it."""
    try:
        return [folder, *folder.iterdir()]
    except OSError:
        return [folder]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()  # gone since it was listed
