"""A verdict as files: the folder TESTxx of a submission, whole or not at all."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import msgspec

from harness import logs
from harness.errors import HarnessError
from mlperf_compliance.suite import WITH_ANSWERS, WITH_PERFORMANCE
from mlperf_compliance.verdict import Verdict

VERDICT = "verdict.json"
_PERFORMANCE = ("mlperf_log_summary.txt", logs.DETAIL)


def write(verdict: Verdict, compliance: Path, target: Path) -> None:
    """Write the verdict's files and copies of the logs; an earlier `target` is replaced.

    Raises:
        HarnessError: kind `config`, when a log is missing or the folder cannot be written.
    """
    staging = target.with_name(f".{target.name}.new")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        for name, content in verdict.files.items():
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).write_text(content, encoding="utf-8")
        for name, below in _copies(verdict.test):
            (staging / below).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(compliance / name, staging / below / name)
        if target.exists():
            shutil.rmtree(target)
        staging.rename(target)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise HarnessError("config", f"{target} cannot be written: {error}", f"ls -l {target.parent}") from error


def note(verdict: Verdict, place: Path) -> None:
    """Keep the checks and their reasons beside the run, for programs."""
    known = {"test": verdict.test, "passed": verdict.passed, "checks": [asdict(check) for check in verdict.checks]}
    (place / VERDICT).write_bytes(msgspec.json.format(msgspec.json.encode(known), indent=1) + b"\n")


def _copies(test: str) -> list[tuple[str, str]]:
    performance = [(name, "performance/run_1") for name in _PERFORMANCE] if test in WITH_PERFORMANCE else []
    return [*performance, *([(logs.ACCURACY, "accuracy")] if test in WITH_ANSWERS else [])]
