"""HSTU in plain torch; imported only when a model is built."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recommendation.hstu import HstuShape


class SwishNorm(nn.Module):
    """x · sigmoid(norm(x))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, value: Tensor) -> Tensor:
        """(n, width) → (n, width)."""
        return value * torch.sigmoid(self.norm(value))


class HstuLayer(nn.Module):
    """Pointwise attention: SiLU in the place of softmax, gated by u, over jagged sequences."""

    def __init__(self, shape: HstuShape) -> None:
        super().__init__()
        gated, asked = shape.heads * shape.value, shape.heads * shape.query
        self.heads, self.split = shape.heads, [gated, gated, asked, asked]
        self.scale = shape.query**-0.5
        self.input_norm = nn.LayerNorm(shape.width, eps=1e-6)
        self.uvqk = nn.Linear(shape.width, sum(self.split))
        self.output_norm = nn.LayerNorm(gated, eps=1e-6)
        self.output = nn.Linear(3 * gated, shape.width, bias=False)

    def forward(self, value: Tensor, lengths: list[int], masks: list[Tensor]) -> Tensor:
        """(tokens of all sequences, width) → the same; `masks` say who attends to whom in each sequence."""
        u, v, q, k = torch.split(self.uvqk(self.input_norm(value)), self.split, dim=1)
        u = functional.silu(u)
        parts = zip(*(torch.split(one, lengths) for one in (q, k, v)), masks, strict=True)
        attended = torch.cat([self._attend(*part) for part in parts])
        mixed = torch.cat([u, attended, u * self.output_norm(attended)], dim=1)
        after: Tensor = value + self.output(mixed)
        return after

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        length = len(q)
        q, k, v = (one.view(length, self.heads, -1).transpose(0, 1) for one in (q, k, v))
        weights = functional.silu(q @ k.transpose(1, 2) * self.scale) * mask / length
        mixed: Tensor = (weights @ v).transpose(0, 1).reshape(length, -1)
        return mixed


class Hstu(nn.Module):
    """Embeds user, events and candidates, runs the layers, and scores each candidate."""

    def __init__(self, shape: HstuShape) -> None:
        super().__init__()
        self.shape = shape
        self.items = nn.Embedding(shape.items, shape.table)
        self.categories = nn.Embedding(shape.categories, shape.table)
        self.users = nn.Embedding(shape.users, shape.table)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.actions = nn.Parameter(torch.randn(shape.actions, shape.action_width))
        self.unknown_action = nn.Parameter(torch.randn(1, shape.actions * shape.action_width))
        action = shape.actions * shape.action_width
        self.user_mlp = nn.Linear(shape.table, shape.width)
        self.content_mlp = _mlp(shape.table, shape.hidden, shape.width)
        self.category_mlp = _mlp(shape.table, shape.hidden, shape.width)
        self.action_mlp = _mlp(action, shape.hidden, shape.width)
        self.candidate_mlp = _mlp(2 * shape.table, 512, shape.width)
        self.layers = nn.ModuleList(HstuLayer(shape) for _ in range(shape.layers))
        self.final_norm = nn.LayerNorm(shape.width)
        self.score = nn.Sequential(nn.Linear(shape.width, 512), SwishNorm(512), nn.Linear(512, 1))

    def forward(self, history: Tensor, candidates: Tensor, request: Tensor) -> Tensor:
        """int (events, 3), (candidates, 2), (n, 3: user, events, candidates) → probabilities (candidates,)."""
        events, ranked = request[:, 1].tolist(), request[:, 2].tolist()
        past = self._tokens(history, self._actions(history[:, 2]))
        future = self._tokens(candidates, self.unknown_action.expand(len(candidates), -1))
        users = self.user_mlp(self.users(request[:, :1]))
        groups = zip(users, torch.split(past, events), torch.split(future, ranked), strict=True)
        value = torch.cat([self._placed(torch.cat(group), len(group[2])) for group in groups])
        lengths = [1 + before + after for before, after in zip(events, ranked, strict=True)]
        masks = [_mask(1 + before, after, value) for before, after in zip(events, ranked, strict=True)]
        for layer in self.layers:
            value = layer(value, lengths, masks)
        ends = zip(torch.split(value, lengths), ranked, strict=True)
        interest = self.final_norm(torch.cat([sequence[-count:] for sequence, count in ends]))
        wanted = self.candidate_mlp(torch.cat([self.items(candidates[:, 0]), self.categories(candidates[:, 1])], dim=1))
        return torch.sigmoid(self.score(interest * wanted).squeeze(1))

    def _tokens(self, rows: Tensor, actions: Tensor) -> Tensor:
        content = self.content_mlp(self.items(rows[:, 0])) + self.category_mlp(self.categories(rows[:, 1]))
        token: Tensor = content + self.action_mlp(actions)
        return token

    def _actions(self, bits: Tensor) -> Tensor:
        places = torch.arange(self.shape.actions, device=bits.device)
        taken = (bits[:, None] >> places) & 1
        return (taken[:, :, None].to(self.actions.dtype) * self.actions).flatten(1)

    def _placed(self, sequence: Tensor, candidates: int) -> Tensor:
        """Candidates stand side by side at the place after the history."""
        past = len(sequence) - candidates
        place = torch.arange(len(sequence), device=sequence.device).clamp(max=min(past, self.shape.positions - 1))
        placed: Tensor = sequence + self.positions(place)
        return placed


def _mask(past: int, candidates: int, like: Tensor) -> Tensor:
    """1 where a token may look: user and events at what came before, candidates at all of that and themselves."""
    length = past + candidates
    mask = torch.ones(length, length, dtype=like.dtype, device=like.device).tril()
    mask[past:, past:] = torch.eye(candidates, dtype=like.dtype, device=like.device)
    return mask


def _mlp(before: int, hidden: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, hidden), SwishNorm(hidden), nn.Linear(hidden, after), nn.LayerNorm(after))
