"""Points on this host."""

from __future__ import annotations

import sys
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from cm4bench_experiments.child import Access
from cm4bench_experiments.folder import PointFolder
from cm4bench_experiments.keeper import forked, keep, started


def say_waiting() -> None:
    """Tell the user why nothing happens."""
    print("waiting: another experiment measures on this device", file=sys.stderr, flush=True)


class Forks:
    """One point after the other, each a fork of this process: next to no overhead."""

    width = 1

    def __init__(self, access: Access) -> None:
        self._launch = forked(access)
        self._waiting: deque[PointFolder] = deque()

    def submit(self, folder: PointFolder) -> None:
        self._waiting.append(folder)

    def finished(self) -> tuple[PointFolder, str]:
        folder = self._waiting.popleft()
        keep(folder, self._launch, say_waiting)
        return folder, ""

    def close(self) -> None:
        self._waiting.clear()


class Threads:
    """Several points side by side, each a Python of its own; those of one device still wait for each other."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._pool = ThreadPoolExecutor(width)
        self._under_way: dict[Future[None], PointFolder] = {}

    def submit(self, folder: PointFolder) -> None:
        self._under_way[self._pool.submit(keep, folder, started)] = folder

    def finished(self) -> tuple[PointFolder, str]:
        done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
        future = done.pop()
        error = future.exception()
        return self._under_way.pop(future), str(error) if error else ""

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
