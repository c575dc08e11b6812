"""The networks by name. Those of the literature are transformers' own classes, with a first layer for small images."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    from torch import nn

#: pictures of fewer pixels a side get a first layer that does not shrink them
LARGE = 64


def build(name: str, channels: int, classes: int, side: int) -> nn.Module:
    """A fresh network for square pictures; TrainingError of kind `config` for a name that is none."""
    known: dict[str, Callable[[int, int, int], nn.Module]] = {
        "resnet8": _resnet8,
        "airbench": _airbench,
        "resnet18": lambda *shape: _resnet(
            *shape, layer_type="basic", hidden_sizes=[64, 128, 256, 512], depths=[2] * 4
        ),
        "resnet50": lambda *shape: _resnet(*shape),
        "efficientnet": _efficientnet,
        "efficientnet-b0": lambda *shape: _efficientnet_b0(*shape),
        "vit": _vit,
        "vit-b16": _vit_b16,
    }
    if name not in known:
        raise TrainingError("config", f"there is no network {name!r} for images", f"known: {', '.join(known)}")
    return known[name](channels, classes, side)


def _resnet8(channels: int, classes: int, side: int) -> nn.Module:
    from image_training.whitened import Shape, Whitened

    widths = (32, 64, 64) if side >= 24 else (16, 32, 32)
    return Whitened(Shape(channels, classes, widths))


def _airbench(channels: int, classes: int, side: int) -> nn.Module:
    from image_training.airbench import build_airbench

    return build_airbench(channels, classes)


def _logits(network: nn.Module) -> nn.Module:
    from image_training.logits import Logits

    return Logits(network)


def _resnet(channels: int, classes: int, side: int, **config: Any) -> nn.Module:
    from torch import nn
    from transformers import ResNetConfig, ResNetForImageClassification

    shape: dict[str, Any] = {"num_channels": channels, "num_labels": classes, **config}
    network = ResNetForImageClassification(ResNetConfig(**shape))
    if side < LARGE:
        stem: Any = network.resnet.embedder
        stem.pooler = nn.Identity()
        stem.embedder.convolution = nn.Conv2d(channels, network.config.embedding_size, 3, padding=1, bias=False)
    return _logits(network)


def _efficientnet(channels: int, classes: int, side: int) -> nn.Module:
    """EfficientNet's blocks, three of seven stages at half the width, for pictures of 16 to 32 pixels."""
    stages: dict[str, Any] = {
        "kernel_sizes": [3, 3, 3],
        "in_channels": [32, 32, 48],
        "out_channels": [32, 48, 80],
        "depthwise_padding": [],
        "strides": [1, 2, 2],
        "num_block_repeats": [1, 1, 2],
        "expand_ratios": [1, 4, 4],
    }
    half: dict[str, Any] = {"width_coefficient": 0.5, "depth_coefficient": 1.0, "hidden_dim": 640, "dropout_rate": 0.1}
    return _efficientnet_of(channels, classes, side, drop_connect_rate=0.0, **stages, **half)


def _efficientnet_b0(channels: int, classes: int, side: int) -> nn.Module:
    b0: dict[str, Any] = {"width_coefficient": 1.0, "depth_coefficient": 1.0, "hidden_dim": 1280, "dropout_rate": 0.2}
    return _efficientnet_of(channels, classes, side, **b0)


def _efficientnet_of(channels: int, classes: int, side: int, **config: Any) -> nn.Module:
    from transformers import EfficientNetConfig, EfficientNetForImageClassification

    size: dict[str, Any] = {"num_channels": channels, "num_labels": classes, "image_size": side}
    network = EfficientNetForImageClassification(EfficientNetConfig(**size, **config))
    if side < LARGE:
        network.efficientnet.embeddings.convolution.stride = (1, 1)
    network.apply(_afresh)
    return _logits(network)


def _afresh(module: nn.Module) -> None:
    """torch's own start values: transformers' let the signal vanish in EfficientNet, which it never trains anew."""
    from torch import nn

    if isinstance(module, (nn.Conv2d, nn.BatchNorm2d, nn.Linear)):
        module.reset_parameters()
    if isinstance(module, nn.BatchNorm2d):
        module.momentum = 0.1  # TensorFlow's 0.99 means what torch calls 0.01


def _vit(channels: int, classes: int, side: int) -> nn.Module:
    """Four layers of 64 features over patches of 4 × 4 pixels."""
    # a spread of 0.02 is meant for wide layers: with 64 features the first epochs would teach nothing
    small = {"hidden_size": 64, "num_hidden_layers": 4, "intermediate_size": 128, "initializer_range": 0.1}
    return _vit_of(channels, classes, side, 4, heads=4, **small)


def _vit_b16(channels: int, classes: int, side: int) -> nn.Module:
    return _vit_of(channels, classes, side, 16, hidden_size=768, num_hidden_layers=12, intermediate_size=3072, heads=12)


def _vit_of(channels: int, classes: int, side: int, patch: int, *, heads: int, **config: Any) -> nn.Module:
    from transformers import ViTConfig, ViTForImageClassification

    size: dict[str, Any] = {"num_channels": channels, "num_labels": classes, "image_size": side, "patch_size": patch}
    return _logits(ViTForImageClassification(ViTConfig(num_attention_heads=heads, **size, **config)))
