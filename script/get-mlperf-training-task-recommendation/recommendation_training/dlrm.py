"""DLRM: will this person click?

MLPerf v0.7 to v2.1 has Criteo's terabyte and an AUC of 0.8025. Small default: MovieLens 100k, where a click is a rating
of four stars or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from recommendation_training.pairs import COUNTS, Pairs, read_arrays, read_terabyte
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Metric, Split, Task

if TYPE_CHECKING:
    import torch


class Dlrm(Task):
    """Options: `bottom` and `top`, the widths of the two perceptrons."""

    metric = Metric("AUC", target=0.775)
    recipe = Recipe(
        batch_size=1024, eval_batch_size=8192, epochs=6, optimizer="adamw", learning_rate=3e-3, weight_decay=1e-2
    )

    @cached_property
    def pairs(self) -> tuple[Pairs, Pairs]:
        """Training and test pairs."""
        folder = self.setup.data
        if folder is None:
            raise TrainingError("data", "dlrm needs a folder of click logs", "--criteo_path=FOLDER")
        verify(folder)
        if (folder / COUNTS).is_file() or not (folder / "training").is_dir():
            return read_terabyte(folder)
        return read_arrays(folder / "training"), read_arrays(folder / "test")

    def splits(self) -> tuple[Split, Split]:
        return self.pairs

    def model(self) -> torch.nn.Module:
        from recommendation_training.dlrm_network import Dlrm as Network

        train, test = self.pairs
        rows = [max(counts) for counts in zip(train.rows, test.rows, strict=True)]
        return Network(rows, train.dense.shape[1], self._widths("bottom", "64 16"), self._widths("top", "64 32"))

    def loss(self, model: torch.nn.Module, batch: Any) -> torch.Tensor:
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(model(batch["dense"], batch["sparse"]), batch["labels"])

    def judge(self, model: torch.nn.Module, batch: Any) -> Any:
        """Scores and labels."""
        return model(batch["dense"], batch["sparse"]).float().cpu(), batch["labels"].cpu()

    def quality(self, evidence: Sequence[Any]) -> float:
        """The area under the ROC curve; TrainingError where all labels are the same."""
        import torch
        from sklearn.metrics import roc_auc_score

        scores, labels = (torch.cat([one[part] for one in evidence]).numpy() for part in (0, 1))
        if labels.min() == labels.max():
            raise TrainingError("data", "all labels of the test set are the same: there is no AUC", "")
        return float(roc_auc_score(labels, scores))

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        return {
            "opt_base_learning_rate": recipe.learning_rate,
            "opt_learning_rate_warmup_steps": recipe.warmup_steps,
            "sgd_opt_base_learning_rate": recipe.learning_rate,
        }

    def _widths(self, name: str, default: str) -> list[int]:
        return [int(width) for width in self.setup.option(name, default).split()]
