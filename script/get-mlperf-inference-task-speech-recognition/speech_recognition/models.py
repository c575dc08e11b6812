"""Whisper (Radford et al. 2022) as transformers builds it, from a folder in its own format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.engines.base import GenerationModel
from harness.errors import HarnessError

_HINT = "fetch the weights again and compare their checksum"

# Sizes of whisper-large-v3, after its published config.json.
LARGE_V3: dict[str, Any] = {
    "vocab_size": 51866,
    "num_mel_bins": 128,
    "d_model": 1280,
    "encoder_layers": 32,
    "decoder_layers": 32,
    "encoder_attention_heads": 20,
    "decoder_attention_heads": 20,
    "encoder_ffn_dim": 5120,
    "decoder_ffn_dim": 5120,
    "decoder_start_token_id": 50258,
    "bos_token_id": 50257,
    "eos_token_id": 50257,
    "pad_token_id": 50256,
}


def build_whisper(model: ModelConfig) -> GenerationModel:
    """The model in `model.weights` (config.json and safetensors), or large-v3's shape with seeded random weights.

    Raises:
        HarnessError: kind `weights` when files are missing, cut off, or hold another network; `load` without
            transformers.
    """
    try:
        from transformers import WhisperConfig, WhisperForConditionalGeneration
    except ImportError as error:
        cause = "the Python package transformers is not installed"
        raise HarnessError("load", cause, "pip install transformers") from error
    if model.weights is None:
        module = WhisperForConditionalGeneration(WhisperConfig(**LARGE_V3))
    else:
        module = _read(Path(model.weights), WhisperForConditionalGeneration)
    config: Any = module.config
    return GenerationModel(module=module, eos_ids=frozenset({config.eos_token_id}), pad_id=config.pad_token_id)


def _read(folder: Path, kind: Any) -> Any:
    import torch

    _require_whisper(folder)
    try:
        module, found = kind.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, output_loading_info=True, use_safetensors=True
        )
    except Exception as error:  # safetensors, json and torch each raise their own
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise HarnessError("weights", f"the model in {folder} cannot be read: {reason[:200]}", _HINT) from error
    problems = [f"{len(found[key])} {key.replace('_', ' ')}" for key in _FOUND if found[key]]
    if problems:
        raise HarnessError("weights", f"{folder} does not hold its config.json's network: {', '.join(problems)}", _HINT)
    return module


_FOUND = ("missing_keys", "unexpected_keys", "mismatched_keys")


def _require_whisper(folder: Path) -> None:
    import msgspec

    try:
        kind = msgspec.json.decode((folder / "config.json").read_bytes(), type=dict[str, Any]).get("model_type")
    except OSError as error:
        raise HarnessError("weights", f"cannot read {folder}/config.json: {error.strerror}", _HINT) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("weights", f"{folder}/config.json: {error}", _HINT) from error
    if kind != "whisper":
        raise HarnessError("weights", f"{folder} holds a model of type {kind!r}, not whisper", "--model_path=FOLDER")
