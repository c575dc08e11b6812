"""Tasks that train in a moment, and tasks that go wrong. Child processes import this file by its folder."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Batch, Columns, Metric, Setup, Split, Task


def blobs(samples: int, seed: int) -> Columns:
    """Four classes, one per quadrant, a little noisy."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, 2, generator=draw)
    return Columns(x=x, y=(x[:, 0] > 0).long() + 2 * (x[:, 1] > 0).long())


class Blobs(Task):
    """Learnt within three epochs."""

    metric = Metric("top1", target=0.9)
    recipe = Recipe(batch_size=32, epochs=8, learning_rate=0.2, eval_batch_size=50, schedule="cosine", warmup_steps=3)

    def splits(self) -> tuple[Split, Split]:
        return blobs(256, 1), blobs(101, 2)

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, 4))

    def loss(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        return cross_entropy(model(batch["x"]), batch["y"])

    def judge(self, model: nn.Module, batch: Batch) -> Any:
        return model(batch["x"]).argmax(1) == batch["y"]


class Plain(Blobs):
    """Without dropout: the same steps on any number of ranks."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 4))


class Normalised(Blobs):
    """Batch statistics, which differ between ranks while they train; says what each rank judges with."""

    metric = Metric("spread", target=-1.0, higher_is_better=False)  # never reached

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 4))

    def judge(self, model: nn.Module, batch: Batch) -> Any:
        return float(model[1].running_mean.sum())  # type: ignore[index, operator, union-attr]

    def quality(self, evidence: Sequence[Any]) -> float:
        return max(evidence) - min(evidence)


class Jittered(Blobs):
    """Draws in every way a task may: dropout, augmentation, and data that it makes between epochs."""

    metric = Metric("top1", target=2.0)  # never reached

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.shift = torch.zeros(2)

    def splits(self) -> tuple[Split, Split]:
        task, train = self, blobs(256, 1)

        class Noisy:
            def __len__(self) -> int:
                return len(train)

            def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
                rows = train.batch(indices, draw)
                noise = 0.1 * torch.randn(rows["x"].shape, generator=draw)
                return {"x": rows["x"] + noise + task.shift, "y": rows["y"]}

        return Noisy(), blobs(101, 2)

    def before_epoch(self, model: nn.Module, epoch: int) -> None:
        self.shift = self.shift + 0.01 * torch.randn(2)

    def state(self) -> dict[str, Any]:
        return {"shift": self.shift}

    def restore(self, state: Any) -> None:
        self.shift = state["shift"]


class Slow(Jittered):
    """Gives a test the time to kill it; writes a file once it is in its third epoch."""

    def before_epoch(self, model: nn.Module, epoch: int) -> None:
        super().before_epoch(model, epoch)
        if epoch == 3 and self.setup.data:
            (self.setup.data / "third").touch()

    def loss(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        if self.setup.data and (self.setup.data / "third").exists() and not (self.setup.data / "fast").exists():
            time.sleep(0.05)
        return super().loss(model, batch)


class Hopeless(Blobs):
    metric = Metric("top1", target=1.5)


class Diverging(Blobs):
    def loss(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        return super().loss(model, batch) * float("inf")


class Hungry(Blobs):
    def loss(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        torch.empty(1 << 50)
        return super().loss(model, batch)


class Dying(Blobs):
    """One rank ends as if the kernel had ended it."""

    def before_epoch(self, model: nn.Module, epoch: int) -> None:
        if int(os.environ.get("RANK", "0")) == int(os.environ.get("WORLD_SIZE", "1")) - 1:
            os.kill(os.getpid(), signal.SIGKILL)


class Stuck(Blobs):
    def before_epoch(self, model: nn.Module, epoch: int) -> None:
        time.sleep(3600)


class Buggy(Blobs):
    def loss(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        return model(batch["z"])


class NoData(Blobs):
    def splits(self) -> tuple[Split, Split]:
        return blobs(0, 1), blobs(10, 2)


class BrokenFile(Blobs):
    def splits(self) -> tuple[Split, Split]:
        assert self.setup.data is not None
        raise TrainingError(
            "data", f"{self.setup.data / 'train.bin'}: it ends in the middle of a record", "get it again"
        )


class LostFile(Blobs):
    def splits(self) -> tuple[Split, Split]:
        Path("/nonexistent/labels.csv").read_text()
        raise AssertionError
