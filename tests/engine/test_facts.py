"""Host facts: cheap, and without starting anything."""

import subprocess

import pytest

from cm4bench import facts as module
from cm4bench.facts import read_facts


def test_this_host(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    facts = read_facts()
    assert facts.platform == f"{facts.values['os.type']}-{facts.values['cpu.architecture']}"
    assert facts.values["cpu.count"] >= facts.values["cpu.usable"] >= 1
    assert facts.values["accelerator"] in ("cpu", "cuda")
    assert facts.values["os.bits"] in ("32", "64")


def test_a_host_without_os_release(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "open", lambda *_, **__: (_ for _ in ()).throw(OSError()), raising=False)
    values = read_facts().values
    assert values["os.flavor"] == values["os.type"]
    assert values["os.version"] == ""
