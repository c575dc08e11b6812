"""What a tree of processes takes from its host: processor time, memory, disk. Read from outside, through psutil."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

#: looking for new processes reads every process of the host, so it is done seldom once the ranks have started
SEARCH_EVERY_S = 10.0


@dataclass(frozen=True)
class Usage:
    """Of one process so far: ``cpu_s`` seconds of processor time, bytes that reached or came from a disk."""

    cpu_s: float = 0.0
    rss_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0


@dataclass(frozen=True)
class HostState:
    """One look.

    ``cpu_percent`` is of one core: two busy cores are 200. ``host_cpu_percent`` is of all cores, other people's
    processes included. Both are None at the first look, which has nothing before it. ``rss_bytes`` counts memory that
    several processes share once for each of them.
    """

    cpu_percent: float | None
    host_cpu_percent: float | None
    rss_bytes: int
    host_memory_bytes: int
    disk_read_bytes: int
    disk_written_bytes: int


class ProcessTree:
    """A process and all its descendants; those that have ended count with what was last seen of them."""

    def __init__(self, pid: int) -> None:
        import psutil

        self._gone = psutil.Error
        self._members: dict[int, Any] = {pid: psutil.Process(pid)}
        self._root = self._members[pid]
        self._seen: dict[int, Usage] = {}
        self._began = self._searched = time.monotonic()

    def usage(self) -> Usage:
        """Of all of them together; ``rss_bytes`` of the living only."""
        self._search()
        living = {pid for pid in list(self._members) if self._look(pid)}
        seen = self._seen.values()
        return Usage(
            cpu_s=sum(one.cpu_s for one in seen),
            rss_bytes=sum(self._seen[pid].rss_bytes for pid in living),
            read_bytes=sum(one.read_bytes for one in seen),
            written_bytes=sum(one.written_bytes for one in seen),
        )

    def _search(self) -> None:
        now = time.monotonic()
        if now - self._began > SEARCH_EVERY_S and now - self._searched < SEARCH_EVERY_S:
            return
        self._searched = now
        try:
            for child in self._root.children(recursive=True):
                self._members.setdefault(child.pid, child)
        except self._gone:
            return

    def _look(self, pid: int) -> bool:
        """Whether the process lives and could be read."""
        process = self._members[pid]
        try:
            with process.oneshot():
                times, memory, disk = process.cpu_times(), process.memory_info(), process.io_counters()
        except (self._gone, OSError):
            del self._members[pid]
            return False
        self._seen[pid] = Usage(times.user + times.system, memory.rss, disk.read_bytes, disk.write_bytes)
        return True


class HostGauge:
    """Looks at one tree of processes and its host, again and again."""

    def __init__(self, pid: int) -> None:
        import psutil

        self._psutil = psutil
        self._tree = ProcessTree(pid)
        self._before: tuple[float, float] | None = None
        self.memory_bytes = int(psutil.virtual_memory().total)
        psutil.cpu_percent(None)

    def look(self) -> HostState:
        """The state now; percentages are means since the last look."""
        usage, now = self._tree.usage(), time.monotonic()
        before, self._before = self._before, (now, usage.cpu_s)
        percent = None
        if before and now > before[0]:
            percent = 100 * (usage.cpu_s - before[1]) / (now - before[0])
        return HostState(
            cpu_percent=percent,
            host_cpu_percent=self._psutil.cpu_percent(None) if before else None,
            rss_bytes=usage.rss_bytes,
            host_memory_bytes=int(self._psutil.virtual_memory().used),
            disk_read_bytes=usage.read_bytes,
            disk_written_bytes=usage.written_bytes,
        )
