"""What the daemon says on its standard output; power servers keep it as ptd_logs.txt."""

from __future__ import annotations

import datetime
import sys
import threading

_LOCK = threading.Lock()


def timestamp() -> str:
    """Now, in UTC, as PTDaemon writes it: `MM-DD-YYYY HH:MM:SS.mmm`."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%m-%d-%Y %H:%M:%S.%f")[:-3]


def say(text: str) -> None:
    """One line with its time."""
    plain(f"{timestamp()}: {text}")


def plain(text: str) -> None:
    """One line without a time."""
    with _LOCK:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
