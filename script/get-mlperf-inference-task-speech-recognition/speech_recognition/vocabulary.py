"""Tokens of a Whisper model and their texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError

PROMPT = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
LARGE_V3_PROMPT = (50258, 50259, 50360, 50364)  # the same tokens in the shape that synthetic runs have


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that ask for an English transcription; `tokenizer` null where the weights are random."""

    prompt: tuple[int, ...]
    tokenizer: Any = None

    @classmethod
    def of(cls, model: ModelConfig) -> Vocabulary:
        """Read tokenizer.json beside the weights; raises HarnessError of kind `weights` when it will not do."""
        if model.weights is None:
            return cls(LARGE_V3_PROMPT)
        from tokenizers import Tokenizer

        path = Path(model.weights) / "tokenizer.json"
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            hint = "give the whole folder of the model: --model_path=FOLDER"
            raise HarnessError("weights", f"{path} is no tokenizer: {error}", hint) from error
        ids = {token: tokenizer.token_to_id(token) for token in PROMPT}
        missing = [token for token, number in ids.items() if number is None]
        if missing:
            raise HarnessError("weights", f"{path} has no token {missing[0]}: is it a multilingual Whisper?")
        return cls(tuple(number for number in ids.values() if number is not None), tokenizer)

    def text(self, tokens: list[int]) -> str:
        """The tokens' text without the special ones; empty where there is no tokenizer."""
        return str(self.tokenizer.decode(tokens)) if self.tokenizer else ""
