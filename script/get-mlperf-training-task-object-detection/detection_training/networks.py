"""The networks: the references' own, and small ones of the same shape for pictures of 128 pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import resnet34
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.ssd import SSD
from torchvision.models.resnet import BasicBlock
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign

from trainer.errors import TrainingError

#: SSD's default boxes on 300 pixels (Liu et al. 2016); the references' sizes are 21, 45, 99 … 315 pixels
SSD_SCALES = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05]
SSD_RATIOS = [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
SSD_STEPS = [8, 16, 32, 64, 100, 300]


def maskrcnn_resnet50(classes: int, backbone: Path | None) -> nn.Module:
    """MLPerf's Mask R-CNN: ResNet-50 with feature pyramid, shorter side 800 pixels. ``backbone``: ImageNet weights."""
    pyramid = resnet_fpn_backbone(backbone_name="resnet50", weights=None, trainable_layers=3 if backbone else 5)
    if backbone:
        _weights(pyramid.body, backbone)
    network: nn.Module = MaskRCNN(pyramid, classes, min_size=800, max_size=1333)
    return network


def _weights(network: nn.Module, path: Path) -> None:
    """Load ImageNet weights; those of the classifier are not needed."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        missing = network.load_state_dict(found, strict=False).missing_keys
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError("data", f"{path}: no readable weights ({reason})", "a torchvision checkpoint") from error
    if missing:
        raise TrainingError(
            "data", f"{path}: not of this backbone, {missing[0]} is not there", "a torchvision checkpoint"
        )


class Stages(nn.Module):
    """A small residual network; the features of its stages at strides 4, 8, 16 …, by number."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        stem = nn.Conv2d(3, widths[0], 5, stride=2, padding=2, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True))
        inputs = (widths[0], *widths)
        self.stages = nn.ModuleList(_block(inputs[place], width) for place, width in enumerate(widths))

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Pictures [N, 3, H, W] to features [N, width, H / stride, W / stride]."""
        features, found = self.stem(pictures), {}
        for place, stage in enumerate(self.stages):
            features = found[str(place)] = stage(features)
        return found


def _block(inputs: int, width: int) -> nn.Module:
    shortcut = nn.Sequential(nn.Conv2d(inputs, width, 1, stride=2, bias=False), nn.BatchNorm2d(width))
    block: nn.Module = BasicBlock(inputs, width, stride=2, downsample=shortcut)
    return block


class Pyramid(nn.Module):
    """`Stages` with a feature pyramid over them."""

    def __init__(self, widths: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.body = Stages(widths)
        self.fpn = FeaturePyramidNetwork(list(widths), channels)
        self.out_channels = channels

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Features of ``out_channels`` channels at each stride."""
        found: dict[str, Tensor] = self.fpn(self.body(pictures))
        return found


def maskrcnn_small(classes: int, size: int) -> nn.Module:
    """The same shape with three stages of 32, 64 and 96 channels (0.65 M parameters)."""
    channels = 48
    levels = ["0", "1", "2"]
    anchors = AnchorGenerator(sizes=((24,), (44,), (72,)), aspect_ratios=((0.5, 1.0, 2.0),) * 3)
    settings: dict[str, Any] = {
        "rpn_pre_nms_top_n_train": 400, "rpn_post_nms_top_n_train": 100,
        "rpn_pre_nms_top_n_test": 200, "rpn_post_nms_top_n_test": 50,
        "box_batch_size_per_image": 48, "box_detections_per_img": 20,
    }  # fmt: skip
    network: nn.Module = MaskRCNN(
        Pyramid((32, 64, 96), channels),
        min_size=size,
        max_size=size,
        rpn_anchor_generator=anchors,
        box_roi_pool=MultiScaleRoIAlign(levels, 5, 2),
        box_head=TwoMLPHead(channels * 25, 192),
        box_predictor=_predictor(192, classes),
        mask_roi_pool=MultiScaleRoIAlign(levels, 14, 2),
        mask_head=MaskRCNNHeads(channels, (channels, channels), 1),
        mask_predictor=MaskRCNNPredictor(channels, channels, classes),
        **settings,
    )
    return network


def _predictor(width: int, classes: int) -> nn.Module:
    from torchvision.models.detection.faster_rcnn import FastRCNNPredictor

    predictor: nn.Module = FastRCNNPredictor(width, classes)
    return predictor


class ResNet34Features(nn.Module):
    """MLPerf's SSD backbone: ResNet-34 up to its third stage, which keeps stride 8, and five further maps."""

    def __init__(self, weights: Path | None) -> None:
        super().__init__()
        network = resnet34()
        if weights:
            _weights(network, weights)
        network.layer3[0].conv1.stride = network.layer3[0].downsample[0].stride = (1, 1)
        stem = (network.conv1, network.bn1, network.relu, network.maxpool)
        self.body = nn.Sequential(*stem, network.layer1, network.layer2, network.layer3)
        plan = (
            (256, 256, 512, 2, 1),
            (512, 256, 512, 2, 1),
            (512, 128, 256, 2, 1),
            (256, 128, 256, 1, 0),
            (256, 128, 256, 1, 0),
        )
        self.extra = nn.ModuleList(_further(*one) for one in plan)
        self.out_channels = [256, 512, 512, 256, 256, 256]

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Maps of 38, 19, 10, 5, 3 and 1 cells a side for pictures of 300 pixels."""
        found = [self.body(pictures)]
        for block in self.extra:
            found.append(block(found[-1]))
        return {str(place): features for place, features in enumerate(found)}


def _further(inputs: int, middle: int, outputs: int, stride: int, padding: int) -> nn.Module:
    block = nn.Sequential(
        nn.Conv2d(inputs, middle, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(middle, outputs, 3, stride=stride, padding=padding),
        nn.ReLU(inplace=True),
    )
    for layer in block:
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
    return block


def ssd_resnet34(classes: int, backbone: Path | None) -> nn.Module:
    """MLPerf's SSD: 300 pixels, 8732 default boxes."""
    boxes = DefaultBoxGenerator(SSD_RATIOS, scales=SSD_SCALES, steps=SSD_STEPS)
    network: nn.Module = SSD(ResNet34Features(backbone), boxes, (300, 300), classes)
    return network


class SmallFeatures(Stages):
    """The stages at strides 8, 16, 32 and 64."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__(widths)
        self.out_channels = list(widths[1:])

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """All but the finest."""
        found = super().forward(pictures)
        return {name: features for name, features in found.items() if name != "0"}


def ssd_small(classes: int, size: int) -> nn.Module:
    """The same shape with five stages."""
    boxes = DefaultBoxGenerator([[2], [2], [2]], scales=[0.25, 0.38, 0.52, 0.7], steps=[8, 16, 32])
    network: nn.Module = SSD(SmallFeatures((32, 64, 96, 128)), boxes, (size, size), classes, detections_per_img=20)
    return network
