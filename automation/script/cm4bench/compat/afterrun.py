"""CM's flags that leave something behind: `--save_env`, `--repro`, `--print_readme`, `--print_versions`, `--space` …"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..engine import Report
from ..manifest import is_yes
from ..plan import Step

__all__ = ["AfterRun"]

_ENV_FILE = Path("tmp-env.sh")
_README = Path("README-cm.md")


class AfterRun:
    """Made before a run, called after it: it knows how much time and disk space there was."""

    def __init__(self, i: Mapping[str, Any]) -> None:
        self._i = i
        self._wanted = {name for name, value in i.items() if is_yes(value)}
        self._started = time.monotonic()
        self._free = shutil.disk_usage(".").free

    def __call__(self, report: Report) -> None:
        """Write the files that were asked for and, on the console, say what was asked for."""
        if self._wanted & {"save_env", "shell"}:
            _save_env(report, shell="shell" in self._wanted)
        if "repro" in self._wanted:
            _save_repro(self._i, report)
        if "dump_version_info" in self._wanted:
            _write_json(Path("cm-run-script-versions.json"), [_version_of(step) for step in _unique_steps(report)])
        if "print_readme" in self._wanted:
            _README.write_text("\n".join(_readme_lines(report)) + "\n", encoding="utf-8")
        if self._i.get("out") == "con":
            self._say(report)

    def _say(self, report: Report) -> None:
        if "print_env" in self._wanted:
            print(json.dumps(dict(report.env), indent=2, sort_keys=True, default=str))
        if "print_versions" in self._wanted:
            print("\n".join(f"{step.label}: {_version(step)}" for step in _unique_steps(report) if _version(step)))
        if "time" in self._wanted:
            print(f"running time: {time.monotonic() - self._started:.2f} s")
        if "space" in self._wanted:
            used = self._free - shutil.disk_usage(".").free
            print(f"disk space used: {max(0, used) / 1e6:.1f} MB")
        if "pause" in self._wanted and sys.stdin and sys.stdin.isatty():
            input("Enter ends the run ")


def _unique_steps(report: Report) -> Iterator[Step]:
    """The plan's steps with what they really gave, dependencies first."""
    for step in report.plan.steps():
        yield step._replace(outcome=report.done[step.id]) if step.id in report.done else step


def _version(step: Step) -> str:
    return step.outcome.version or step.version


def _version_of(step: Step) -> dict[str, Any]:
    return {"script": step.script.alias, "variations": list(step.variations), "version": _version(step)}


def _readme_lines(report: Report) -> Iterator[str]:
    """How to repeat the run: the request, then each of its steps as a command of its own."""
    yield f"# {report.plan.request}\n\n```bash\ncmr --tags={report.plan.request}\n```\n"
    yield "Its steps, dependencies first:\n\n| step | version | command |\n|---|---|---|"
    for step in _unique_steps(report):
        words = ",".join([*step.script.tags, *(f"_{name}" for name in step.variations)])
        yield f"| {step.label} | {_version(step)} | `cmr --tags={words}` |"


def _save_env(report: Report, *, shell: bool) -> None:
    """What the script gave, as a file to source; with `shell`, an interactive shell that has sourced it."""
    import subprocess

    from ..native import export_lines

    prefix = report.state.get("script_prefix") or ()
    lines = ["#!/bin/bash", *prefix, *export_lines(report.outcome.new_env)]
    _ENV_FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if shell:
        print(f"a shell with the script's environment ({_ENV_FILE}); type exit to come back", flush=True)
        subprocess.run(["bash", "--init-file", str(_ENV_FILE)])


def _save_repro(i: Mapping[str, Any], report: Report) -> None:
    """`cm-repro/`: what was asked, on what, and what came out, for a bug report."""
    from ..redact import scrub

    folder = Path(str(i.get("repro_dir") or "cm-repro"))
    folder.mkdir(parents=True, exist_ok=True)
    asked = {k: v for k, v in i.items() if not k.startswith("parsed_")}
    outcome = report.outcome
    answer = {"return": 0, "new_env": dict(outcome.new_env), "new_state": dict(outcome.new_state)}
    _write_json(folder / "cm-run-script-input.json", scrub(asked))
    _write_json(folder / "cm-run-script-output.json", scrub(answer))
    _write_json(folder / "cm-run-script-steps.json", [_version_of(step) for step in _unique_steps(report)])


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2, sort_keys=True, default=str) + "\n", encoding="utf-8")
