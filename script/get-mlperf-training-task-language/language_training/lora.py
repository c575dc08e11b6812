"""LoRA fine-tuning (Hu et al. 2021): small matrices beside the attention's own are trained, all else is frozen.

Official: Llama 2 70B on GovReport (SCROLLS), 8192 tokens, rank 16, evaluation loss at most 0.925. The small default
is SmolLM2-135M on Python's language reference; its matrices sit in the upper layers only, so that the lower half
needs no backward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from language_training.checkpoints import starting_point
from language_training.llm import Summed
from language_training.tuning_data import read_rows
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Columns, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch


class LowRankAdaptation(Task):
    """Options: ``checkpoint`` (folder of a causal model), ``rank``, ``alpha``, ``dropout``, ``modules`` (names,
    separated by commas), ``upper_layers`` (how many get matrices; 0: all), ``length``, ``eval_sequences``."""

    metric = Metric("eval_loss", target=3.2, higher_is_better=False)
    recipe = Recipe(
        batch_size=4,
        epochs=4,
        epoch_samples=32,
        optimizer="adamw",
        learning_rate=1e-3,
        warmup_steps=2,
        clip_norm=0.3,
        weight_decay=1e-4,
        eval_batch_size=8,
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        if setup.data is None:
            raise TrainingError("data", "fine-tuning needs a folder of text", "--govreport_path=FOLDER")
        verify(setup.data)
        self.data = setup.data
        self.checkpoint = starting_point(setup)

    def _number(self, name: str, default: int) -> int:
        text = self.setup.option(name, str(default))
        if not text.isdecimal():
            raise TrainingError("config", f"{name}={text!r} is no whole number", f"--{name}={default}")
        return int(text)

    def splits(self) -> tuple[Split, Split]:
        """Token rows with labels; -100 where nothing is to be learnt (the prompt)."""
        length = self._number("length", 128)
        train = read_rows(self.data, "train", self.checkpoint, length)
        held_out = read_rows(self.data, "validation", self.checkpoint, length)
        kept = self._number("eval_sequences", 0) or None
        return train, Columns(**{name: column[:kept] for name, column in held_out.columns.items()})

    def model(self) -> torch.nn.Module:
        """The frozen model with its trainable matrices, as `peft` puts them in."""
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        network: Any = AutoModelForCausalLM.from_pretrained(self.checkpoint, local_files_only=True)
        layers = network.config.num_hidden_layers
        upper = self._number("upper_layers", 0) or layers
        adapters = LoraConfig(
            r=self._number("rank", 16),
            lora_alpha=self._number("alpha", 32),
            lora_dropout=float(self.setup.option("dropout", "0.1")),
            target_modules=self.setup.option("modules", "q_proj,k_proj,v_proj,o_proj").split(","),
            layers_to_transform=list(range(layers - upper, layers)),
            task_type="CAUSAL_LM",
        )
        adapted: torch.nn.Module = get_peft_model(network, adapters)
        return adapted

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Mean cross entropy of the labelled tokens."""
        loss: torch.Tensor = model(input_ids=batch["input_ids"], labels=batch["labels"], use_cache=False).loss
        return loss

    def judge(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Summed:
        """Sum over the labelled tokens, and how many they are."""
        labelled = int((batch["labels"][:, 1:] != -100).sum())
        return float(self.loss(model, batch).detach()) * labelled, labelled

    def quality(self, evidence: Sequence[Summed]) -> float:
        """Nats per labelled token."""
        return sum(nats for nats, _ in evidence) / sum(count for _, count in evidence)

    def tokens(self, batch: dict[str, torch.Tensor]) -> int:
        """All of them: nothing is padded."""
        return batch["input_ids"].numel()
