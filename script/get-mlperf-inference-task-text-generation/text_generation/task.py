"""The task: prompts in, tokens out, answers scored as the benchmark's reference does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from harness.arrays import Array
from harness.config import RunConfig
from harness.outcome import Quality
from harness.tasks.base import Prompt, TaskDefaults, require, require_tier
from text_generation import scoring
from text_generation.prompts import PromptFolder, Reference


class TextGeneration(TaskDefaults):
    """A response is the new tokens as int32, the ending one included, as in the reference implementations."""

    generates: ClassVar[bool] = True

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._data = PromptFolder(Path(config.dataset))
        require_tier(config, self._data.info.tier, self._data.folder)
        self._require_vocabulary()
        self.count = self._data.info.count
        self.sample_bytes = max(1, self._data.tokens.nbytes // self.count)
        self._kinds: list[Reference] = self._data.references() if self._data.info.cut else []

    def _require_vocabulary(self) -> None:
        """Prompts of another model's tokenizer would ask for embeddings that are not there."""
        config = Path(self._config.model.weights or "") / "config.json"
        if not self._config.model.weights or not config.is_file():
            return  # the architecture says what it thinks of such weights
        known = msgspec.json.decode(config.read_bytes()).get("vocab_size")
        largest = int(self._data.tokens.max())
        require(
            known is None or largest < known,
            f"{self._data.folder} has token {largest}, the model {self._config.model.weights} knows {known}",
            "prepare the prompts with the tokenizer of this model",
        )

    def prompt(self, index: int) -> Prompt:
        """Tokens and limits."""
        info = self._data.info
        tokens = self._data.prompt(index)
        return Prompt(tokens=tokens, max_new_tokens=info.max_new_tokens, min_new_tokens=info.min_new_tokens)

    def lengths(self, indices: list[int]) -> list[int]:
        """Tokens per prompt."""
        return self._data.lengths(indices)

    def encode_tokens(self, tokens: list[int], index: int) -> Array:
        """The tokens; code answers are cut behind their closing sequence (Mixtral)."""
        import numpy as np

        stop = self._data.info.cut.get(self._kinds[index].kind) if self._kinds else None
        return np.array(until(tokens, stop) if stop else tokens, dtype=self.token_dtype)

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json, the folder and how long prompts are."""
        facts: dict[str, Any] = msgspec.to_builtins(self._data.info)
        mean = len(self._data.tokens) / self.count
        return {**facts, "folder": str(self._data.folder), "mean_prompt_tokens": round(mean, 1)}

    def quality(self, log_dir: Path) -> Quality | None:
        """Score the accuracy log and write accuracy.txt beside it; None in the synthetic tier."""
        if self._data.info.metric == "none":
            return None
        return scoring.score(self._data, log_dir, self._config, self.token_dtype)


def until(tokens: list[int], stop: list[int]) -> list[int]:
    """The tokens up to the end of the first occurrence of `stop`; all of them when there is none."""
    for start in range(len(tokens) - len(stop) + 1):
        if tokens[start : start + len(stop)] == stop:
            return tokens[: start + len(stop)]
    return tokens
