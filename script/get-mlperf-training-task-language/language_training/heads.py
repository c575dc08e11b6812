"""BERT as pre-training calls it: the vocabulary is scored at the hidden positions only, a seventh of the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from transformers import BertForPreTraining


class Pretraining(nn.Module):
    """Scores (n, hidden, vocabulary) of the tokens at ``positions`` (n, hidden), and (n, 2) of the next sentence."""

    def __init__(self, network: BertForPreTraining) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, ids: torch.Tensor, segments: torch.Tensor, positions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """All arguments int64; ``ids`` and ``segments`` (n, length)."""
        encoded = self.network.bert(input_ids=ids, token_type_ids=segments)
        hidden = encoded.last_hidden_state
        chosen = hidden.gather(1, positions[..., None].expand(-1, -1, hidden.shape[-1]))
        tokens, follows = self.network.cls(chosen, encoded.pooler_output)
        return tokens, follows
