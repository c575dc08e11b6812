"""What belongs to each data set: its reader, its size, how much is generated, how answers are scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_prompts import readers
from llm_prompts.readers import Sample


@dataclass(frozen=True)
class Format:
    """A data set. `count` is the official number of samples, None where any number will do."""

    read: Callable[[Path, Any], list[Sample]]
    metric: str
    longest: int
    shortest: int = 1
    count: int | None = None
    cut: dict[str, list[int]] = field(default_factory=dict)


# Limits on new tokens are those of the reference implementations (mlcommons/inference, language/).
FORMATS: dict[str, Format] = {
    "xsum": Format(readers.xsum, "rouge", longest=40),
    "cnndm-gptj": Format(readers.cnndm_gptj, "rouge", longest=128, shortest=30, count=13368),
    "cnndm-llama3": Format(readers.cnndm_tokenised, "rouge", longest=128, count=13368),
    "cnndm-llama3-edge": Format(readers.cnndm_tokenised, "rouge", longest=128, count=5000),
    "openorca": Format(readers.openorca, "rouge", longest=1024, count=24576),
    "mixtral": Format(
        readers.mixtral,
        "mixtral",
        longest=1024,
        shortest=2,
        count=15000,
        cut={"MBXP": [13, 13940, 28832, 13]},  # "\n```\n", the end of a block of code
    ),
    "llama3.1-405b": Format(readers.long_context, "long-context", longest=20000, count=8313),
    "deepseek-r1": Format(readers.deepseek, "reasoning", longest=20000, count=4388),
    "gpt-oss": Format(readers.gpt_oss, "reasoning-repeated", longest=32768, count=4395),
    "gpt-oss-performance": Format(readers.gpt_oss_performance, "none", longest=10240, count=6396),
}


@dataclass(frozen=True)
class Shape:
    """Random prompts: how many token ids there are, shortest and longest prompt, new tokens."""

    vocabulary: int
    shortest: int
    longest: int
    new_tokens: int


SHAPES: dict[str, Shape] = {
    "smollm2": Shape(49152, 100, 400, 32),
    "gptj": Shape(50257, 200, 1919, 128),
    "llama2-70b": Shape(32000, 30, 1024, 1024),
    "llama3.1-8b": Shape(128000, 100, 2500, 128),
    "llama3.1-405b": Shape(128000, 1000, 20000, 20000),
    "mixtral-8x7b": Shape(32000, 30, 1024, 1024),
    "deepseek-r1": Shape(128000, 30, 3136, 20000),
    "gpt-oss-120b": Shape(199998, 30, 3000, 10240),
}
