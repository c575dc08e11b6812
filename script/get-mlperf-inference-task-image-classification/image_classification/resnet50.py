"""ResNet-50 v1.5 (He et al. 2015, stride in the 3x3 convolution), built from transformers' ResNet.

MLPerf's official PyTorch weights (zenodo 4588417, resnet50-19c8e357.pth) use torchvision's parameter names; `rename`
maps them, so that torchvision itself is not needed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.models import weights

_STEM = {
    "conv1": "resnet.embedder.embedder.convolution",
    "bn1": "resnet.embedder.embedder.normalization",
    "fc": "classifier.1",
}
_BLOCK = re.compile(r"layer(\d)\.(\d+)\.(conv|bn|downsample\.)(\d)\.(.+)")


def rename(name: str) -> str:
    """Return the transformers name of a torchvision parameter; an unknown name is returned as it is."""
    match = _BLOCK.fullmatch(name)
    if match is None:
        head, _, rest = name.partition(".")
        return f"{_STEM[head]}.{rest}" if head in _STEM else name
    stage, block, part, number, rest = match.groups()
    prefix = f"resnet.encoder.stages.{int(stage) - 1}.layers.{block}"
    if part == "downsample.":
        return f"{prefix}.shortcut.{('convolution', 'normalization')[int(number)]}.{rest}"
    return f"{prefix}.layer.{int(number) - 1}.{'convolution' if part == 'conv' else 'normalization'}.{rest}"


def build(config: ModelConfig) -> Any:
    """Return the network, its output being the logits; raises HarnessError of kind `weights` or `load`."""
    try:
        from transformers import ResNetConfig, ResNetForImageClassification
    except ImportError as error:
        raise HarnessError(
            "load", "the Python package transformers is not installed", "pip install transformers"
        ) from error
    configuration = ResNetConfig(num_labels=1000, return_dict=False)  # type: ignore[call-arg]
    module = ResNetForImageClassification(configuration)
    if config.weights is not None:
        path = Path(config.weights)
        state = {rename(name): tensor for name, tensor in weights.read_state_dict(path).items()}
        weights.load_into(module, _with_counters(module, state), path)
    return module


def _with_counters(module: Any, state: dict[str, Any]) -> dict[str, Any]:
    """Add BatchNorm's num_batches_tracked, which older files lack and inference does not read."""
    counters = {name: value for name, value in module.state_dict().items() if name.endswith("num_batches_tracked")}
    return {**counters, **state}
