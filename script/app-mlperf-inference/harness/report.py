"""What the child process tells its parent: messages on a pipe while it runs, one report file at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.backends.base import Execution
from harness.outcome import Energy, Failure, Latencies, Timings

FILE_NAME = "child_report.json"
CONSOLE = "console.log"
CONFIG = "config.json"

Phase = Literal["start", "load", "warm-up", "loadgen", "done"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One line on the progress pipe. `issued` and `completed` count samples."""

    phase: Phase
    issued: int = 0
    completed: int = 0
    gpu_uuid: str | None = None


class ChildReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that only the measured process knows. CPU seconds are those of StartTest alone."""

    failure: Failure | None = None
    execution: Execution | None = None
    timings: Timings = Timings()
    cpu_s: float = 0.0
    samples: int = 0
    peak_rss_bytes: int = 0
    performance_sample_count: int = 0
    batch_histogram: dict[int, int] = {}
    latencies: Latencies | None = None
    energy: Energy | None = None
    notes: tuple[str, ...] = ()
    model_facts: dict[str, Any] = {}
    dataset_facts: dict[str, Any] = {}
    load_average_before: float = 0.0

    def write(self, folder: Path) -> None:
        """Write the report in one step."""
        staging = folder / (FILE_NAME + ".tmp")
        staging.write_bytes(msgspec.json.encode(self))
        staging.replace(folder / FILE_NAME)

    @staticmethod
    def read(folder: Path) -> ChildReport | None:
        """Read the report; None where the child did not live to write one."""
        try:
            return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=ChildReport)
        except (OSError, msgspec.MsgspecError):
            return None
