"""One rank of one training, in a process of its own: ``python -m trainer.child FOLDER CONFIG``."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from trainer import ending, facts
from trainer.checkpoint import CHECKPOINT
from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.listener import Listener, Silence
from trainer.result import Failure, QualityReached, TrainResult, write_json

if TYPE_CHECKING:
    from trainer.loop import Trained, Training


#: kind of failure that only follows another one
LOST = "lost"
_PEER_GONE = ("gloo/transport", "Connection reset by peer", "Connection closed by peer", "NCCL error", "remote worker")


def failure_file(folder: Path, rank: int) -> Path:
    """Where a rank leaves the cause of its end."""
    return folder / f"failure_{rank}.json"


def main(folder: Path, file: Path) -> int:
    """Train as ``file`` says; 0 with a result.json in ``folder``, 1 with a failure file of this rank."""
    ending.with_parent()
    rank = int(os.environ.get("RANK", "0"))
    try:
        config = TrainConfig.read(file)
        train(config, folder, rank)
    except TrainingError as error:
        _leave(folder, rank, Failure(kind=error.kind, cause=error.cause, hint=error.hint))
    except Exception as error:
        import traceback

        traceback.print_exc()
        _leave(folder, rank, _diagnosed(error, folder))
    else:
        return 0
    return 1


def train(config: TrainConfig, folder: Path, rank: int) -> None:
    """Build the task and the engine, train, and have rank 0 write the result."""
    from trainer.engine import Engine
    from trainer.loop import Training
    from trainer.registry import load_task

    listener = _listener(config, folder, rank)
    engine = Engine(config)
    try:
        task = load_task(config)
        training = Training(task, config, engine, listener, folder)
        trained = training.run()
        if engine.rank == 0:
            _result(config, training, trained).write(folder)
            if not config.keep_checkpoint:
                (folder / CHECKPOINT).unlink(missing_ok=True)
        engine.barrier()
    finally:
        listener.close()
        engine.close()


def _listener(config: TrainConfig, folder: Path, rank: int) -> Listener:
    if not config.log or rank:
        return Silence()
    from trainer.events import LogListener
    from trainer.mllog import LogError

    try:
        return LogListener(config, folder, resume=config.resume and (folder / CHECKPOINT).is_file())
    except LogError as error:
        raise TrainingError("log", error.cause, error.hint) from error


def _result(config: TrainConfig, training: Training, trained: Trained) -> TrainResult:
    import msgspec

    pace, metric, position = trained.pace, training.task.metric, trained.position
    quality = QualityReached(
        metric=metric.name,
        value=trained.quality,
        target=training.target,
        higher_is_better=metric.higher_is_better,
        parts=training.logged if isinstance(training.logged, dict) else {},
    )
    world = training.engine.world
    return TrainResult(
        task=config.task,
        benchmark=config.benchmark,
        dataset=config.dataset,
        tier=config.tier,
        seed=config.seed,
        reached=trained.ended_by == "target",
        ended_by=trained.ended_by,
        quality=quality,
        config=config,
        recipe=msgspec.to_builtins(trained.recipe),
        time_to_train_s=position.seconds if trained.ended_by == "target" else None,
        seconds=position.seconds,
        epochs=position.epoch,
        samples_seen=position.samples,
        throughput=pace.throughput,
        tokens_per_s=pace.tokens_per_s * world if pace.tokens_per_s else None,
        loading_share=pace.loading_share,
        evaluation_s=pace.evaluation_s,
        checkpoint_s=pace.saving_s,
        train_samples=trained.train_samples,
        eval_samples=trained.eval_samples,
        resumed=position.resumed,
        peak_rss_bytes=facts.peak_rss_bytes(),
        peak_device_bytes=training.engine.peak_device_bytes(),
        model=trained.model,
        software=facts.software(),
        host=facts.host(training.engine.device),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )


def _leave(folder: Path, rank: int, failure: Failure) -> None:
    write_json(failure_file(folder, rank), failure)
    print(f"rank {rank}: {failure.cause}", file=sys.stderr)


def _diagnosed(error: Exception, folder: Path) -> Failure:
    """Words for what the libraries below raise."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        hint = "a smaller --batch_size, or the same one in parts: --accumulation=2"
        return Failure(kind="memory", cause=f"out of memory: {text[:200]}", hint=hint)
    if isinstance(error, RuntimeError) and any(words in str(error) for words in _PEER_GONE):
        return Failure(kind=LOST, cause=f"another rank went away: {text[:200]}")
    if isinstance(error, OSError) and error.filename:
        return Failure(kind="data", cause=f"{error.filename}: {error.strerror}", hint=f"ls -l {error.filename}")
    if isinstance(error, ModuleNotFoundError):
        return Failure(kind="setup", cause=f"Python package {error.name} is missing", hint=f"pip install {error.name}")
    cause = f"{type(error).__name__}: {text[:300]}"
    return Failure(
        kind="task", cause=cause, hint="the log has the place in the task's code", log=str(folder / "console.log")
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
