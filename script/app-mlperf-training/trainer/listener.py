"""Who is told what happens in a training: nobody, or the log that the rules ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from trainer.loop import Training


class Listener(Protocol):
    """The events of a training, in the order in which they happen. Epochs count from 0."""

    def opening(self, training: Training) -> None:
        """Everything is built, nothing is trained."""

    def run_start(self) -> None:
        """From here on the time counts."""

    def epoch_start(self, epoch: int, samples: int) -> None:
        """``samples`` were trained before it."""

    def epoch_stop(self, epoch: int, samples: int) -> None:
        """``samples`` were trained up to now."""

    def eval_start(self, epoch: int, samples: int) -> None:
        """An evaluation begins."""

    def quality(self, value: float | dict[str, float], epoch: int, samples: int) -> None:
        """What it found, one figure or several by name."""

    def eval_stop(self, epoch: int, samples: int) -> None:
        """It is over."""

    def run_stop(self, success: bool) -> None:
        """The time stops here; ``success``: the target was reached."""

    def close(self) -> None:
        """Nothing more will happen."""


class Silence:
    """Nobody listens."""

    def opening(self, training: Training) -> None:
        """Nothing."""

    def run_start(self) -> None:
        """Nothing."""

    def epoch_start(self, epoch: int, samples: int) -> None:
        """Nothing."""

    def epoch_stop(self, epoch: int, samples: int) -> None:
        """Nothing."""

    def eval_start(self, epoch: int, samples: int) -> None:
        """Nothing."""

    def quality(self, value: float | dict[str, float], epoch: int, samples: int) -> None:
        """Nothing."""

    def eval_stop(self, epoch: int, samples: int) -> None:
        """Nothing."""

    def run_stop(self, success: bool) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
