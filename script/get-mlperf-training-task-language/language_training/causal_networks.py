"""Sizes of language models, and the networks that transformers builds of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Shape:
    """Sizes of a decoder. ``groups`` key-value heads serve all ``heads``; ``vocabulary`` is the official one's."""

    family: str
    hidden: int
    layers: int
    heads: int
    groups: int
    inner: int
    length: int
    vocabulary: int
    rope: float = 10_000.0


NETWORKS = {
    "tiny": Shape("llama", 128, 2, 4, 4, 256, 64, 2000),
    "tiny-gpt": Shape("gpt", 128, 2, 4, 4, 512, 64, 2000),
    "smollm2-135m": Shape("llama", 576, 30, 9, 3, 1536, 2048, 49_152, 100_000.0),
    "llama31-8b": Shape("llama", 4096, 32, 32, 8, 14_336, 8192, 128_256, 500_000.0),
    "gpt3-175b": Shape("gpt", 12_288, 96, 96, 96, 49_152, 2048, 51_200),
}


def build(shape: Shape, vocabulary: int, length: int) -> torch.nn.Module:
    """A network with fresh weights for sequences of up to ``length`` of ``vocabulary`` tokens."""
    return (_gpt if shape.family == "gpt" else _llama)(shape, vocabulary, length)


def _gpt(shape: Shape, vocabulary: int, length: int) -> torch.nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=length,
        n_embd=shape.hidden,
        n_layer=shape.layers,
        n_head=shape.heads,
        n_inner=shape.inner,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    network: torch.nn.Module = GPT2LMHeadModel(config)
    return network


def _llama(shape: Shape, vocabulary: int, length: int) -> torch.nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        max_position_embeddings=length,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.groups,
        intermediate_size=shape.inner,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope},
    )
    network: torch.nn.Module = LlamaForCausalLM(config)
    return network
