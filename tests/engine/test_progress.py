"""What a listener prints, on a terminal and elsewhere."""

import io
from pathlib import Path

import pytest

from cm4bench.events import Event
from cm4bench.progress import Progress

LOG = Path("/logs/a.log")
EVENTS = [
    Event("planned", detail="2 steps, 1 of them cached"),
    Event("cached", "python", 1),
    Event("started", "quick", 1),
    Event("finished", "quick", 1, 0.01, log=LOG),
    Event("started", "slow", 1),
    Event("finished", "slow", 1, 2.0),
    Event("waiting", "shared", 1),
    Event("cached", "shared", 1, detail="made by another process meanwhile"),
    Event("note", detail="worth knowing"),
    Event("failed", "top", 0, 3.0),
]
PLAIN = """\
  ✓ slow  2.0 s
  … shared: another process is making it; waiting for that
  = shared  made by another process meanwhile
worth knowing
✗ top  after 3.0 s
"""
VERBOSE = """\
2 steps, 1 of them cached
  = python  cached
  ▸ quick
  ✓ quick  0.0 s  log: /logs/a.log
  ▸ slow
  ✓ slow  2.0 s
  … shared: another process is making it; waiting for that
  = shared  made by another process meanwhile
worth knowing
✗ top  after 3.0 s
"""


def shown(stream: io.StringIO, **options: bool) -> str:
    progress = Progress(stream=stream, **options)
    for event in EVENTS:
        progress(event)
    return stream.getvalue()


@pytest.mark.parametrize(("options", "text"), [({}, PLAIN), ({"verbose": True}, VERBOSE), ({"quiet": True}, "")])
def test_plain_lines(options: dict[str, bool], text: str):
    assert shown(io.StringIO(), **options) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_live_line_that_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    text = shown(Terminal())
    assert "slow …" in text
    assert "✗ top  after 3.0 s" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")
