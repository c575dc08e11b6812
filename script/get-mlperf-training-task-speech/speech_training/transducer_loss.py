"""The loss of the recurrent transducer (Graves 2012, arXiv 1211.3711), in plain torch.

All ways through the grid of steps and texts are summed, step by step. Within one step the sum over how many characters
are said in it is a running one: with c the cumulated log probabilities of the text, it is c + logcumsumexp(x - c),
where x is what comes from the step before. So a recording costs as many small operations as it has steps.
"""

from __future__ import annotations

import torch
from torch import Tensor


def transducer_loss(scores: Tensor, texts: Tensor, steps: Tensor, lengths: Tensor, blank: int = 0) -> Tensor:
    """The mean over recordings of -log P(text | recording).

    Args:
        scores: (n, most steps, longest text + 1, outputs), before the softmax.
        texts: int64 (n, longest text), padded with anything; without blanks.
        steps, lengths: int64 (n,), how many steps and characters count; steps at least 1.
    """
    blanks, said = _log_probabilities(scores, texts, blank)
    # c[t, u]: the characters before u, all said at step t
    cumulated = torch.cat([said.new_zeros(*said.shape[:2], 1), said.cumsum(2)], dim=2)
    arrived = torch.full_like(cumulated[:, 0], -torch.inf)
    arrived[:, 0] = 0
    rows = torch.arange(len(steps), device=scores.device)
    total = torch.zeros(len(steps), dtype=torch.float64, device=scores.device)
    for step in range(int(steps.max())):
        within = cumulated[:, step] + torch.logcumsumexp(arrived - cumulated[:, step], dim=1)
        arrived = within + blanks[:, step]
        total = torch.where(steps == step + 1, arrived[rows, lengths], total)
    return -total.mean()


def _log_probabilities(scores: Tensor, texts: Tensor, blank: int) -> tuple[Tensor, Tensor]:
    """Of the blank, (n, steps, length + 1), and of the next character, (n, steps, length); float64 against drift."""
    logs = scores.log_softmax(-1)
    at = texts[:, None, :, None].expand(-1, logs.shape[1], -1, 1)
    said = logs[:, :, :-1].gather(-1, at).squeeze(-1)
    return logs[..., blank].double(), said.double()
