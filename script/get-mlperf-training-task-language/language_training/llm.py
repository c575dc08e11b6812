"""Language-model pre-training on C4's layout: a Llama or GPT predicts each next token.

Official: Llama 3.1 8B on C4 (en, 3.0.1), 8192 tokens, log perplexity at most 3.3 (training 6.0), and before it GPT-3
175B, 2048 tokens, at most 2.69 from a checkpoint (4.1). The small default is a Llama of two layers on Python's
language reference. The text is held in memory as tokens: of the whole C4, give it the files you want.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from language_training.causal_networks import NETWORKS, build
from language_training.corpora import c4_documents, c4_files
from language_training.sequences import pack
from language_training.vocabulary import END_OF_TEXT, read_tokenizer
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Columns, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch

Summed = tuple[float, int]  # negative log likelihood in nats, tokens


class LanguageModel(Task):
    """Options: ``network`` (a name of `causal_networks.NETWORKS`), ``length`` in tokens, ``eval_sequences``."""

    metric = Metric("log_perplexity", target=4.8, higher_is_better=False)
    recipe = Recipe(
        batch_size=16,
        epochs=10,
        optimizer="adamw",
        learning_rate=3e-3,
        betas=(0.9, 0.95),
        weight_decay=0.1,
        warmup_steps=20,
        schedule="cosine",
        end_learning_rate=3e-4,
        clip_norm=1.0,
        eval_batch_size=32,
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        if setup.data is None:
            raise TrainingError("data", "a language model needs a folder of text", "--c4_path=FOLDER")
        name = setup.option("network", "tiny")
        if name not in NETWORKS:
            raise TrainingError("config", f"there is no language model {name!r}", f"known: {', '.join(NETWORKS)}")
        verify(setup.data)
        self.folder, self.network = setup.data, NETWORKS[name]
        self.length = int(setup.option("length", str(self.network.length)))
        self.tokenizer = read_tokenizer(setup.data)

    def splits(self) -> tuple[Split, Split]:
        """Sequences of one length; documents follow each other, with an end token between them."""
        limit = self.setup.option("eval_sequences", "")
        return self._rows("train", None), self._rows("validation", int(limit) if limit else None)

    def _rows(self, part: str, limit: int | None) -> Columns:
        documents = c4_documents(c4_files(self.folder, part))
        end = self.tokenizer.token_to_id(END_OF_TEXT)
        return Columns(ids=pack(documents, self.tokenizer, self.length, end)[:limit])

    def model(self) -> torch.nn.Module:
        """The network with fresh weights and a vocabulary of the tokeniser's size."""
        return build(self.network, self.tokenizer.get_vocab_size(), self.length)

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Mean cross entropy of each next token."""
        loss: torch.Tensor = model(input_ids=batch["ids"], labels=batch["ids"], use_cache=False).loss
        return loss

    def judge(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Summed:
        """Sum and number, since the last batch is smaller."""
        predicted = batch["ids"].numel() - len(batch["ids"])
        return float(self.loss(model, batch)) * predicted, predicted

    def quality(self, evidence: Sequence[Summed]) -> float:
        """Nats per token."""
        return sum(nats for nats, _ in evidence) / sum(count for _, count in evidence)

    def tokens(self, batch: dict[str, torch.Tensor]) -> int:
        """All of them: nothing is padded."""
        return batch["ids"].numel()
