"""What the host did while the ranks trained, sampled in the parent: the training process pays nothing for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SERIES = "monitor.csv"


class Monitor:
    """Samples every ``every_s`` seconds (0: never) until `stop`."""

    def __init__(self, pid: int, folder: Path, every_s: float) -> None:
        self._pid, self._folder, self._every_s = pid, folder, every_s

    def stop(self) -> dict[str, Any]:
        """End the sampling; the summary that the result keeps."""
        return {}
