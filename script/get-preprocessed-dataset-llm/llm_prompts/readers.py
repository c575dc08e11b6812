"""One reader per official file format: path in, samples out. Raises OSError or ValueError naming the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_prompts.tables import columns

# What GPT-J was fine-tuned with (the Alpaca form); the benchmark prescribes it to the letter.
_GPTJ_PROMPT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
)
_GPTJ_LONGEST = 1919  # with 128 new tokens it fits into 2048
_DEEPSEEK_LONGEST = 32 * 1024
_XSUM_CHARACTERS = range(401, 1500)


@dataclass(frozen=True)
class Sample:
    """A tokenised prompt, the answer it is compared with, and the data set or metric that the answer belongs to."""

    tokens: Sequence[int]
    target: str
    kind: str = ""


def xsum(path: Path, tokenizer: Any) -> list[Sample]:
    """BIG-bench's XSum: articles of 401 to 1499 characters, each to be summarised in a sentence."""
    examples = _get(_json(path), "examples", path)
    return [
        Sample(
            _chat(tokenizer, f"Summarize this article in one sentence:\n{_get(one, 'input', path)}"),
            _get(one, "target", path),
        )
        for one in examples
        if len(_get(one, "input", path)) in _XSUM_CHARACTERS
    ]


def cnndm_gptj(path: Path, tokenizer: Any) -> list[Sample]:
    """cnn_eval.json of GPT-J: instruction, input and output of each article."""
    texts = [
        _GPTJ_PROMPT.format(instruction=_get(one, "instruction", path), input=_get(one, "input", path))
        for one in _json(path)
    ]
    targets = [_get(one, "output", path) for one in _json(path)]
    ids = [tokenizer(text, truncation=True, max_length=_GPTJ_LONGEST)["input_ids"] for text in texts]
    return [Sample(tokens, target) for tokens, target in zip(ids, targets, strict=True)]


def cnndm_tokenised(path: Path, tokenizer: Any) -> list[Sample]:
    """cnn_eval.json of Llama 3.1-8B: prompts are tokenised in it (tok_input)."""
    return [Sample(_get(one, "tok_input", path), _get(one, "output", path)) for one in _json(path)]


def openorca(path: Path, tokenizer: Any) -> list[Sample]:
    """Llama 2: open_orca_gpt4_tokenized_llama.sampled_24576.pkl, also as .gz."""
    return _samples(columns(path, "tok_input", "output"))


def mixtral(path: Path, tokenizer: Any) -> list[Sample]:
    """2024.06.06_mixtral_15k_v4.pkl: OpenOrca, GSM8K and MBXP, told apart by their column `dataset`."""
    return _samples(columns(path, "tok_input", "gt_output", "dataset"))


def long_context(path: Path, tokenizer: Any) -> list[Sample]:
    """Llama 3.1-405B: mlperf_llama3.1_405b_dataset_8313_processed_fp16_eval.pkl; each row names its metric."""
    return _samples(columns(path, "tok_input", "gt_output", "metric"))


def deepseek(path: Path, tokenizer: Any) -> list[Sample]:
    """mlperf_deepseek_r1_dataset_4388_fp8_eval.pkl: text, put into the model's chat form here."""
    return [
        Sample(_chat(tokenizer, text, _DEEPSEEK_LONGEST), str(target), str(kind))
        for text, target, kind in columns(path, "text_input", "ground_truth|gt_output", "dataset")
    ]


def gpt_oss(path: Path, tokenizer: Any) -> list[Sample]:
    """acc_eval_inputs.parquet or .pkl; older files call the tokens tok_input."""
    return _samples(columns(path, "input_tokens|tok_input", "ground_truth", "dataset"))


def gpt_oss_performance(path: Path, tokenizer: Any) -> list[Sample]:
    """perf_eval_ref.parquet or .pkl: prompts without answers."""
    return [Sample(tokens, "") for (tokens,) in columns(path, "input_tokens|tok_input")]


def _samples(rows: Iterable[tuple[Any, ...]]) -> list[Sample]:
    return [Sample(row[0], *map(str, row[1:])) for row in rows]


def _chat(tokenizer: Any, text: str, longest: int | None = None) -> list[int]:
    """Tokens of the text as a user's turn, with the start of the answer."""
    limits = {"truncation": True, "max_length": longest} if longest else {}
    tokens: list[int] = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=True, return_dict=False, **limits
    )
    return tokens


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path} is not a JSON file: {error}") from error


def _get(entry: Any, key: str, path: Path) -> Any:
    if not isinstance(entry, dict) or key not in entry:
        found = ", ".join(map(str, entry)) if isinstance(entry, dict) else type(entry).__name__
        raise ValueError(f"{path}: an entry has no {key!r} (it has {found})")
    return entry[key]
