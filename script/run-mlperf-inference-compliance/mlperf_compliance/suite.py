"""The compliance tests by name."""

from __future__ import annotations

from importlib import import_module

from harness.errors import HarnessError
from mlperf_compliance.case import Case
from mlperf_compliance.verdict import Verdict

NAMES = ("TEST01", "TEST04", "TEST06", "TEST07", "TEST08", "TEST09")
# Tests on data of their own, which a repetition of the measured run does not have.
ON_OTHER_DATA = ("TEST07",)
# Tests whose run is as long as the measured one, and must be valid like that.
TIMED = ("TEST01", "TEST04")
# Tests of which a submission has loadgen's performance logs, and the sampled answers.
WITH_PERFORMANCE = ("TEST01", "TEST04", "TEST07", "TEST08", "TEST09")
WITH_ANSWERS = ("TEST01", "TEST06", "TEST07", "TEST08", "TEST09")


def verify(case: Case) -> Verdict:
    """The verdict on a compliance run that was made; raises HarnessError for logs that cannot be read."""
    if case.test not in NAMES:
        raise HarnessError("config", f"there is no {case.test}", f"tests: {', '.join(NAMES)}")
    found: Verdict = import_module(f"mlperf_compliance.{case.test.lower()}").verify(case)
    return found
