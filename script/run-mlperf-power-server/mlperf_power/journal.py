"""server.log and client.log: what was logged in one session, kept until there is a place for it."""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger("mlperf_power")


class Journal(logging.Handler):
    """Collects the log's lines between `start` and `save`; all of them go to the screen as well."""

    def __init__(self, side: str) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter(f"{side} %(asctime)s [%(levelname)s] %(message)s"))
        self._lines: list[str] = []

    def start(self) -> None:
        self._lines = []

    def save(self, path: Path) -> None:
        path.write_text("".join(f"{line}\n" for line in self._lines), encoding="utf-8", newline="\n")

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


def open_journal(side: str, *, quiet: bool = False) -> Journal:
    """The journal of this process's side, `ptd-server` or `client`; without `quiet` the screen shows it too."""
    journal = Journal(side)
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(journal)
    if not quiet:
        screen = logging.StreamHandler()
        screen.setFormatter(journal.formatter)
        log.addHandler(screen)
    return journal
