"""Finished runs to be tested: `<run>/<scenario>/{performance,accuracy}/run_1`, as the front door leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness import logs, outcome, rounds
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.report import CONFIG
from harness.rounds import Benchmark, Round
from harness.scenarios import ALL

_MAKE = 'cmr "run mlperf inference _performance-and-accuracy" makes both runs'


@dataclass(frozen=True)
class Subject:
    """One scenario of a finished run; `accuracy` is None without an accuracy run."""

    folder: Path
    config: RunConfig
    round: Round
    benchmark: Benchmark
    performance: Path
    accuracy: Path | None

    @property
    def needs(self) -> tuple[str, ...]:
        """The tests that the round asks of the benchmark."""
        return self.benchmark.compliance


def find(run: Path) -> tuple[Subject, ...]:
    """The scenarios of a run folder, or the one of a scenario folder.

    Raises:
        HarnessError: kind `config`, for a folder without finished performance runs, or a run of no known round.
    """
    folders = [run] if (run / "performance").is_dir() else sorted(path.parent for path in run.glob("*/performance"))
    found = tuple(_subject(folder) for folder in folders)
    if not found:
        raise HarnessError("config", f"{run} holds no performance run (SCENARIO/performance/run_1)", _MAKE)
    return found


def _subject(folder: Path) -> Subject:
    performance, accuracy = folder / "performance" / "run_1", folder / "accuracy" / "run_1"
    _require_success(performance)
    config = RunConfig.read(performance / CONFIG)
    loadgen = logs.summarise(logs.read(performance), ALL[config.scenario])
    of_run = rounds.of_seeds(loadgen.seeds)
    if of_run is None:
        cause = f"the seeds of {performance / logs.DETAIL} belong to none of the rounds {', '.join(rounds.names())}"
        raise HarnessError("config", cause, "install a round's loadgen and run again")
    kept = accuracy if (accuracy / logs.ACCURACY).is_file() else None
    return Subject(folder, config, of_run, _benchmark(of_run, config), performance, kept)


def _benchmark(of_run: Round, config: RunConfig) -> Benchmark:
    if (named := of_run.find(config.benchmark_name)) is not None:
        return named
    by_conf = of_run.with_conf(config.conf_name) or of_run.with_conf(config.benchmark)
    return by_conf[0] if by_conf else of_run.benchmark(config.benchmark_name or config.benchmark)


def _require_success(folder: Path) -> None:
    path = folder / outcome.FILE_NAME
    try:
        found = outcome.Outcome.from_json(path.read_bytes())
    except OSError as error:
        raise HarnessError("config", f"cannot read {path}: {error.strerror}", _MAKE) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("config", f"{path} is no outcome of this harness: {error}", _MAKE) from error
    if found.failure is not None:
        cause = f"the performance run in {folder} has no usable result: {found.failure.cause}"
        raise HarnessError("config", cause, found.failure.hint or _MAKE)
