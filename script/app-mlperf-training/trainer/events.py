"""The harness's events as MLPerf's log wants them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.listener import Silence
from trainer.mllog import Log, LogError

if TYPE_CHECKING:
    from trainer.loop import Training


def log_name(folder: Path) -> str:
    """``run_3`` → ``result_3.txt``, as a submission names the log of a run."""
    return f"result_{folder.name.rpartition('_')[2]}.txt"


class LogListener(Silence):
    """Writes the log of one run on rank 0. Epochs count from 0 in the harness and from 1 in the log."""

    def __init__(self, config: TrainConfig, folder: Path, resume: bool) -> None:
        self._log = Log(
            folder / log_name(folder),
            config.benchmark,
            organization=config.organization,
            platform=config.platform,
            division=config.division,
            resume=resume,
        )
        self._place = (0, 0)
        self._log.start()

    def opening(self, training: Training) -> None:
        """Hyper-parameters and sizes, up to init_stop."""
        config, recipe = training.config, training.recipe
        try:
            self._log.opening(
                {**hyperparameters(msgspec.to_builtins(recipe)), **training.task.hyperparameters(recipe)},
                seed=config.seed,
                train_samples=len(training.train_split),
                eval_samples=len(training.eval_split),
                global_batch_size=recipe.batch_size,
                accumulation=config.accumulation,
                nodes=config.nodes,
                accelerators_per_node=config.processes if config.device != "cpu" else 0,
            )
        except LogError as error:
            raise TrainingError("config", error.cause, error.hint) from error

    def run_start(self) -> None:
        """The clock starts."""
        self._log.run_start()

    def epoch_start(self, epoch: int, samples: int) -> None:
        """From 1 in the log."""
        self._log.epoch_start(epoch + 1, samples)

    def epoch_stop(self, epoch: int, samples: int) -> None:
        """From 1 in the log."""
        self._log.epoch_stop(epoch + 1, samples)

    def eval_start(self, epoch: int, samples: int) -> None:
        """``epoch`` of them are done."""
        self._log.eval_start(epoch, samples)

    def quality(self, value: float | dict[str, float], epoch: int, samples: int) -> None:
        """The figure in the task's unit; the log scales it where the rules ask for that."""
        self._place = (epoch, samples)
        self._log.quality(value, epoch, samples)

    def eval_stop(self, epoch: int, samples: int) -> None:
        """After ``epoch`` epochs."""
        self._log.eval_stop(epoch, samples)

    def run_stop(self, success: bool) -> None:
        """The clock stops."""
        self._log.run_stop(success, *self._place)

    def close(self) -> None:
        """Bring it all to the disk."""
        self._log.close()


def hyperparameters(recipe: dict[str, object]) -> dict[str, object]:
    """A recipe under the names that most rulesets share."""
    return {
        "opt_name": recipe["optimizer"],
        "opt_base_learning_rate": recipe["learning_rate"],
        "opt_end_learning_rate": recipe["end_learning_rate"],
        "opt_weight_decay": recipe["weight_decay"],
        "opt_learning_rate_warmup_steps": recipe["warmup_steps"],
        "opt_gradient_clip_norm": recipe["clip_norm"] or 0.0,
        "opt_learning_rate_decay_schedule": recipe["schedule"],
    }
