"""Keeps one point: has its device to itself, starts its process, waits, and ends it when its time is over."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from cm4bench_experiments import child
from cm4bench_experiments.devices import reserved
from cm4bench_experiments.folder import PointFolder, Status


class Process(Protocol):
    """A started point."""

    @property
    def pid(self) -> int | None: ...

    def wait(self, timeout_s: float | None) -> int | None:
        """Its exit code, negative for a signal; None if it still runs after ``timeout_s``."""


Launch = Callable[[PointFolder], Process]


def keep(folder: PointFolder, launch: Launch, on_wait: Callable[[], None] = lambda: None) -> None:
    """Run one point to its end, whatever that is; afterwards it has a status."""
    ask = folder.ask()
    with reserved(ask.device, on_wait):
        if folder.status() is not None:  # another host or process was faster while we waited for the device
            return
        process = launch(folder)
        try:
            code = process.wait(ask.timeout_s)
        except BaseException:  # interrupted: nobody would watch the run
            kill_tree(process.pid or 0)
            raise
        if code is None:
            kill_tree(process.pid or 0)
            process.wait(None)
            folder.end(Status("timed out", f"no end after {ask.timeout_s:g} s", seconds=ask.timeout_s))
        elif folder.status() is None:
            folder.end(Status("failed", f"the process ended with code {code}; see {folder.log}"))


def kill_tree(pid: int, *, itself: bool = True) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        victims = [*root.children(recursive=True), *([root] if itself else [])]
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()


@dataclass(frozen=True)
class _Fork:
    process: multiprocessing.process.BaseProcess

    @property
    def pid(self) -> int | None:
        return self.process.pid

    def wait(self, timeout_s: float | None) -> int | None:
        self.process.join(timeout_s)
        return self.process.exitcode


@dataclass(frozen=True)
class _Started:
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int | None:
        return self.process.pid

    def wait(self, timeout_s: float | None) -> int | None:
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None


def forked(access: child.Access) -> Launch:
    """Points as forks of this process, whose cmind is warm: a start takes milliseconds. For one thread only."""
    context = multiprocessing.get_context("fork")

    def launch(folder: PointFolder) -> Process:
        process = context.Process(target=child.live, args=(folder, access, os.getpid()))
        process.start()
        return _Fork(process)

    return launch


def started(folder: PointFolder) -> Process:
    """A point in a Python of its own, where this process has threads, or has no cmind."""
    command = [sys.executable, "-m", "cm4bench_experiments.child", str(folder.path)]
    return _Started(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": python_path()}))


def python_path() -> str:
    """PYTHONPATH with the folder of this package in front."""
    here = str(Path(__file__).parents[1])
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])


def keep_started(path: str) -> str:
    """What an engine's worker calls: keep the point in the folder ``path``, and give the path back."""
    keep(PointFolder(Path(path)), started)
    return path
