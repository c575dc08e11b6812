"""The training itself: steps, evaluations and checkpoints until the target is reached or the budget is used up."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trainer import checkpoint, optimisers
from trainer.batches import Layout, Order, in_turn, loader
from trainer.checkpoint import Position
from trainer.config import TrainConfig
from trainer.curve import CURVE, Curve, Point
from trainer.engine import Engine, model_facts
from trainer.errors import TrainingError
from trainer.listener import Listener
from trainer.pace import Pace
from trainer.recipe import Recipe
from trainer.result import ModelFacts
from trainer.task import Split, Task

if TYPE_CHECKING:
    import torch

EndedBy = Literal["target", "epochs", "time"]
#: optimiser steps between two looks at the loss on a GPU, where each look waits for it
LOOK_EVERY = 20


@dataclass(frozen=True)
class Trained:
    """How a training ended, and what was counted on the way."""

    ended_by: EndedBy
    quality: float | None
    position: Position
    pace: Pace
    recipe: Recipe
    model: ModelFacts
    train_samples: int
    eval_samples: int


class Training:
    """One training on one rank. ``listener`` is told of the events that the rules want logged."""

    def __init__(self, task: Task, config: TrainConfig, engine: Engine, listener: Listener, folder: Path) -> None:
        self.task, self.config, self.engine, self.listener, self.folder = task, config, engine, listener, folder
        # the task sees what was asked for, too: its loss may smooth labels
        self.recipe = task.recipe = task.recipe.replaced(config.recipe)
        self.target = task.metric.target if config.target is None else config.target
        self.layout = Layout.divide(self.recipe.batch_size, engine.rank, engine.world, config.accumulation)
        self.train_split, self.eval_split = _checked(task.splits(), self.recipe)
        seed_everything(config.seed)
        self.bare, self.model = engine.prepare(task)
        seed_everything(config.seed + engine.rank)
        self.optimizer = task.optimizer(self.bare, self.recipe)
        self.schedule = optimisers.schedule(self.recipe, self.optimizer, self._order(0).steps)
        self.pace = Pace()
        self.position = Position()
        self.quality: float | None = None
        self.logged: float | dict[str, float] | None = None
        self._resume()
        self.curve = Curve(folder / CURVE, enabled=engine.rank == 0)
        self._saved_at = time.monotonic()

    def run(self) -> Trained:
        """Train to the end. Raises TrainingError where that is impossible."""
        self.listener.opening(self)
        self._began = time.monotonic() - self.position.seconds
        self.listener.run_start()
        ended_by = self._epochs()
        self.position = replace(self.position, seconds=self._seconds())
        self.listener.run_stop(success=ended_by == "target")
        self.curve.close()
        return Trained(
            ended_by=ended_by,
            quality=self.quality,
            position=self.position,
            pace=self.pace,
            recipe=self.recipe,
            model=model_facts(self.bare),
            train_samples=len(self.train_split),
            eval_samples=len(self.eval_split),
        )

    def _epochs(self) -> EndedBy:
        for epoch in range(self.position.epoch, self.recipe.epochs):
            in_time = self._train_epoch(epoch)
            if not in_time or (epoch + 1) % self.recipe.eval_every == 0 or epoch + 1 == self.recipe.epochs:
                self.quality = self._evaluate()
                if self.task.metric.reached(self.quality, self.target):
                    return "target"
            if not in_time:
                return "time"
            self._save_if_due()
        return "epochs"

    def _order(self, epoch: int) -> Order:
        return Order(len(self.train_split), self.layout, self.config.seed, epoch, self.recipe.epoch_samples)

    def _train_epoch(self, epoch: int) -> bool:
        """The rest of one epoch; False where the time was used up in it."""
        if not self.position.step:  # in the middle of an epoch, its preparation is part of what was restored
            self.task.before_epoch(self.bare, epoch)
        self.bare.train()
        order = self._order(epoch)
        self.listener.epoch_start(epoch, self.position.samples)
        remaining = order.micro_batches(self.position.step)
        batches = loader(self.train_split, remaining, self._draw_seed(epoch), self.config.loader_workers)
        in_time = True
        with self.pace.training(self.engine.wait):
            while in_time and self.position.step < order.steps:
                self._step(batches)
                self._save_if_due(within_epoch=True)
                in_time = self._in_time()
        if in_time:
            self.position = replace(self.position, epoch=epoch + 1, step=0)
        self.listener.epoch_stop(epoch, self.position.samples)
        return in_time

    def _draw_seed(self, epoch: int) -> int:
        return (self.config.seed << 20) + epoch

    def _step(self, batches: Any) -> None:
        """One optimiser step: ``accumulation`` batches forward and backward, then the update."""
        accumulation = self.layout.accumulation
        total: Any = None
        for part in range(accumulation):
            with self.pace.loading():
                batch = self.engine.to_device(next(batches))
            with self.engine.unsynchronised(self.model, part + 1 < accumulation):
                with self.engine.autocast():
                    loss = self.task.loss(self.model, batch)
                    loss = loss / accumulation if accumulation > 1 else loss
                self.engine.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total = loss.detach() if total is None else total + loss.detach()
            self.pace.tokens(self.task.tokens(batch))
        self._update()
        self._count(total)

    def _update(self) -> None:
        import torch

        scaler = self.engine.scaler
        if self.recipe.clip_norm:
            scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.bare.parameters(), self.recipe.clip_norm)
        scaler.step(self.optimizer)
        scaler.update()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)

    def _count(self, loss: torch.Tensor) -> None:
        now = self.position
        self.position = replace(
            now, step=now.step + 1, total_steps=now.total_steps + 1, samples=now.samples + self.layout.batch_size
        )
        self.pace.step(self.layout.batch_size)
        if self.engine.device.type == "cpu" or self.position.total_steps % LOOK_EVERY == 0:
            self._look(float(loss))

    def _look(self, loss: float) -> None:
        if not math.isfinite(loss):
            cause = f"the loss is {loss} at step {self.position.total_steps} (epoch {self.position.epoch})"
            rate = self.schedule.get_last_lr()[0]
            raise TrainingError("diverged", cause, f"a lower --learning_rate (it was {rate:.3g}), or --clip_norm=1")
        self.curve.add(self._point(loss=loss, learning_rate=float(self.schedule.get_last_lr()[0])))

    def _point(self, **values: float) -> Point:
        here = self.position
        return Point(round(self._seconds(), 4), here.epoch, here.total_steps, here.samples, **values)

    def _evaluate(self) -> float:
        import torch

        samples, epoch = self.position.samples, self.position.epoch
        self.listener.eval_start(epoch, samples)
        self.engine.level_buffers(self.bare)
        self.bare.eval()
        with self.pace.evaluating(), torch.no_grad(), self.engine.autocast():
            evidence = [self.task.judge(self.bare, batch) for batch in self._evaluation_batches()]
            quality = float(self.task.quality(evidence if self.engine.sharded else self.engine.collect(evidence)))
        if math.isnan(quality):
            raise TrainingError("diverged", f"{self.task.metric.name} is not a number after epoch {epoch}", "")
        self.curve.add(self._point(quality=quality))
        self.logged = self.task.logged(quality)
        self.listener.quality(self.logged, epoch, samples)
        self.listener.eval_stop(epoch, samples)
        return quality

    def _evaluation_batches(self) -> Any:
        # Sharded weights travel at every call, so all ranks must make the same calls: each judges everything.
        rank, world = (0, 1) if self.engine.sharded else (self.engine.rank, self.engine.world)
        batches = in_turn(len(self.eval_split), self.recipe.eval_batch_size, rank, world)
        for batch in loader(self.eval_split, batches, self.config.seed, 0):
            self.curve.beat()
            yield self.engine.to_device(batch)

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _in_time(self) -> bool:
        if self.config.max_minutes is None:
            return True
        if self.engine.world > 1 and self.position.total_steps % LOOK_EVERY:
            return True  # ranks must stop at the same step, and to agree costs a message
        return bool(self.engine.agree(self._seconds() < self.config.max_minutes * 60))

    def _save_if_due(self, within_epoch: bool = False) -> None:
        every = self.config.checkpoint_every_s
        if within_epoch and (every == 0 or (self.engine.world > 1 and self.position.total_steps % LOOK_EVERY)):
            return
        due = time.monotonic() - self._saved_at >= every
        if self.engine.agree(due) if every else True:
            with self.pace.saving():
                self._save()
            self._saved_at = time.monotonic()

    def _save(self) -> None:
        random_states = self.engine.collect([checkpoint.random_state()])
        state = {
            **self.engine.states(self.bare, self.optimizer),
            "schedule": {"last_epoch": self.schedule.last_epoch},
            "scaler": self.engine.scaler.state_dict(),
            "random": random_states,
            "task": self.task.state(),
            "world": self.engine.world,
        }
        if self.engine.rank == 0:
            checkpoint.save(self.folder, replace(self.position, seconds=self._seconds()), state)
        self.engine.barrier()

    def _resume(self) -> None:
        found = checkpoint.load(self.folder) if self.config.resume else None
        if found is None:
            return
        position, state = found
        if state["world"] != self.engine.world:
            cause = f"the checkpoint in {self.folder} is of {state['world']} processes, not {self.engine.world}"
            raise TrainingError("checkpoint", cause, f"--processes={state['world']}")
        self._take_back(state)
        self.position = replace(position, resumed=position.resumed + 1)

    def _take_back(self, state: dict[str, Any]) -> None:
        try:
            self.engine.restore(self.bare, self.optimizer, state)
        except (RuntimeError, ValueError, KeyError) as error:
            cause = f"the checkpoint in {self.folder} is of another model: {str(error).splitlines()[0]}"
            raise TrainingError(
                "checkpoint", cause, "the same task and options as before, or another folder"
            ) from error
        self.schedule.last_epoch = state["schedule"]["last_epoch"]
        # the closed form of the rate at that step; torch keeps the rate itself in the optimiser
        self.schedule._last_lr = [group["lr"] for group in self.optimizer.param_groups]
        self.engine.scaler.load_state_dict(state["scaler"])
        self.task.restore(state["task"])
        checkpoint.set_random_state(state["random"][self.engine.rank])


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _checked(splits: tuple[Split, Split], recipe: Recipe) -> tuple[Split, Split]:
    train, evaluation = splits
    for name, split in (("training", train), ("evaluation", evaluation)):
        if not len(split):
            raise TrainingError("data", f"the {name} set has no samples", "look into the folder that its flag gave")
    if len(train) < recipe.batch_size:
        cause = f"the training set has {len(train)} samples, less than one batch of {recipe.batch_size}"
        raise TrainingError("data", cause, f"--batch_size={len(train)}")
    return train, evaluation
