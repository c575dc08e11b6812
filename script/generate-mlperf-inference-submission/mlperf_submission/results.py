"""Measured results that a submission can be made of: a record, and the folders of its runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlperf_checker.detaillog import DetailLog, parse
from mlperf_checker.layout import DETAIL

from cm4bench_results.record import LoadgenRun, RecordError, ResultRecord
from cm4bench_results.store import RESULT_FILE, load_file
from mlperf_submission.errors import SubmissionError

if TYPE_CHECKING:
    from harness.rounds import Benchmark, Round

RUN = "run_1"
_SEEDS = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")
_STAND_IN = re.compile(r"(?P<asked>.*) \((?P<network>.*)\)")


@dataclass(frozen=True)
class Result:
    """One model in one scenario. ``folder`` is the record's own."""

    record: ResultRecord
    folder: Path

    @property
    def scenario(self) -> str:
        return self.record.subject.scenario

    @property
    def model(self) -> str:
        """The network's own name; a small stand-in goes by its own, not by that of what it stands for."""
        found = _STAND_IN.fullmatch(self.record.subject.model)
        return found["network"] if found else self.record.subject.model

    @property
    def asked_model(self) -> str:
        """What was asked for on the command line."""
        found = _STAND_IN.fullmatch(self.record.subject.model)
        return found["asked"] if found else self.record.subject.model

    @property
    def configuration(self) -> dict[str, Any]:
        """What the harness was given for the measured run, or for the other one where there is none."""
        runs = [run for mode in ("performance", "accuracy") for run in self.record.runs if run.mode == mode]
        return runs[0].configuration if runs else {}

    def logs(self, mode: str) -> Path:
        """Folder of a run's logs, for `performance` or `accuracy`."""
        return self.folder / mode / RUN

    def run(self, mode: str) -> LoadgenRun | None:
        return next((run for run in self.record.runs if run.mode == mode), None)

    def tests(self) -> tuple[Path, ...]:
        """Folders of the compliance tests that were run, `TEST01` and so on."""
        return tuple(sorted(path for path in self.folder.glob("TEST[0-9][0-9]") if path.is_dir()))

    @property
    def power(self) -> Path | None:
        """Folder of the power measurement; None without one."""
        return next(iter(path for path in [self.folder / "performance" / "power"] if path.is_dir()), None)

    def detail(self, mode: str) -> DetailLog:
        """loadgen's log of a run; an empty one where it cannot be read."""
        try:
            return parse((self.logs(mode) / DETAIL).read_bytes())
        except OSError:
            return parse(b"")

    def seeds(self, mode: str) -> dict[str, int]:
        """The seeds that loadgen says it used; empty where it did not say."""
        log = self.detail(mode)
        found = {key: log.get(f"effective_{key}") for key in _SEEDS}
        return {key: value for key, value in found.items() if isinstance(value, int)}

    def benchmark(self, found: Round) -> Benchmark | None:
        """The round's benchmark that this model runs: by name, else by what loadgen was told; None for none."""
        config = self.configuration
        named = found.find(str(config.get("benchmark_name") or "")) if config.get("benchmark_name") else None
        if named is not None:
            return named
        known = found.with_conf(str(config.get("benchmark") or ""))
        return next((one for one in known if self.scenario in one.scenarios()), known[0] if known else None)


def read(path: Path) -> Result:
    """A result from its record's file.

    Raises:
        SubmissionError: for a file that is no record.
    """
    try:
        return Result(load_file(path), path.parent)
    except RecordError as error:
        raise SubmissionError(str(error), "give the folder of results: --results_dir=FOLDER") from None


def find(folder: Path) -> list[Path]:
    """The records below a folder: of all runs, of one run, or a single one. Oldest run first."""
    if folder.is_file():
        return [folder]
    found: Iterator[Path] = (path for depth in ("", "*/", "*/*/") for path in folder.glob(f"{depth}{RESULT_FILE}"))
    return sorted(set(found))


def newest(results: Iterable[Result]) -> list[Result]:
    """One result for each model and scenario: the one that was made last."""
    latest: dict[tuple[str, str], Result] = {}
    for one in sorted(results, key=lambda result: (result.record.created, result.record.id)):
        latest[one.model, one.scenario] = one
    return list(latest.values())
