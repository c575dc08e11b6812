"""Run a documentation page as its reader would: write its titled code blocks to files, type its console commands.

A fence with title="PATH" is a file. In a fence `console`, lines that start with `$ ` are typed; the lines below such a
command must be lines of its output, in that order, where `…` stands for any text. A command may fail only where the
page promises a line `error: …`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"^```(?P<language>\w+)(?: +title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class File:
    """A file that the reader is told to write."""

    name: str
    text: str

    def perform(self, folder: Path, environment: Mapping[str, str]) -> None:
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text)


@dataclass(frozen=True)
class Command:
    """A command that the reader is told to type, and what the page says it prints."""

    text: str
    expected: tuple[str, ...]

    def perform(self, folder: Path, environment: Mapping[str, str]) -> None:
        done = subprocess.run(
            ["bash", "-c", self.text],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        output = done.stdout + done.stderr
        should_fail = any(line.startswith("error:") for line in self.expected)
        assert (done.returncode != 0) == should_fail, f"$ {self.text}\n{output}"
        missing = first_missing(self.expected, output)
        assert missing is None, f"$ {self.text}\n{output}\nthe page promises: {missing}"


def steps(page: str) -> Iterator[File | Command]:
    """What a page tells its reader to do, in order."""
    for fence in FENCE.finditer(page):
        if fence["title"]:
            yield File(fence["title"], fence["body"])
        elif fence["language"] == "console":
            for typed in re.split(r"^\$ ", fence["body"], flags=re.MULTILINE)[1:]:
                command, *expected = typed.splitlines()
                yield Command(command, tuple(line for line in expected if line.strip()))


def first_missing(expected: tuple[str, ...], output: str) -> str | None:
    """The first expected line that does not follow, in the output, the one before it."""
    lines = iter(output.splitlines())
    for line in expected:
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        if not any(pattern.fullmatch(found) for found in lines):
            return line
    return None


def walk(page: Path, folder: Path, environment: Mapping[str, str] = os.environ) -> int:
    """Do all that `page` says, inside `folder`; returns the number of steps."""
    todo = list(steps(page.read_text()))
    for step in todo:
        step.perform(folder, environment)
    return len(todo)
