"""Trainings from outside: start the ranks, watch them, and say what became of them. Imports no torch."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from trainer import ending, events, launch, monitor, scores
from trainer.checkpoint import CHECKPOINT
from trainer.child import LOST, failure_file
from trainer.config import CONFIG, TrainConfig
from trainer.curve import CURVE
from trainer.errors import TrainingError
from trainer.occupancy import occupied
from trainer.result import RESULT, SUMMARY, Failure, QualityReached, TrainResult, write_json

CONSOLE = "console.log"
TICK_S = 0.5

OnTick = Callable[[Path], None]


def run(config: TrainConfig, on_tick: OnTick | None = None) -> list[TrainResult]:
    """Train ``config.runs`` times, one after the other, each in ``<output_dir>/run_<i>``.

    With ``resume``, finished runs are kept and an unfinished one goes on from its checkpoint. A run that fails ends
    the series: what broke once breaks again. Raises TrainingError where the folder cannot be used.
    """
    results = []
    for index in range(config.runs):
        results.append(_one(config, index, on_tick))
        if results[-1].failure:
            break
    if config.node_rank == 0:
        write_json(Path(config.output_dir) / SUMMARY, scores.summary(results))
    return results


def _one(config: TrainConfig, index: int, on_tick: OnTick | None) -> TrainResult:
    folder = Path(config.output_dir).absolute() / f"run_{index}"
    if config.resume and (folder / RESULT).is_file():
        kept = TrainResult.read(folder / RESULT)
        if kept.failure is None:
            return kept
    own = msgspec.structs.replace(config, seed=config.seed + index, runs=1, output_dir=str(folder))
    with occupied(_home(own, folder)):
        return _trained(own, folder, on_tick)


def _home(config: TrainConfig, folder: Path) -> Path:
    """Where this node keeps its own files; the first one's are those of the training."""
    return folder / f"node_{config.node_rank}" if config.node_rank else folder


def _trained(config: TrainConfig, folder: Path, on_tick: OnTick | None) -> TrainResult:
    home = _home(config, folder)
    _prepare(config, home)
    process = _start(config, folder, home)
    watching = monitor.Monitor(process.pid, home, config.monitor_every_s)
    try:
        silent_s = _follow(process, config, folder, on_tick)
    finally:
        ending.end_group(process)
        monitored = watching.stop()
    result = _conclude(config, folder, process.returncode, silent_s)
    if config.node_rank == 0:
        result = msgspec.structs.replace(result, monitor=monitored)
        result.write(folder)
    return result


def _prepare(config: TrainConfig, home: Path) -> None:
    try:
        stale = [RESULT, *(failure_file(home, rank).name for rank in range(config.world))]
        fresh = [] if config.resume else [CHECKPOINT, CURVE, CONSOLE, monitor.SERIES, events.log_name(home)]
        for name in (*stale, *fresh):
            (home / name).unlink(missing_ok=True)
        (home / CONFIG).write_text(config.to_json(), encoding="utf-8")
    except OSError as error:
        cause = f"the output folder {home} cannot be used: {error.strerror}"
        raise TrainingError("config", cause, f"ls -ld {home.parent}") from error


def _start(config: TrainConfig, folder: Path, home: Path) -> subprocess.Popen[bytes]:
    with (home / CONSOLE).open("ab") as console:
        return subprocess.Popen(
            launch.command(config, folder, home / CONFIG),
            cwd=home,
            env=launch.environment(config, os.environ),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=ending.with_parent,
        )


def _follow(
    process: subprocess.Popen[bytes], config: TrainConfig, folder: Path, on_tick: OnTick | None
) -> float | None:
    """Wait for the end; the seconds of silence after which it was taken for a hang, or None."""
    began = time.time()
    while True:
        try:
            process.wait(TICK_S)
            return None
        except subprocess.TimeoutExpired:
            if on_tick:
                on_tick(folder)
        silent_s = time.time() - max(began, *(_changed(folder / name) for name in (CURVE, CONSOLE, CHECKPOINT)))
        if silent_s > config.hang_timeout_s:
            return silent_s


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _conclude(config: TrainConfig, folder: Path, returncode: int, silent_s: float | None) -> TrainResult:
    if silent_s is None and returncode == 0 and (folder / RESULT).is_file():
        return TrainResult.read(folder / RESULT)
    failure = _told(config, folder) or _guessed(config, folder, returncode, silent_s)
    if not failure.log:
        failure = msgspec.structs.replace(failure, log=str(folder / CONSOLE))
    return failed(config, failure)


def failed(config: TrainConfig, failure: Failure) -> TrainResult:
    """A result that says only why there is none."""
    return TrainResult(
        task=config.task,
        benchmark=config.benchmark,
        dataset=config.dataset,
        tier=config.tier,
        seed=config.seed,
        reached=False,
        ended_by="failure",
        quality=QualityReached(metric="", value=None, target=config.target or 0.0, higher_is_better=True),
        config=config,
        failure=failure,
    )


def _told(config: TrainConfig, folder: Path) -> Failure | None:
    """The first cause that a rank wrote down; not that of ranks which only lost another one."""
    files = [path for rank in range(config.world) if (path := failure_file(folder, rank)).is_file()]
    files.sort(key=lambda path: path.stat().st_mtime)
    told = (msgspec.json.decode(path.read_bytes(), type=Failure) for path in files)
    return next((failure for failure in told if failure.kind != LOST), None)


def _guessed(config: TrainConfig, folder: Path, returncode: int, silent_s: float | None) -> Failure:
    again = "the same command with --resume goes on from the last checkpoint"
    if silent_s is not None:
        cause = f"nothing moved for {silent_s:.0f} s, so the training was ended (hang_timeout_s)"
        return Failure(kind="hang", cause=cause, hint=again)
    who, code = _first_dead_rank(folder) if config.world > 1 else ("the training process", returncode)
    if code < 0:
        import signal

        name = signal.Signals(-code).name
        cause = f"{who} was ended by {name}"
        if name == "SIGKILL":
            cause += ": by somebody, or by the kernel because memory ran out"
        return Failure(kind="killed", cause=cause, hint=again)
    return Failure(kind="crash", cause=f"{who} ended with exit status {code} and said nothing", hint="read the log")


def _first_dead_rank(folder: Path) -> tuple[str, int]:
    """What torchrun says of the rank that ended first."""
    text = (folder / CONSOLE).read_text(encoding="utf-8", errors="replace")
    _, _, cause = text.rpartition("Root Cause")
    rank, code = re.search(r"rank\s*:\s*(\d+)", cause), re.search(r"exitcode\s*:\s*(-?\d+)", cause)
    return (f"rank {rank[1]}", int(code[1])) if rank and code else ("torchrun", 1)
