"""The torch modules; imported only when a model is built."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForQuestionAnswering, BertModel

from question_answering.selection import SLOTS

ABSENT = -2.0  # below every cosine


class SpanExtractor(nn.Module):
    """Start and end logits of each token."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    @staticmethod
    def bert_large() -> SpanExtractor:
        """Shape of MLPerf's bert_config.json."""
        config = BertConfig(
            hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096, vocab_size=30522
        )
        return SpanExtractor(BertForQuestionAnswering(config))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """int64 (n, length) each → (n, length, 2)."""
        hidden = self.network.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        logits: Tensor = self.network.qa_outputs(hidden)
        return logits


class SentenceSelector(nn.Module):
    """Cosine between the question's embedding and each sentence's, all of them in one packed sequence.

    Tokens attend to their own segment only, and an embedding is the mean over the segment's tokens (Reimers and
    Gurevych 2019), so that each text is embedded as if it were alone.
    """

    segment_numbers: Tensor

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("segment_numbers", torch.arange(1, SLOTS + 2), persistent=False)

    @staticmethod
    def from_config(config: Any) -> SentenceSelector:
        """The network of a config.json, without its pooler."""
        return SentenceSelector(BertModel(config, add_pooling_layer=False))

    def forward(self, input_ids: Tensor, segments: Tensor, positions: Tensor) -> Tensor:
        """int64 (n, length) each, segment 0 is padding → cosines (n, SLOTS), `ABSENT` where there is no sentence."""
        same = segments[:, None, :, None] == segments[:, None, None, :]
        hidden = self.network(input_ids=input_ids, attention_mask=same, position_ids=positions).last_hidden_state
        member = (segments[:, None, :] == self.segment_numbers[None, :, None]).to(hidden.dtype)
        embedded = nn.functional.normalize(member @ hidden, dim=-1)
        cosine = (embedded[:, 1:] @ embedded[:, :1].transpose(1, 2)).squeeze(-1)
        return cosine.masked_fill(member[:, 1:].sum(-1) == 0, ABSENT)
