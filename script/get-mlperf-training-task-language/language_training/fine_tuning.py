"""BERT fine-tuned on SST-2: is a sentence of a film review positive?

The network is any BERT in transformers' format. The small default is MiniLM with its lower layers frozen, which need
no gradients, on film-review sentences in SST-2's layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from language_training.checkpoints import starting_point
from language_training.encoded import EncodedTexts
from language_training.reviews import Reviews, read_sst2
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch


class BertSst2(Task):
    """Options: ``checkpoint`` (folder with config, weights and tokenizer.json), ``frozen_layers`` (default 4),
    ``max_length`` in tokens (default 48), ``eval_samples`` (all by default)."""

    metric = Metric("accuracy", target=0.77)
    recipe = Recipe(
        batch_size=32,
        epochs=12,
        epoch_samples=512,
        optimizer="adamw",
        learning_rate=2e-4,
        warmup_steps=10,
        weight_decay=0.01,
        clip_norm=1.0,
        eval_batch_size=64,
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        if setup.data is None:
            raise TrainingError("data", "fine-tuning needs the folder with train.tsv and dev.tsv", "--sst2_path=FOLDER")
        verify(setup.data)
        self.data = setup.data
        self.checkpoint = starting_point(setup)

    def splits(self) -> tuple[Split, Split]:
        """train.tsv and dev.tsv; test.tsv of GLUE has no labels."""
        limit = self.setup.option("eval_samples", "")
        held_out = read_sst2(self.data / "dev.tsv")
        return self._encoded(read_sst2(self.data / "train.tsv")), self._encoded(held_out, int(limit) if limit else None)

    def _encoded(self, reviews: Reviews, limit: int | None = None) -> EncodedTexts:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.checkpoint / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(int(self.setup.option("max_length", "48")))
        rows = [one.ids for one in tokenizer.encode_batch(reviews.texts[:limit])]
        return EncodedTexts(rows, reviews.labels[:limit])

    def model(self) -> torch.nn.Module:
        """BERT with a fresh head of two classes; embeddings and the lower layers keep their weights."""
        from transformers import BertForSequenceClassification

        network: Any = BertForSequenceClassification.from_pretrained(
            self.checkpoint, num_labels=2, local_files_only=True
        )
        layers = network.bert.encoder.layer
        frozen = int(self.setup.option("frozen_layers", "4"))
        if not 0 <= frozen <= len(layers):
            raise TrainingError("config", f"frozen_layers={frozen}: this BERT has {len(layers)} layers", "")
        for part in (network.bert.embeddings, *layers[:frozen]) if frozen else ():
            part.requires_grad_(False)
        result: torch.nn.Module = network
        return result

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Cross entropy of the two classes."""
        loss: torch.Tensor = model(input_ids=batch["ids"], attention_mask=batch["mask"], labels=batch["labels"]).loss
        return loss

    def judge(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> list[bool]:
        """Which sentences were told rightly."""
        scores = model(input_ids=batch["ids"], attention_mask=batch["mask"]).logits
        told: list[bool] = (scores.argmax(1) == batch["labels"]).tolist()
        return told

    def tokens(self, batch: dict[str, torch.Tensor]) -> int:
        """Without padding."""
        return int(batch["mask"].sum())
