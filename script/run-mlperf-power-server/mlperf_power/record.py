"""server.json and client.json: what was said, when the phases began, and hashes of what was written."""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = "1.0"
PHASES = 4


@dataclass(frozen=True)
class Exchange:
    """A command of the client and the server's reply, each with its time in seconds since 1970."""

    cmd: str
    cmd_time: float
    reply: str
    reply_time: float


@dataclass(frozen=True)
class PtdExchange:
    """A request to PTDaemon and the first line of its reply."""

    cmd: str
    reply: str


@dataclass(frozen=True)
class Uuids:
    """The identities that client and server gave themselves in this session."""

    client: str
    server: str


@dataclass
class Record:
    """One side's record of a session, as it grows. `ptd_config` and `ptd_messages` are the server's only."""

    uuid: Uuids = Uuids("", "")
    session_name: str = ""
    messages: list[Exchange] = field(default_factory=list)
    phases: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"ranging": [], "testing": []})
    results: Mapping[str, str] = field(default_factory=dict)
    ptd_messages: list[PtdExchange] | None = None
    ptd_config: list[dict[str, Any]] | None = None
    debug: bool = False

    def begin_phase(self, mode: str, number: int) -> None:
        """Note the time of a phase: 0 asked for, 1 measuring, 2 asked to stop, 3 stopped."""
        if number == len(self.phases[mode]) < PHASES:
            self.phases[mode].append((time.time(), time.monotonic()))

    def to_json(self) -> str:
        sources = own_sources()
        data: dict[str, Any] = {
            "version": FORMAT,
            "timezone": -time.localtime().tm_gmtoff,
            "modules": {f"mlperf_power.{path[:-3].replace('/', '.')}": path for path in sources},
            "sources": sources,
            "messages": [asdict(message) for message in self.messages],
            "uuid": asdict(self.uuid),
            "session_name": self.session_name,
            "results": dict(self.results),
            "phases": self.phases,
        }
        if self.ptd_messages is not None:
            data["ptd_messages"] = [asdict(message) for message in self.ptd_messages]
        if self.ptd_config is not None:
            data["ptd_config"] = self.ptd_config
        return json.dumps(data | ({"debug": True} if self.debug else {}), indent=4)


def hash_folder(folder: Path) -> dict[str, str]:
    """SHA-1 of every file below a folder, by its path there with forward slashes; sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha1(path.read_bytes()).hexdigest() for path in files}


@functools.cache
def own_sources() -> dict[str, str]:
    """The hashes of this package, which is what really ran; power-dev's checker knows those of its own code only."""
    return {path: digest for path, digest in hash_folder(Path(__file__).parent).items() if path.endswith(".py")}
