"""Order of the benchmarks, and which scenarios a suite has, from the round files."""

from __future__ import annotations

import sys
from pathlib import Path

from mlperf_final_report.sheets import Allowed

_SCRIPTS = Path(__file__).parents[2]
_PACKAGES = ("app-mlperf-inference", "run-mlperf-inference-submission-checker")


def rules(version: str) -> tuple[tuple[str, ...], Allowed]:
    """Benchmarks of a round in its order, and what its suites have. An unknown round sorts and allows as it comes."""
    sys.path += [str(_SCRIPTS / name) for name in _PACKAGES if str(_SCRIPTS / name) not in sys.path]
    from mlperf_checker import roundfiles

    if version not in roundfiles.names():
        return (), lambda suite, benchmark, scenario: True
    round_ = roundfiles.load(version)

    def allowed(suite: str, benchmark: str, scenario: str) -> bool:
        found = round_.benchmarks.get(benchmark)
        return found is None or scenario in found.scenarios(suite)

    return tuple(round_.benchmarks), allowed
