"""The log of one run as MLPerf's rules want it: `:::MLLOG` lines, written by mlperf-logging itself.

Source: compliance checker of mlperf-logging 4.1, rulesets training 0.7 to 6.1 and hpc 3.0.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer import rulesets

TOKEN = ":::MLLOG "
_START, _END, _POINT = "start", "end", "event"


class LogError(Exception):
    """A log that cannot be written or read: cause, and what to do next."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause, self.hint = cause, hint


@dataclass(frozen=True)
class Event:
    """One line of a log; ``time_ms`` is the time since 1970."""

    key: str
    value: Any
    time_ms: float
    metadata: Mapping[str, Any]


class Log:
    """Writes the events of one run, in the order that the rules want.

    Only the process with rank 0 writes; in the others every call does nothing. Every line is on its way to the disk
    when the call returns, so a killed run leaves all that happened.
    """

    def __init__(
        self,
        path: Path,
        benchmark: str,
        *,
        organization: str,
        platform: str,
        division: str = "open",
        status: str = "onprem",
        enabled: bool = True,
        resume: bool = False,
    ) -> None:
        """Open the log of a new run, or go on with that of an interrupted one.

        Args:
            path: `result_<i>.txt`.
            benchmark: name of a task or of an MLPerf benchmark.
            organization, platform: who runs it on what; never empty in a log that is checked.
            status: `onprem`, `cloud`, `preview` or `research`.
            resume: the run goes on from a checkpoint. Its log keeps its opening and its one start, so the time to
                train includes what was lost.

        Raises:
            LogError: where a run is to go on whose log is missing, has no start, or has ended well.
            OSError: where the log cannot be written.
        """
        self.path, self.rules = path, rulesets.of(benchmark)
        self._submission = {
            "submission_benchmark": self.rules.benchmark,
            "submission_org": organization,
            "submission_division": division,
            "submission_status": status,
            "submission_platform": platform,
        }
        self._resumed, self._stopped, self._logger = resume, False, None
        # the clock of the run: the wall's at its start, and never set back
        self._wall, self._steady = time.time(), time.monotonic()
        if enabled:
            if resume:
                _reopen(path)
            self._logger = _logger(path, append=resume)

    def start(self) -> None:
        """The process begins: before anything of the run is prepared."""
        if self._resumed:
            self._log(_POINT, "run_resumed", True)
            return
        self._log(_POINT, "cache_clear", True)
        self._log(_START, "init_start")

    def opening(
        self,
        hyperparameters: Mapping[str, object],
        seed: int,
        train_samples: int,
        eval_samples: int,
        global_batch_size: int,
        accumulation: int,
        nodes: int,
        accelerators_per_node: int,
    ) -> None:
        """Everything that is known before the run, up to `init_stop`.

        Args:
            hyperparameters: by MLPerf's keys, as `opt_base_learning_rate`; the closed division asks for many. Keys of
                one's own do no harm.
            seed: a different one in each run of a result.
            train_samples, eval_samples: samples of one epoch, and of one evaluation.
            global_batch_size: samples of one step of the optimiser, over all processes and accumulated batches.

        Raises:
            LogError: for a hyperparameter that contradicts one of the other arguments.
        """
        if self._resumed:
            return
        facts: dict[str, object] = {
            "global_batch_size": global_batch_size,
            "gradient_accumulation_steps": accumulation,
            "train_samples": train_samples,
            "eval_samples": eval_samples,
            "number_of_nodes": nodes,
            "accelerators_per_node": accelerators_per_node,
        }
        for key, value in {**self._submission, **_merged(hyperparameters, {**facts, "seed": seed})}.items():
            self._log(_POINT, key, value)
        self._log(_END, "init_stop")

    def run_start(self) -> None:
        """The clock starts: the first sample of the training set may be touched from here on."""
        if not self._resumed:
            self._log(_START, "run_start")

    def epoch_start(self, epoch: float, samples: int) -> None:
        """An epoch begins; ``epoch`` counts from 1, ``samples`` were trained before it."""
        self._log(_START, "epoch_start", None, _place(epoch, samples))

    def epoch_stop(self, epoch: float, samples: int) -> None:
        """An epoch ends, after ``samples`` in the whole run."""
        self._log(_END, "epoch_stop", None, _place(epoch, samples))

    def eval_start(self, epoch: float, samples: int) -> None:
        """An evaluation begins."""
        self._log(_START, "eval_start", None, _place(epoch, samples))

    def quality(self, value: float | Mapping[str, float], epoch: float, samples: int) -> None:
        """The quality that an evaluation found, in the task's unit; several by name, as `{"BBOX": …, "SEGM": …}`."""
        scale = self.rules.scale
        logged = {k: v * scale for k, v in value.items()} if isinstance(value, Mapping) else value * scale
        self._log(_POINT, self.rules.key, logged, _place(epoch, samples))

    def eval_stop(self, epoch: float, samples: int) -> None:
        """An evaluation ends."""
        self._log(_END, "eval_stop", None, _place(epoch, samples))

    def throughput(self, samples_per_second: float, samples: int = 0) -> None:
        """The speed so far, after ``samples``; no rule asks for it, many readers do."""
        self._log(_POINT, "tracked_stats", {"throughput": samples_per_second}, {"step": samples})

    def run_stop(self, success: bool, epoch: float = 0, samples: int = 0) -> None:
        """The clock stops: the target was reached, or the run was given up. Only the first call counts."""
        if not self._stopped:
            self._stopped = True
            self._log(_END, "run_stop", None, {"status": "success" if success else "aborted", **_place(epoch, samples)})

    def flush(self) -> None:
        """Bring what was logged to the disk."""
        import os

        for handler in self._handlers():
            if handler.stream:
                handler.flush()
                os.fsync(handler.stream.fileno())

    def close(self) -> None:
        """Flush, and let go of the file; calls after this do nothing."""
        self.flush()
        for handler in self._handlers():
            handler.close()
        self._logger = None

    def _handlers(self) -> list[logging.FileHandler]:
        return list(self._logger.logger.handlers) if self._logger else []

    def _log(self, kind: str, key: str, value: object = None, metadata: Mapping[str, object] | None = None) -> None:
        # the file and line of the seed identify it for the checker: every event goes through this one place
        if self._logger is None:
            return
        now = int((self._wall + time.monotonic() - self._steady) * 1000)
        getattr(self._logger, kind)(key, value, metadata=dict(metadata or {}), time_ms=now)


