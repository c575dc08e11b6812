"""Libraries that are installed when a command first needs them."""

import subprocess
import sys
from pathlib import Path

import pytest

from cm4bench_database import DatabaseError, extras


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Calls of pip, none of which does anything."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, int("refused" in command), "", "noise\nno such package")

    monkeypatch.setattr(extras.subprocess, "run", run)
    return calls


def test_what_is_there_is_not_installed(pip: list) -> None:
    extras.need("json", "pathlib")
    assert pip == []


def test_missing_ones_are_installed_with_the_tested_versions(pip: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/some/venv")
    monkeypatch.setitem(extras.REQUIREMENTS, "no_such_module", "no-such >=1")
    extras.need("json", "no_such_module")
    (command,) = pip
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert "no-such >=1" in command
    assert Path(command[command.index("-c") + 1]).name == "constraints.txt"


def test_outside_of_a_virtual_environment_nothing_is_installed(pip: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    with pytest.raises(DatabaseError, match="no_such_module") as found:
        extras.need("no_such_module")
    assert "pip install" in found.value.hint
    assert pip == []


def test_a_failed_installation_says_why(pip: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/some/venv")
    monkeypatch.setitem(extras.REQUIREMENTS, "no_such_module", "refused")
    with pytest.raises(DatabaseError, match="no such package"):
        extras.need("no_such_module")
