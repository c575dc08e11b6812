"""Relational graph attention network (Busbridge et al. 2019): three layers, one attention of four heads per relation.

The arithmetic is that of DGL's HeteroGraphConv over GATConv in the MLPerf reference, with its parameter names; the
order of two steps is changed. GATConv projects every source node and then takes weighted sums. A sum of projections is
the projection of the sum, and there are about ten times fewer targets than sources: so sums come first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from graph_classification.graph import Graph
from graph_classification.sampling import FANOUTS, Edges, Sampler, Subgraph
from harness.arrays import Array

HIDDEN, HEADS, SLOPE = 512, 4, 0.2


class Attention(nn.Module):
    """GATConv of one relation, `inputs` → 512 in four heads."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        width = HIDDEN // HEADS
        self.attn_l = nn.Parameter(torch.empty(1, HEADS, width))
        self.attn_r = nn.Parameter(torch.empty(1, HEADS, width))
        self.fc = nn.Linear(inputs, HIDDEN, bias=False)
        self.bias = nn.Parameter(torch.zeros(HIDDEN))
        for weight in (self.attn_l, self.attn_r, self.fc.weight):
            nn.init.xavier_uniform_(weight)

    def forward(self, source: Tensor, target: Tensor, edges: tuple[Tensor, Tensor]) -> Tensor:
        """Source features (s, inputs), target features (t, inputs), edges sorted by target as two (m,) → (t, 512)."""
        sender, receiver = edges
        heads = self.fc.weight.view(HEADS, HIDDEN // HEADS, -1)
        left = source @ torch.einsum("hwi,hw->ih", heads, self.attn_l[0])
        right = target @ torch.einsum("hwi,hw->ih", heads, self.attn_r[0])
        score = functional.leaky_relu(left[sender] + right[receiver], SLOPE)
        weight = softmax_by(score, receiver, len(target))
        projected = [
            weighted_sums(source, sender, receiver, weight[:, head], len(target)) @ heads[head].T
            for head in range(HEADS)
        ]
        return torch.cat(projected, dim=1) + self.bias


def weighted_sums(source: Tensor, sender: Tensor, receiver: Tensor, weight: Tensor, targets: int) -> Tensor:
    """For each target the weighted sum of its senders' features, (targets, inputs); `receiver` must be sorted.

    embedding_bag reads each row and adds it, where gathering and scattering would write every edge's features twice.
    """
    starts = torch.searchsorted(receiver, torch.arange(targets, device=receiver.device))
    return functional.embedding_bag(sender, source, starts, mode="sum", per_sample_weights=weight)


def softmax_by(score: Tensor, group: Tensor, groups: int) -> Tensor:
    """Softmax of (m, heads) within the rows of each group."""
    index = group[:, None].expand_as(score)
    highest = score.new_full((groups, score.shape[1]), -torch.inf).scatter_reduce(0, index, score, "amax")
    power = (score - highest[group]).exp()
    total = score.new_zeros(groups, score.shape[1]).index_add_(0, group, power)
    return power / total[group]


class Layer(nn.Module):
    """The sum of all relations' attentions."""

    def __init__(self, relations: Sequence[str], inputs: int) -> None:
        super().__init__()
        self.mods = nn.ModuleDict({name: Attention(inputs) for name in relations})


class RGAT(nn.Module):
    """Numbers of nodes (n, 1) → logits (n, classes). The graph is part of the module: it samples as it runs.

    The graph stays in host memory; what was sampled travels to the device of the weights.
    """

    def __init__(self, graph: Graph, seed: int = 0) -> None:
        super().__init__()
        self._graph = graph
        self._ends = {relation.name: (relation.source, relation.target) for relation in graph.relations}
        self._sampler = Sampler(graph.relations, graph.info.predicted, FANOUTS)
        self._rng = np.random.default_rng(seed)
        widths = [graph.info.width, *[HIDDEN] * (len(FANOUTS) - 1)]
        self.layers = nn.ModuleList(Layer(list(self._ends), width) for width in widths)
        self.linear = nn.Linear(HIDDEN, graph.info.classes)

    def forward(self, nodes: Tensor) -> Tensor:
        seeds, place = np.unique(nodes.flatten().cpu().numpy(), return_inverse=True)
        part = self._sampler.sample(seeds, self._rng)
        x = {kind: self._features(kind, found) for kind, found in part.nodes.items() if len(found)}
        for number, layer in enumerate(self.layers):
            x = self._convolve(layer, x, part, hops=len(FANOUTS) - number)
            if number < len(self.layers) - 1:
                x = {kind: functional.leaky_relu(value) for kind, value in x.items()}
        predicted = x.get(self._graph.info.predicted)
        if predicted is None:  # no asked node has a neighbour
            predicted = self.linear.weight.new_zeros(len(seeds), HIDDEN)
        return self.linear(predicted)[torch.from_numpy(place).to(nodes.device)]  # type: ignore[no-any-return]

    def _features(self, kind: str, nodes: Array) -> Tensor:
        rows = torch.from_numpy(np.ascontiguousarray(self._graph.features[kind][nodes]))
        return rows.to(device=self.linear.weight.device, dtype=self.linear.weight.dtype)

    def _convolve(self, layer: nn.Module, x: dict[str, Tensor], part: Subgraph, hops: int) -> dict[str, Tensor]:
        """New features of the nodes known before hop `hops`, from all edges of the hops up to it."""
        result: dict[str, Tensor] = {}
        for name, module in layer.get_submodule("mods").named_children():
            source, target = self._ends[name]
            edges = joined([hop[name] for hop in part.hops[:hops] if name in hop])
            # as in DGL, a relation without edges in this batch adds nothing, not even its bias
            if edges is None or source not in x or target not in x:
                continue
            there = x[target][: part.known[target][hops - 1]]
            new = module(x[source], there, tuple(ends.to(there.device) for ends in edges))
            result[target] = result[target] + new if target in result else new
        return result


def joined(edges: Sequence[Edges]) -> tuple[Tensor, Tensor] | None:
    """All edges of several hops, sorted by target; None when there are none."""
    if not edges:
        return None
    source, target = (np.concatenate([getattr(part, end) for part in edges]) for end in ("source", "target"))
    order = np.argsort(target, kind="stable")
    return torch.from_numpy(source[order]), torch.from_numpy(target[order])
