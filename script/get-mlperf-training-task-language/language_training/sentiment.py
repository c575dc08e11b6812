"""Sentiment of film reviews in IMDB's layout, MLPerf's v0.5 candidate: a convolutional or recurrent network on words.

Official: 25,000 reviews for training and as many for the test, accuracy 0.906, two convolutions over word sequences
(Johnson and Zhang 2014) or stacked LSTMs. The small default is the convolutional one on single sentences, from which
less can be learnt: one sentence has twenty words, a review 230.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from language_training.encoded import EncodedTexts
from language_training.reviews import Reviews, read_imdb
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch

PADDING, UNKNOWN = 0, 1
_WORD = re.compile(r"[a-z0-9']+|[!?]")


class Sentiment(Task):
    """Options: ``network`` (conv, lstm), ``words`` of the vocabulary, ``max_length`` in words, ``width``."""

    metric = Metric("accuracy", target=0.75)
    recipe = Recipe(
        batch_size=64, epochs=10, optimizer="adam", learning_rate=3e-3, schedule="constant", eval_batch_size=256
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        if setup.data is None:
            raise TrainingError("data", "sentiment needs the folder aclImdb", "--imdb_path=FOLDER")
        verify(setup.data)
        self.train = read_imdb(setup.data, "train")
        self.held_out = read_imdb(setup.data, "test")
        self.vocabulary = vocabulary(self.train, int(setup.option("words", "10000")))

    def splits(self) -> tuple[Split, Split]:
        """Words outside the vocabulary, which is the training set's, are one."""
        return self._encoded(self.train), self._encoded(self.held_out)

    def _encoded(self, reviews: Reviews) -> EncodedTexts:
        longest = int(self.setup.option("max_length", "400"))
        known = self.vocabulary
        rows = [[known.get(word, UNKNOWN) for word in words(text)[:longest]] or [UNKNOWN] for text in reviews.texts]
        return EncodedTexts(rows, reviews.labels, PADDING)

    def model(self) -> torch.nn.Module:
        """The chosen network."""
        from language_training.sentiment_networks import NETWORKS

        name = self.setup.option("network", "conv")
        if name not in NETWORKS:
            raise TrainingError("config", f"there is no sentiment network {name!r}", f"known: {', '.join(NETWORKS)}")
        return NETWORKS[name](len(self.vocabulary) + 2, int(self.setup.option("width", "64")))

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Cross entropy of the two classes."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(model(batch["ids"], batch["mask"]), batch["labels"])

    def judge(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> list[bool]:
        """Which reviews were told rightly."""
        told: list[bool] = (model(batch["ids"], batch["mask"]).argmax(1) == batch["labels"]).tolist()
        return told

    def tokens(self, batch: dict[str, torch.Tensor]) -> int:
        """Words without padding."""
        return int(batch["mask"].sum())


def words(text: str) -> list[str]:
    """Lower-case words; of the punctuation only what has a mood."""
    return _WORD.findall(text.lower())


def vocabulary(reviews: Reviews, size: int) -> dict[str, int]:
    """The ``size`` most frequent words, numbered from 2; ties in alphabetic order."""
    counted = Counter(word for text in reviews.texts for word in words(text))
    ranked = sorted(counted, key=lambda word: (-counted[word], word))[:size]
    return {word: number for number, word in enumerate(ranked, UNKNOWN + 1)}
