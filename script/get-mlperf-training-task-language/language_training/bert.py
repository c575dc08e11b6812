"""BERT pre-training: hidden tokens and next sentences on MLPerf's Wikipedia text, or on any text in its layout.

Official (rules of training 5.0): BERT-large, 512 tokens, started from a given checkpoint, masked-LM accuracy 0.72 on
10,000 sequences of eval.txt. The small default has two layers of 128 on Python's language reference, from scratch, and
sequences of 20 tokens, which are always of one text: a network that starts from nothing finds its neighbours sooner
among few.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from language_training.corpora import wikipedia_documents, wikipedia_files
from language_training.masking import SPECIAL_PER_PAIR, Pairs, Pieces
from language_training.sequences import pack
from language_training.vocabulary import read_wordpiece
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Columns, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

#: name → (hidden size, layers, heads, inner size, tokens of a sequence, dropout)
NETWORKS: dict[str, tuple[int, int, int, int, int, float]] = {
    "tiny": (128, 2, 4, 256, 20, 0.0),
    "base": (768, 12, 12, 3072, 512, 0.1),
    "large": (1024, 24, 16, 4096, 512, 0.1),
}
EVALUATED = 10_000  # sequences, as the rules have it


class BertPretraining(Task):
    """Options: ``network`` (tiny, base, large), ``checkpoint`` (a folder of transformers' format to start from),
    ``strangers`` (yes: every second pair is of two texts; by default not for tiny, whose sequences are too short)."""

    metric = Metric("masked_lm_accuracy", target=0.12)
    recipe = Recipe(
        batch_size=64,
        epochs=12,
        optimizer="adamw",
        learning_rate=3e-3,
        betas=(0.9, 0.98),
        warmup_steps=100,
        weight_decay=0.01,
        clip_norm=1.0,
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        name = setup.option("network", "tiny")
        if name not in NETWORKS:
            raise TrainingError("config", f"there is no BERT {name!r}", f"known: {', '.join(NETWORKS)}")
        self.network = NETWORKS[name]
        self.folder = _given(setup.data)
        verify(self.folder)
        self.tokenizer = read_wordpiece(self.folder)

    def splits(self) -> tuple[Split, Split]:
        """Training pairs are drawn anew each time; those of the evaluation are drawn once, with a fixed seed."""
        import torch

        train = self._pairs(wikipedia_files(self.folder), None)
        held_out = self._pairs([self.folder / "eval.txt"], EVALUATED)
        fixed = held_out.batch(range(len(held_out)), torch.Generator().manual_seed(0))
        return train, Columns(**fixed)

    def _pairs(self, files: Sequence[Path], limit: int | None) -> Pairs:
        numbers = self.tokenizer.get_vocab()
        pieces = Pieces(numbers["[CLS]"], numbers["[SEP]"], numbers["[MASK]"], len(numbers))
        rows = pack(wikipedia_documents(files), self.tokenizer, self.network[4] - SPECIAL_PER_PAIR)
        strangers = self.setup.option("strangers", "no" if self.setup.option("network", "tiny") == "tiny" else "yes")
        return Pairs(rows[:limit], pieces, strangers == "yes")

    def model(self) -> torch.nn.Module:
        """BERT with both heads of pre-training."""
        from language_training.heads import Pretraining

        return Pretraining(self._bert())

    def _bert(self) -> Any:
        from transformers import BertConfig, BertForPreTraining

        checkpoint = self.setup.option("checkpoint", "")
        if checkpoint:
            return BertForPreTraining.from_pretrained(checkpoint, local_files_only=True)
        return BertForPreTraining(BertConfig(**self.shape(self.tokenizer)))

    def shape(self, tokenizer: Tokenizer) -> dict[str, Any]:
        """The network's sizes in transformers' words."""
        hidden, layers, heads, inner, length, dropout = self.network
        return {
            "vocab_size": tokenizer.get_vocab_size(),
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": inner,
            "max_position_embeddings": length,
            "hidden_dropout_prob": dropout,
            "attention_probs_dropout_prob": dropout,
            # BERT's 0.02 suits its width of 1024; narrow ones hardly start to learn from it
            "initializer_range": 0.02 if hidden >= 768 else 0.08,
        }

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Cross entropy of the hidden tokens plus that of the next sentence."""
        from torch.nn.functional import cross_entropy

        tokens, follows = model(batch["ids"], batch["segments"], batch["positions"])
        return cross_entropy(tokens.flatten(0, 1), batch["labels"].flatten()) + cross_entropy(follows, batch["follows"])

    def judge(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> list[bool]:
        """Which hidden tokens were found."""
        tokens, _ = model(batch["ids"], batch["segments"], batch["positions"])
        found: list[bool] = (tokens.argmax(-1) == batch["labels"]).flatten().tolist()
        return found

    def tokens(self, batch: dict[str, torch.Tensor]) -> int:
        """All of them: nothing is padded."""
        return batch["ids"].numel()


def _given(data: Path | None) -> Path:
    if data is None:
        raise TrainingError("data", "BERT pre-training needs a folder of text", "--wikipedia_path=FOLDER")
    return data
