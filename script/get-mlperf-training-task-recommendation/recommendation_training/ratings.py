"""Ratings as MovieLens is handed out, read as implicit feedback: who saw what; the last film of each is left out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch

#: file and separator: ml-20m and later; ml-100k as RecBole packs it. Both have user, item, rating, time and a heading.
LAYOUTS = (("ratings.csv", ","), ("ml-100k.inter", "\t"))


@dataclass(frozen=True)
class Feedback:
    """Who saw what. Users and items are numbered from 0.

    Attributes:
        users, items: int64 (n,), the pairs for training, in the order of users.
        held_out: int64 (users,), the item that each user saw last.
        item_count: how many items there are.
    """

    users: torch.Tensor
    items: torch.Tensor
    held_out: torch.Tensor
    item_count: int

    @property
    def user_count(self) -> int:
        """How many users there are."""
        return len(self.held_out)


def read_feedback(folder: Path, expected: int | None = None) -> Feedback:
    """All ratings in ``folder``; ``expected`` is how many there must be, where that is known.

    Raises:
        TrainingError: kind `data`, naming the file that is missing, damaged or incomplete.
    """
    import numpy as np
    import torch

    path, table = _table(folder)
    if expected is not None and len(table) != expected:
        cause = f"{path} has {len(table)} ratings, {expected} are expected: it is not complete"
        raise TrainingError("data", cause, "fetch the data set again")
    _, users = np.unique(table[:, 0], return_inverse=True)
    found, items = np.unique(table[:, 1], return_inverse=True)
    # By user, then by time; equal times keep the order of the file.
    order = np.lexsort((np.arange(len(table)), table[:, 3], users))
    users, items = users[order], items[order]
    last = np.append(users[1:] != users[:-1], True)
    if last[1:].all():
        raise TrainingError("data", f"{path}: no user has a rating to spare for training", "")
    return Feedback(
        torch.from_numpy(users[~last]), torch.from_numpy(items[~last]), torch.from_numpy(items[last]), len(found)
    )


def _table(folder: Path) -> tuple[Path, Any]:
    import numpy as np

    for name, separator in LAYOUTS:
        path = folder / name
        if not path.is_file():
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # an empty file gets an error below
                table = np.loadtxt(path, delimiter=separator, skiprows=1, ndmin=2)
        except (ValueError, UnicodeDecodeError) as error:
            raise TrainingError("data", f"{path}: {str(error).splitlines()[0]}", f"head {path}") from error
        if not len(table):
            raise TrainingError("data", f"{path} has no ratings", f"head {path}")
        if table.shape[1] != 4:
            cause = f"{path} has {table.shape[1]} columns: user, item, rating and time are expected"
            raise TrainingError("data", cause, f"head {path}")
        return path, table
    names = " or ".join(name for name, _ in LAYOUTS)
    raise TrainingError("data", f"{folder} has no {names}", "a folder of MovieLens: ml-20m, ml-25m or ml-100k")
