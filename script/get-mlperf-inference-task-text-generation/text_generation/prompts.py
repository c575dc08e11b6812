"""A folder of tokenised prompts, as `get-preprocessed-dataset-llm` writes it.

`dataset.json` says what the rest is; `tokens.npy` (int32) holds all prompts one after the other and `offsets.npy`
(int64, count + 1) where each begins; `references.jsonl` has one expected answer per prompt; `tokenizer/` is the
tokenizer that turns answers into text (not needed in the synthetic tier).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from harness.arrays import Array
from harness.config import Tier
from harness.errors import HarnessError
from harness.tasks.base import require
from harness.tasks.files import read_array, read_json

Metric = Literal["none", "rouge", "mixtral", "long-context", "reasoning", "reasoning-repeated"]

_HINT = 'prepare the prompts again: cmr "get preprocessed dataset llm" --new'


class PromptsInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`. `cut` ends an answer of a kind behind a sequence of tokens (Mixtral's code answers)."""

    schema: Literal[1]
    name: str
    tier: Tier
    count: int
    metric: Metric
    max_new_tokens: int
    min_new_tokens: int = 1
    cut: dict[str, list[int]] = {}


class Reference(msgspec.Struct, frozen=True):
    """What a prompt's answer is compared with; `kind` is the data set or the metric it belongs to."""

    target: str
    kind: str = ""


class PromptFolder:
    """The files, opened and checked against each other.

    Raises:
        HarnessError: kind `dataset`, when a file is missing, unreadable or does not fit the others.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info: PromptsInfo = read_json(folder / "dataset.json", PromptsInfo, _HINT)
        self.tokens = _array(folder / "tokens.npy", "int32")
        self.offsets = _array(folder / "offsets.npy", "int64")
        self._check()

    def _check(self) -> None:
        import numpy as np

        info, place = self.info, self.folder
        require(info.count > 0, f"{place}/dataset.json says count {info.count}", _HINT)
        require(
            len(self.offsets) == info.count + 1,
            f"{place}/offsets.npy has {len(self.offsets) - 1} prompts, dataset.json says {info.count}",
            _HINT,
        )
        whole = int(self.offsets[0]) == 0 and int(self.offsets[-1]) == len(self.tokens)
        require(
            whole and bool((np.diff(self.offsets) > 0).all()),
            f"{place}/offsets.npy does not divide the {len(self.tokens)} tokens of tokens.npy into prompts",
            _HINT,
        )
        require(
            0 < info.min_new_tokens <= info.max_new_tokens,
            f"{place}/dataset.json asks for {info.min_new_tokens} to {info.max_new_tokens} new tokens",
            _HINT,
        )

    def prompt(self, index: int) -> tuple[int, ...]:
        """Token ids."""
        return tuple(self.tokens[self.offsets[index] : self.offsets[index + 1]].tolist())

    def lengths(self, indices: list[int]) -> list[int]:
        """Tokens per prompt."""
        lengths: list[int] = (self.offsets[1:][indices] - self.offsets[:-1][indices]).tolist()
        return lengths

    def references(self) -> list[Reference]:
        """Expected answers, in the prompts' order."""
        path = self.folder / "references.jsonl"
        try:
            found = msgspec.json.Decoder(Reference).decode_lines(path.read_bytes())
        except (OSError, msgspec.MsgspecError) as error:
            raise HarnessError("dataset", f"cannot read {path}: {error}", _HINT) from error
        require(len(found) == self.info.count, f"{path} has {len(found)} lines for {self.info.count} prompts", _HINT)
        return found


def _array(path: Path, dtype: str) -> Array:
    array = read_array(path, _HINT)
    require(
        array.dtype == dtype and array.ndim == 1, f"{path} holds {array.dtype} {array.shape}, expected {dtype}", _HINT
    )
    return array
