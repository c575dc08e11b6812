"""DeepSpeech2 with CTC: MLPerf v0.5's speech benchmark, LibriSpeech to a word error rate of 0.23."""

from __future__ import annotations

from typing import TYPE_CHECKING

from speech_training import alphabet
from speech_training.speech import SpeechTask
from trainer.recipe import Recipe
from trainer.task import Batch, Metric

if TYPE_CHECKING:
    import torch


class DeepSpeech2(SpeechTask):
    """Further options: `channels` of the convolutions, `hidden` and `layers` of the recurrent part."""

    metric = Metric("WER", target=0.1, higher_is_better=False)
    recipe = Recipe(
        batch_size=24,
        eval_batch_size=50,
        epochs=20,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=1e-4,
        clip_norm=1.0,
    )

    def model(self) -> torch.nn.Module:
        from speech_training.deepspeech2_network import DeepSpeech2 as Network

        sizes = (self.number("channels", 8), self.number("hidden", 96), self.number("layers", 1))
        return Network(self.spectrogram.width, alphabet.SIZE, *sizes)

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """CTC, per character."""
        from torch.nn.functional import ctc_loss

        from speech_training.deepspeech2_network import steps

        scores = model(batch["features"], batch["frames"]).float()
        # a text too long for its recording cannot be aligned: it gives no gradient instead of an infinite one
        return ctc_loss(
            scores.transpose(0, 1), batch["texts"], steps(batch["frames"]), batch["lengths"], zero_infinity=True
        )

    def heard(self, model: torch.nn.Module, batch: Batch) -> list[str]:
        """The most probable character of every step, repeated ones once."""
        from speech_training.deepspeech2_network import steps

        best = model(batch["features"], batch["frames"]).argmax(-1).cpu()
        lengths = steps(batch["frames"]).tolist()
        rows = [row[:length].unique_consecutive().tolist() for row, length in zip(best, lengths, strict=True)]
        return [" ".join(alphabet.decoded(row).split()) for row in rows]
