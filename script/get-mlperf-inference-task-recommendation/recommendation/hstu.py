"""The shape of DLRM-v3: HSTU (Zhai et al. 2024) over a user's history and the candidates.

Layers and widths are those of the reference (configs.py); the tables of a billion items and ten million users are cut
to 100,000 rows. The official checkpoint (1 TB) is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError


@dataclass(frozen=True)
class HstuShape:
    """Table rows, widths and number of layers."""

    items: int = 100_000
    users: int = 100_000
    categories: int = 128
    table: int = 512
    width: int = 512
    hidden: int = 256
    layers: int = 5
    heads: int = 4
    query: int = 128
    value: int = 128
    actions: int = 5
    action_width: int = 8
    positions: int = 8192


def build(config: ModelConfig) -> Any:
    """A network with seeded random weights, called with history (events, 3), candidates (all, 2) and request (n, 3).

    Returns click probabilities (all candidates,). Raises HarnessError of kind `weights` when weights are given.
    """
    if config.weights is not None:
        raise HarnessError(
            "weights", "the weights of DLRM-v3 cannot be loaded: only its shape is here", "use _synthetic"
        )
    from recommendation.hstu_network import Hstu

    return Hstu(HstuShape())
