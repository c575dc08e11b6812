"""Neural collaborative filtering: which film did this person see next?

MLPerf v0.5 has ml-20m, 999 negatives and HR@10 of 0.635. Small default: MovieLens 100k with 99 negatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from recommendation_training.negatives import Unseen, candidates
from recommendation_training.ratings import Feedback, read_feedback
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Columns, Metric, Split, Task

if TYPE_CHECKING:
    import torch

#: unseen items per seen one in training
NEGATIVES = 4
TOP = 10


class Interactions:
    """The seen pairs, each followed by pairs with items that the user did not see, which are drawn in every epoch."""

    def __init__(self, feedback: Feedback) -> None:
        self._feedback = feedback
        self._unseen = Unseen(feedback, with_held_out=False)

    def __len__(self) -> int:
        return len(self._feedback.users) * (1 + NEGATIVES)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """Users, items (int64) and labels (float, 1 for seen); sample k is of pair k // (1 + NEGATIVES)."""
        import torch

        chosen = torch.as_tensor(indices)
        pairs, seen = chosen // (1 + NEGATIVES), chosen % (1 + NEGATIVES) == 0
        users, items = self._feedback.users[pairs], self._feedback.items[pairs]
        items = torch.where(seen, items, self._unseen.draw(users, draw))
        return {"users": users, "items": items, "labels": seen.float()}


class Ncf(Task):
    """NeuMF. Options: `factors`, `layers`, `negatives` (of the evaluation), `ratings` (how many the data must have)."""

    metric = Metric("HR@10", target=0.635)
    recipe = Recipe(batch_size=1024, eval_batch_size=128, epochs=20, optimizer="adam", learning_rate=2e-3)

    @cached_property
    def feedback(self) -> Feedback:
        """The ratings in the data folder."""
        folder = self.setup.data
        if folder is None:
            raise TrainingError("data", "ncf needs a folder of MovieLens", "--movielens_path=FOLDER")
        verify(folder)
        expected = self.setup.option("ratings", "")
        return read_feedback(folder, int(expected) if expected else None)

    def splits(self) -> tuple[Split, Split]:
        """Pairs with drawn negatives; and one row per user, whose first item is the held-out one."""
        import torch

        count = int(self.setup.option("negatives", "99"))
        lists = candidates(self.feedback, count)
        return Interactions(self.feedback), Columns(users=torch.arange(self.feedback.user_count), items=lists)

    def model(self) -> torch.nn.Module:
        from recommendation_training.neumf import NeuMF

        layers = [int(width) for width in self.setup.option("layers", "64 32 16 8").split()]
        factors = int(self.setup.option("factors", "8"))
        return NeuMF(self.feedback.user_count, self.feedback.item_count, factors, layers)

    def loss(self, model: torch.nn.Module, batch: Any) -> torch.Tensor:
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(model(batch["users"], batch["items"]), batch["labels"])

    def judge(self, model: torch.nn.Module, batch: Any) -> Any:
        """Whether the held-out item is among the ten best of its list; ties count half of their places against it."""
        items = batch["items"]
        scores = model(batch["users"].unsqueeze(1).expand_as(items), items)
        own, others = scores[:, :1], scores[:, 1:]
        better = (others > own).sum(1) + 0.5 * (others == own).sum(1)
        return (better < TOP).cpu()