def events(path: Path) -> Iterator[Event]:
    """The events of a log.

    Raises:
        LogError: for a file that cannot be read, or a line that is no event.
    """
    try:
        text = path.read_text(encoding="latin-1")  # as upstream's parser reads it
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from None
    for number, line in enumerate(text.splitlines(), 1):
        _, token, content = line.partition(TOKEN)
        if token:
            yield _event(content, f"{path}, line {number}")


def time_to_train(path: Path) -> float:
    """Seconds from `run_start` to `run_stop` of a log, whether or not the target was reached.

    Raises:
        LogError: for a log without both.
    """
    times: dict[str, float] = {}
    for one in events(path):
        times.setdefault(one.key, one.time_ms)
    for key in ("run_start", "run_stop"):
        if key not in times:
            raise LogError(f"{path} has no {key}: the run did not {'begin' if key == 'run_start' else 'end'}")
    return (times["run_stop"] - times["run_start"]) / 1000


def _event(content: str, where: str) -> Event:
    try:
        fields = json.loads(content)
        key, metadata = fields["key"], fields["metadata"] or {}
        if isinstance(key, str) and isinstance(metadata, dict):
            return Event(key, fields["value"], float(fields["time_ms"]), metadata)
    except (ValueError, KeyError, TypeError):
        pass
    raise LogError(f"{where}: not an event of mlperf-logging: {content[:80]!r}")


def _place(epoch: float, samples: int) -> dict[str, object]:
    return {"epoch_num": epoch, "samples_count": samples}


def _merged(hyperparameters: Mapping[str, object], facts: Mapping[str, object]) -> dict[str, object]:
    """Hyperparameters and facts; the rules allow most keys once only."""
    for key in hyperparameters.keys() & facts.keys():
        if hyperparameters[key] != facts[key]:
            cause = f"the hyperparameter {key} is {hyperparameters[key]!r}, but the run has {facts[key]!r}"
            raise LogError(cause, f"leave {key} out of the hyperparameters")
    return {**{key: _plain(value) for key, value in hyperparameters.items()}, **facts}


def _plain(value: object) -> object:
    """What JSON can hold; anything else as text."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _reopen(path: Path) -> None:
    """Make the log of an interrupted run ready to be continued: without half a line, without a run_stop.

    Raises:
        LogError: for one that cannot be continued.
    """
    hint = "start the run anew, without its checkpoint"
    if not path.is_file():
        raise LogError(f"{path} is missing: nobody knows when the run that is to go on began", hint)
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"\n") + 1])
    found = {one.key: one for one in events(path)}
    if "run_start" not in found:
        raise LogError(f"{path} has no run_start: nobody knows when the run that is to go on began", hint)
    if "run_stop" in found and found["run_stop"].metadata.get("status") == "success":
        raise LogError(f"{path}: this run has reached its target already", "give another folder for a further run")
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if b'"key": "run_stop"' not in line]
    path.write_bytes(b"".join(kept))


def _logger(path: Path, *, append: bool) -> Any:
    from mlperf_logging.mllog.mllog import MLLogger

    handler = logging.FileHandler(path, mode="a" if append else "w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    # a logger of its own: mlperf-logging's default one prints, and is shared by everyone in the process
    logger = logging.Logger("mllog", level=logging.INFO)
    logger.addHandler(handler)
    # upstream takes root_dir for a pattern
    return MLLogger(logger=logger, root_dir=re.escape(str(Path(__file__).parents[1])))
