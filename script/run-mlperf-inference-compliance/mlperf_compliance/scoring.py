"""Scoring a part of a data set: by the task itself where it can, or by the benchmark's accuracy script."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

from harness import registry
from harness.accuracy import log
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.logs import ACCURACY
from mlperf_compliance import answers
from mlperf_compliance.case import DTYPES, Scorer

PLACE = "{accuracy_log}"


def scorer_for(config: RunConfig, command: str = "") -> Scorer | None:
    """Who scores; None where the task cannot score a part of its data and no command was given."""
    if command:
        return by_command(command)
    registry.add_paths(config.task_path)
    task: Any = registry.resolve("task", config.task)
    return _by_task(config, task) if getattr(task, "scores_parts", False) else None


def dtype_of(config: RunConfig) -> str:
    """What one value of a response is, as the task says; `byte` where it does not matter or is not told."""
    registry.add_paths(config.task_path)
    task: Any = registry.resolve("task", config.task)
    told = str(getattr(task, "token_dtype" if task.generates else "response_dtype", "byte"))
    return told if told in DTYPES else "byte"


def _by_task(config: RunConfig, task: Any) -> Scorer:
    def score(folder: Path) -> str:
        kept = folder / log.FILE_NAME
        before = kept.read_bytes() if kept.exists() else None
        indices = sorted({one.qsl_idx for one in answers.read(folder)})
        try:
            task(config).quality_of(folder, indices)
            return kept.read_text()
        finally:
            kept.unlink(missing_ok=True)
            if before is not None:
                kept.write_bytes(before)

    return score


def by_command(command: str) -> Scorer:
    """A scorer that runs a command with the log's path in place of `{accuracy_log}`; HarnessError without that."""
    if PLACE not in command:
        cause = f"the accuracy script's command has no {PLACE}, so it cannot be told what to score"
        raise HarnessError("config", cause, f'--accuracy_script="python3 accuracy.py --log {PLACE}"')

    def score(folder: Path) -> str:
        words = [word.replace(PLACE, str(folder / ACCURACY)) for word in shlex.split(command)]
        try:
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        except OSError as error:
            raise HarnessError(
                "accuracy", f"{words[0]} cannot be run: {error.strerror}", "check --accuracy_script"
            ) from error
        if done.returncode:
            last = (done.stdout.strip().splitlines() or ["it printed nothing"])[-1]
            raise HarnessError(
                "accuracy", f"the accuracy script ended with {done.returncode}: {last}", shlex.join(words)
            )
        return done.stdout

    return score
