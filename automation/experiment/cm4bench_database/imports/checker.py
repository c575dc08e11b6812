"""The submission checker's package, which lies with its script. It knows the rounds, their layouts and their rules."""

from __future__ import annotations

import sys
from pathlib import Path

from cm4bench_database.errors import DatabaseError

_SCRIPTS = Path(__file__).resolve().parents[4] / "script"
_FOLDERS = ("run-mlperf-inference-submission-checker", "app-mlperf-inference")


def load() -> None:
    """Make ``mlperf_checker`` and the ``harness`` that it asks about rounds importable.

    Raises:
        DatabaseError: the scripts are not there.
    """
    missing = [name for name in _FOLDERS if not (_SCRIPTS / name).is_dir()]
    if missing:
        raise DatabaseError(
            f"a results tree is read with {missing[0]}, which is not in {_SCRIPTS}", "a clone of cm4bench has it"
        )
    for name in _FOLDERS:
        if str(_SCRIPTS / name) not in sys.path:
            sys.path.append(str(_SCRIPTS / name))
