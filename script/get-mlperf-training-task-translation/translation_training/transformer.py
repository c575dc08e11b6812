"""Translation with the transformer of Vaswani et al. 2017, as MarianMT of transformers has it; quality is BLEU.

Official (rules of training 0.7): WMT17 English to German, transformer big, BLEU 25 on newstest2014, beams of 4 with
length penalty 0.6. The small default is one layer on each side, on numbers in words, with greedy search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Metric, Setup, Split, Task
from translation_training.pairs import Pairs, read_lines
from translation_training.vocabulary import END, PADDING, START, read

if TYPE_CHECKING:
    import torch

Translated = tuple[list[str], list[str]]  # hypotheses, references


@dataclass(frozen=True)
class Shape:
    """Sizes of a transformer; ``length`` is the most tokens of a line."""

    hidden: int
    layers: int
    heads: int
    inner: int
    length: int
    dropout: float


NETWORKS = {
    "tiny": Shape(64, 1, 4, 128, 32, 0.0),
    "base": Shape(512, 6, 8, 2048, 256, 0.1),
    "big": Shape(1024, 6, 16, 4096, 256, 0.3),
}


class Translation(Task):
    """Options: ``network`` (tiny, base, big), ``source`` and ``target`` (suffixes: en, de), ``test`` (file name
    before the suffix), ``beams``."""

    metric = Metric("bleu", target=25.0)
    recipe = Recipe(
        batch_size=64,
        epochs=15,
        optimizer="adam",
        betas=(0.9, 0.98),
        learning_rate=3e-3,
        warmup_steps=50,
        clip_norm=1.0,
        label_smoothing=0.1,
        eval_batch_size=64,
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        if setup.data is None:
            raise TrainingError("data", "translation needs a folder with pairs of lines", "--wmt_path=FOLDER")
        name = setup.option("network", "tiny")
        if name not in NETWORKS:
            raise TrainingError("config", f"there is no transformer {name!r}", f"known: {', '.join(NETWORKS)}")
        verify(setup.data)
        self.data, self.shape = setup.data, NETWORKS[name]
        self.tokenizer = read(setup.data)

    def splits(self) -> tuple[Split, Split]:
        """train.* and the test set."""
        return self._pairs("train"), self._pairs(self.setup.option("test", "newstest"))

    def _pairs(self, name: str) -> Pairs:
        languages = (self.setup.option("source", "en"), self.setup.option("target", "de"))
        source, target = read_lines(self.data, name, languages)
        return Pairs(source, target, self.tokenizer, self.shape.length)

    def model(self) -> torch.nn.Module:
        """MarianMT with fresh weights; source, target and output share one embedding, as in the paper."""
        from transformers import MarianConfig, MarianMTModel

        shape, vocabulary = self.shape, self.tokenizer.get_vocab_size()
        config: Any = MarianConfig(
            vocab_size=vocabulary,
            decoder_vocab_size=vocabulary,
            d_model=shape.hidden,
            encoder_layers=shape.layers,
            decoder_layers=shape.layers,
            encoder_attention_heads=shape.heads,
            decoder_attention_heads=shape.heads,
            encoder_ffn_dim=shape.inner,
            decoder_ffn_dim=shape.inner,
            activation_function="relu",
            dropout=shape.dropout,
            attention_dropout=0.0,
            scale_embedding=True,
            max_position_embeddings=shape.length + 1,
            pad_token_id=PADDING,
            bos_token_id=START,
            eos_token_id=END,
            decoder_start_token_id=START,
            forced_eos_token_id=None,
            share_encoder_decoder_embeddings=True,
        )
        network: torch.nn.Module = MarianMTModel(config)
        return network

    def loss(self, model: torch.nn.Module, batch: dict[str, Any]) -> torch.Tensor:
        """Cross entropy of each next token of the target, with smoothed labels."""
        from torch.nn.functional import cross_entropy

        scores = model(
            input_ids=batch["source"],
            attention_mask=(batch["source"] != PADDING).long(),
            decoder_input_ids=batch["target"],
            use_cache=False,
        ).logits
        smoothing = self.recipe.label_smoothing
        labels = batch["labels"].flatten()
        return cross_entropy(scores.flatten(0, 1), labels, ignore_index=PADDING, label_smoothing=smoothing)

    def judge(self, model: torch.nn.Module, batch: dict[str, Any]) -> Translated:
        """Translations beside the references."""
        network: Any = model
        found = network.generate(
            input_ids=batch["source"],
            attention_mask=(batch["source"] != PADDING).long(),
            max_new_tokens=self.shape.length - 1,
            num_beams=int(self.setup.option("beams", "1")),
            length_penalty=0.6,
            do_sample=False,
        )
        lines = self.tokenizer.decode_batch(found.tolist(), skip_special_tokens=True)
        return [line.strip() for line in lines], list(batch["reference"])

    def quality(self, evidence: Sequence[Translated]) -> float:
        """BLEU points of the whole test set, as sacrebleu counts them (its own tokeniser, case matters)."""
        from sacrebleu import corpus_bleu

        translations = [line for lines, _ in evidence for line in lines]
        references = [line for _, lines in evidence for line in lines]
        return float(corpus_bleu(translations, [references]).score)

    def tokens(self, batch: dict[str, Any]) -> int:
        """Of both sides, without padding."""
        return int((batch["source"] != PADDING).sum() + (batch["labels"] != PADDING).sum())
