"""One compliance test of one scenario: what is compared with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.rounds import Benchmark
from harness.rounds.values import Audit

# Scores the accuracy log in a folder as the benchmark's own accuracy script does, and returns what that prints.
Scorer = Callable[[Path], str]

DTYPES = ("byte", "float32", "int16", "int32", "int64")


@dataclass(frozen=True)
class Case:
    """Everything that a verification reads.

    `performance`, `accuracy` and `compliance` are folders with loadgen's logs: of the measured run, of its accuracy run
    (None where there was none) and of the run under audit.config. `dtype` is what one value of a response is.
    """

    test: str
    benchmark: Benchmark
    scenario: str
    audit: Audit
    performance: Path
    accuracy: Path | None
    compliance: Path
    dtype: str = "byte"
    scorer: Scorer | None = None

    def require_accuracy(self) -> Path:
        """The accuracy run's folder; raises HarnessError of kind `config` where there is none."""
        if self.accuracy is None:
            raise HarnessError(
                "config",
                f"{self.test} compares answers with the accuracy run of {self.scenario}, and there is none",
                "make both runs: _performance-and-accuracy",
            )
        return self.accuracy
