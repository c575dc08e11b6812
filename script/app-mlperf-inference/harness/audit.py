"""Compliance runs: what audit.config says, how loadgen is given it, and whether loadgen took it.

loadgen reads the file at the start of a test, over everything that was set before, and for the model "*" only: a line
that names a model has no effect (loadgen.cc, StartTest).
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.config import RunConfig
from harness.errors import HarnessError
from harness.logs import DETAIL, DetailLog
from harness.outcome import Failure
from harness.rounds.values import Audit
from harness.scenarios import ALL

FILE_NAME = "audit.config"
PROOF = "Found Audit Config file"

_LINE = re.compile(r"(?P<model>\S+)\.(?P<scenario>[^.\s]+)\.(?P<key>\w+) = (?P<value>\S+)")
_PERFORMANCE = "*.*.mode = 2"


def render(audit: Audit) -> str:
    """The text of audit.config for a performance run with these settings."""
    return "\n".join([_PERFORMANCE, *(f"*.*.{key} = {value}" for key, value in audit.settings.items())]) + "\n"


def place(config: RunConfig) -> str:
    """The run's own copy of the file, which loadgen is told to read; empty for a run that is no compliance run."""
    return str(Path(config.output_dir) / FILE_NAME) if config.audit_config else ""


def settings(config: RunConfig) -> dict[str, float]:
    """What the run's audit.config sets in its scenario; empty without one.

    Raises:
        HarnessError: kind `config`, for a file that cannot be read or a line that loadgen would not understand.
    """
    if config.audit_config is None:
        return {}
    path = Path(config.audit_config)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError("config", f"cannot read {path}: {error}", f"ls -l {path}") from error
    found: dict[str, float] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            found |= _read_line(line, f"{path}:{number}", ALL[config.scenario].in_loadgen)
    return found


def _read_line(line: str, where: str, scenario: str) -> dict[str, float]:
    match = _LINE.fullmatch(line.strip())
    try:
        if match is not None:
            value = float(match["value"])
            return {match["key"]: value} if match["model"] == "*" and match["scenario"] in ("*", scenario) else {}
    except ValueError:
        pass
    raise HarnessError(
        "config", f"{where}: {line.strip()!r} is not of the form *.*.key = number", "see docs/compliance.md"
    )


def refusal(config: RunConfig, log: DetailLog) -> Failure | None:
    """Why a compliance run is none after all: loadgen's log must say that it found the file."""
    if config.audit_config is None or any(PROOF in warning for warning in log.warnings):
        return None
    path = str(Path(config.output_dir) / DETAIL)
    return Failure(kind="settings", cause=f"loadgen did not read {place(config)}", hint=f"less {path}", log=path)
