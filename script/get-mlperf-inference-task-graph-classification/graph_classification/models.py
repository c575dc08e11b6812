"""R-GAT by name: `build(ModelConfig) -> torch.nn.Module`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.config import ModelConfig
from harness.errors import HarnessError

HINT = 'make it again: cmr "get ml-model rgat"'


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """rgat.json: the graph's folder, and the checkpoint; without one the weights are random, from a seed."""

    graph: str
    checkpoint: str = ""
    seed: int = 0


def build_rgat(model: ModelConfig) -> Any:
    """R-GAT with its graph; `weights` is rgat.json (see Parts).

    Raises:
        HarnessError: kind `weights` or `dataset`.
    """
    from graph_classification.graph import Graph
    from graph_classification.rgat import RGAT

    parts = read_parts(Path(model.weights or "rgat.json"))
    graph = Graph(Path(parts.graph))
    if not parts.checkpoint and graph.info.tier != "synthetic":
        raise HarnessError("weights", f"random weights on a graph of tier {graph.info.tier!r} mean nothing", HINT)
    import torch

    torch.manual_seed(parts.seed)
    module = RGAT(graph, parts.seed)
    if parts.checkpoint:
        load_checkpoint(module, Path(parts.checkpoint))
    return module


def read_parts(path: Path) -> Parts:
    """Read rgat.json. Raises HarnessError of kind `weights`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Parts)
    except OSError as error:
        raise HarnessError("weights", f"cannot read {path}: {error.strerror}", HINT) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("weights", f"{path}: {error}", HINT) from error


def load_checkpoint(module: Any, path: Path) -> None:
    """Weights from the reference's checkpoint (`model_state_dict`, each name behind `model.`) or a state dict.

    Raises:
        HarnessError: kind `weights`.
    """
    import torch

    from harness.models import weights

    if not path.is_file():
        raise HarnessError("weights", f"weights file {path} does not exist", f"ls -l {path.parent}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        state = content.get("model_state_dict", content)
        named = {name.removeprefix("model."): value.float() for name, value in state.items()}
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise HarnessError("weights", f"weights file {path} cannot be read: {reason[:200]}", HINT) from error
    weights.load_into(module, named, path)
