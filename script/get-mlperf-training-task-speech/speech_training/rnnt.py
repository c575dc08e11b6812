"""RNN-T: MLPerf v1.0 to v3.1, LibriSpeech to a word error rate of 0.058. Small default: recorded words.

The reference writes 1023 word pieces and judges an average of the weights; here characters are written and the weights
are judged as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from speech_training import alphabet
from speech_training.speech import SpeechTask
from trainer.recipe import Recipe
from trainer.task import Batch, Metric

if TYPE_CHECKING:
    import torch


class RnnT(SpeechTask):
    """Further options: `splice`, `hidden`, `lower` and `upper` layers of the encoder, `predicted`, `joint`."""

    metric = Metric("WER", target=0.1, higher_is_better=False)
    recipe = Recipe(
        batch_size=16,
        eval_batch_size=150,
        epochs=20,
        optimizer="adamw",
        learning_rate=3e-3,
        weight_decay=1e-4,
        warmup_steps=20,
        clip_norm=1.0,
    )
    bands = 40

    def model(self) -> torch.nn.Module:
        from speech_training.rnnt_network import Rnnt

        sizes = {name: self.number(name, default) for name, default in _SIZES.items()}
        layers = (self.number("lower", 1), self.number("upper", 1))
        return Rnnt(self.spectrogram.width, alphabet.SIZE, layers=layers, **sizes)

    def loss(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The transducer's, per recording."""
        from speech_training.rnnt_network import steps
        from speech_training.transducer_loss import transducer_loss

        scores = model(batch["features"], batch["frames"], batch["texts"]).float()
        lasting = steps(batch["frames"], self.number("splice", _SIZES["splice"]))
        return transducer_loss(scores, batch["texts"], lasting, batch["lengths"])

    def heard(self, model: torch.nn.Module, batch: Batch) -> list[str]:
        from speech_training.greedy import greedy
        from speech_training.rnnt_network import Rnnt

        rows = greedy(cast(Rnnt, model), batch["features"], batch["frames"])
        return [" ".join(alphabet.decoded(row).split()) for row in rows]

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        return {
            "opt_name": recipe.optimizer,
            "opt_base_learning_rate": recipe.learning_rate,
            "opt_weight_decay": recipe.weight_decay,
            "opt_lamb_epsilon": recipe.epsilon,
            "opt_lamb_beta_1": recipe.betas[0],
            "opt_lamb_beta_2": recipe.betas[1],
            "opt_lamb_learning_rate_min": recipe.end_learning_rate,
            "opt_gradient_clip_norm": recipe.clip_norm or float("inf"),
        }


_SIZES = {"splice": 3, "hidden": 128, "predicted": 64, "joint": 128}
