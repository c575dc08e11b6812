"""Checkpoints from which a training goes on as if it had never stopped: same order, same randomness, same weights."""

from __future__ import annotations

import os
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch

CHECKPOINT = "checkpoint.pt"
SCHEMA = 1


@dataclass(frozen=True)
class Position:
    """Where a training is: ``step`` optimiser steps of epoch ``epoch`` are done. The sums are over all of it."""

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    samples: int = 0
    seconds: float = 0.0
    resumed: int = 0


def random_state() -> dict[str, Any]:
    """The state of every generator that this process draws from, in tensors and plain values."""
    import numpy as np
    import torch

    kind, keys, place, has_gauss, cached = np.random.get_state()
    words = torch.from_numpy(np.asarray(keys).astype("int64"))
    version, numbers, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [
            str(kind),
            words,
            int(place),
            int(has_gauss),
            float(cached),
        ],
        "python": [version, list(numbers), gauss],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Take back what `random_state` gave."""
    import numpy as np
    import torch

    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    kind, keys, place, has_gauss, cached = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype("uint32"), place, has_gauss, cached))
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))


def save(folder: Path, position: Position, state: dict[str, Any]) -> Path:
    """Write ``state`` as the folder's checkpoint; a kill at any time leaves the old one or the new one, whole."""
    import torch

    path = folder / CHECKPOINT
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as file:
            torch.save({"schema": SCHEMA, "position": asdict(position), **state}, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        cause = f"the checkpoint {path} cannot be written: {error.strerror}"
        raise TrainingError("disk", cause, f"df -h {folder}") from error
    return path


def load(folder: Path, device: torch.device | str = "cpu") -> tuple[Position, dict[str, Any]] | None:
    """The folder's checkpoint, or None where there is none yet.

    Raises:
        TrainingError: kind `checkpoint`, where the file is damaged or another format's. It is left as it is.
    """
    import torch

    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        if state.pop("schema") != SCHEMA:
            raise ValueError("it was written by another version")
        return Position(**state.pop("position")), state
    except Exception as error:  # torch raises anything from KeyError to RuntimeError for a damaged file
        reason = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
        cause = f"the checkpoint {path} cannot be read: {reason}"
        raise TrainingError("checkpoint", cause, f"mv {path} {path}.broken and train from the beginning") from error
