"""Shapes of the benchmarks' models, for the synthetic tier: sizes as published, weights random."""

from __future__ import annotations

from typing import Any

from harness.errors import HarnessError

_LLAMA3 = {
    "model_type": "llama",
    "vocab_size": 128256,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131072,
    "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
    "bos_token_id": 128000,
    "eos_token_id": [128001, 128008, 128009],
}
_LLAMA3_8B = {
    **_LLAMA3,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
}

SHAPES: dict[str, dict[str, Any]] = {
    "smollm2": {
        "model_type": "llama",
        "vocab_size": 49152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
        "eos_token_id": 2,
        "pad_token_id": 2,
    },
    "gptj": {"model_type": "gptj", "n_positions": 2048, "n_embd": 4096, "n_layer": 28, "n_head": 16, "rotary_dim": 64},
    "llama2-70b": {
        "model_type": "llama",
        "vocab_size": 32000,
        "hidden_size": 8192,
        "intermediate_size": 28672,
        "num_hidden_layers": 80,
        "num_attention_heads": 64,
        "num_key_value_heads": 8,
        "max_position_embeddings": 4096,
        "eos_token_id": 2,
    },
    "llama3.1-8b": _LLAMA3_8B,
    "llama3.1-8b-edge": _LLAMA3_8B,
    "llama3.1-405b": {
        **_LLAMA3,
        "hidden_size": 16384,
        "intermediate_size": 53248,
        "num_hidden_layers": 126,
        "num_attention_heads": 128,
    },
    "mixtral-8x7b": {
        "model_type": "mixtral",
        "vocab_size": 32000,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "max_position_embeddings": 32768,
        "eos_token_id": 2,
    },
    # transformers' defaults of these two classes are the published models
    "deepseek-r1": {"model_type": "deepseek_v3"},
    "gpt-oss-120b": {"model_type": "gpt_oss", "num_hidden_layers": 36, "num_local_experts": 128},
}


def config_of(name: str) -> Any:
    """A transformers configuration; raises HarnessError of kind `config` for a model whose shape is not known here."""
    from transformers import AutoConfig

    base = name.replace("-interactive", "").removesuffix("-99.9").removesuffix("-99")
    if base not in SHAPES:
        raise HarnessError("config", f"no shape for {name!r} is known", f"shapes: {', '.join(SHAPES)}")
    shape = dict(SHAPES[base])
    return AutoConfig.for_model(shape.pop("model_type"), **shape)
