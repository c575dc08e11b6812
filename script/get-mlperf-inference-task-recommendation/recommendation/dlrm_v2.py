"""DLRM-v2 with the official weights, or seeded random ones with small tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError
from recommendation import snapshot
from recommendation.shapes import SYNTHETIC_ROWS, DlrmShape


def build(config: ModelConfig) -> Any:
    """The network, called with dense (pairs, 13) and sparse (pairs, 214); click probabilities (pairs,).

    Full tables need 104 GB of memory. Without weights no table has more than SYNTHETIC_ROWS rows.

    Raises:
        HarnessError: kind `weights`.
    """
    from recommendation.networks import DlrmDcn

    if config.weights is None:
        return DlrmDcn(DlrmShape().cut(SYNTHETIC_ROWS)).randomize()
    return load(DlrmShape(), Path(config.weights))


def load(shape: DlrmShape, metadata: Path) -> Any:
    """A network of `shape` with the weights of the snapshot whose list is the file `metadata`.

    Raises:
        HarnessError: kind `weights`, when a tensor is missing, of another shape or not all there.
    """
    from recommendation.networks import DlrmDcn

    pieces = snapshot.read_pieces(metadata)
    module = DlrmDcn(shape)
    tensors = torchrec_names(module)
    missing = [name for name in tensors if name not in pieces]
    if missing:
        some = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        raise HarnessError("weights", f"the snapshot {metadata} lacks {len(missing)} tensors ({some})")
    for name, tensor in tensors.items():
        snapshot.fill(tensor, pieces[name], name)
    return module


def torchrec_names(module: Any) -> dict[str, Any]:
    """The network's tensors by the names that they have in torchrec's DLRM_DCN inside a DLRMTrain."""
    tables = "model.sparse_arch.embedding_bag_collection.embedding_bags.t_cat_"
    cross = "model.inter_arch.crossnet"
    named = {f"{tables}{number}.weight": table.data for number, table in enumerate(module.tables)}
    for number, (down, up) in enumerate(zip(module.cross.down, module.cross.up, strict=True)):
        named[f"{cross}.V_kernels.{number}"] = down.weight.data
        named[f"{cross}.W_kernels.{number}"] = up.weight.data
        named[f"{cross}.bias.{number}"] = up.bias.data[:, None]
    bottom, top = module.bottom[::2], module.top[::2]
    layers = {f"model.dense_arch.model._mlp.{number}._linear": layer for number, layer in enumerate(bottom)}
    layers |= {f"model.over_arch.model.0._mlp.{number}._linear": layer for number, layer in enumerate(top[:-1])}
    layers["model.over_arch.model.1"] = top[-1]
    for name, layer in layers.items():
        named |= {f"{name}.weight": layer.weight.data, f"{name}.bias": layer.bias.data}
    return named
