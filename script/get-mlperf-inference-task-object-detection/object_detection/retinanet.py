"""RetinaNet (Lin et al. 2017) over ResNeXt-50 32x4d with a feature pyramid, 264 classes, 800 x 800: MLPerf's detector.

Parameter names are those of the official checkpoint, which was trained with a copy of torchvision's code. 37.1 M
parameters. Post-processing follows the reference: score above 0.05, at most 1000 candidates per level, overlap 0.5, at
most 300 detections.
"""

# Calling a module has no type in torch.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from object_detection.postprocess import Selection, candidates, corners, detections

CLASSES = 264
CHANNELS = 256
SCORE = 0.05
# The threshold is compared with logits: 31 million sigmoids per image are saved.
SELECTION = Selection(threshold=math.log(SCORE / (1 - SCORE)), overlap=0.5, candidates=1000, most=300)
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZES = (32, 64, 128, 256, 512)  # side of the smallest anchor of each level
RATIOS = (0.5, 1.0, 2.0)  # height over width
LARGEST_GROWTH = math.log(1000 / 16)


class FrozenBatchNorm(nn.Module):
    """Batch normalisation with constant statistics and no counter of batches."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight: Tensor
        self.bias: Tensor
        self.running_mean: Tensor
        self.running_var: Tensor
        for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((channels,), value))

    def forward(self, x: Tensor) -> Tensor:
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=1e-5)


class Bottleneck(nn.Module):
    """One residual block: 1x1, 3x3 in 32 groups, 1x1."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 2 * width
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), FrozenBatchNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, groups=32, bias=False)
        self.bn2 = FrozenBatchNorm(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), FrozenBatchNorm(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(convolution, FrozenBatchNorm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.bn1(self.conv1(x)).relu_()
        x = self.bn2(self.conv2(x)).relu_()
        return (self.bn3(self.conv3(x)) + shortcut).relu_()


class Body(nn.Module):
    """ResNeXt-50 without its classifier; gives the outputs of its last three stages."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), FrozenBatchNorm(64)
        self.layer1 = self._stage(64, 128, 3, 1)
        self.layer2 = self._stage(256, 256, 4, 2)
        self.layer3 = self._stage(512, 512, 6, 2)
        self.layer4 = self._stage(1024, 1024, 3, 2)

    @staticmethod
    def _stage(inputs: int, width: int, blocks: int, stride: int) -> nn.Sequential:
        rest = (Bottleneck(2 * width, width, 1) for _ in range(blocks - 1))
        return nn.Sequential(Bottleneck(inputs, width, stride), *rest)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = functional.max_pool2d(self.bn1(self.conv1(x)).relu_(), 3, 2, 1)
        stages = [self.layer1(x)]
        for stage in (self.layer2, self.layer3, self.layer4):
            stages.append(stage(stages[-1]))
        return stages[1:]


class Pyramid(nn.Module):
    """Feature pyramid with two further levels: three maps in, five of 256 channels out."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (512, 1024, 2048)
        self.inner_blocks = nn.ModuleList(nn.Conv2d(channels, CHANNELS, 1) for channels in inputs)
        self.layer_blocks = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in inputs)
        self.extra_blocks = nn.ModuleDict({name: nn.Conv2d(CHANNELS, CHANNELS, 3, 2, 1) for name in ("p6", "p7")})

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        merged: list[Tensor] = []
        for block, features in reversed(list(zip(self.inner_blocks, maps, strict=True))):
            lateral = block(features)
            if merged:
                lateral = lateral + functional.interpolate(merged[0], size=lateral.shape[-2:], mode="nearest")
            merged.insert(0, lateral)
        levels = [block(features) for block, features in zip(self.layer_blocks, merged, strict=True)]
        p6 = self.extra_blocks["p6"](levels[-1])
        return [*levels, p6, self.extra_blocks["p7"](p6.relu())]


class Tower(nn.Module):
    """Four convolutions and a last one, shared by all levels. `name` is the last one's in the checkpoint."""

    def __init__(self, name: str, values: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(4):
            layers += [nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.ReLU()]
        self.conv = nn.Sequential(*layers)
        self.add_module(name, nn.Conv2d(CHANNELS, 9 * values, 3, padding=1))
        self._name, self._values = name, values
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.get_parameter("bias"))

    def forward(self, features: Tensor) -> Tensor:
        """(n, 256, h, w) → (n, h * w * 9, values)."""
        x = self.get_submodule(self._name)(self.conv(features))
        n, _, height, width = x.shape
        return x.view(n, 9, self._values, height, width).permute(0, 3, 4, 1, 2).reshape(n, -1, self._values)


class RetinaNet(nn.Module):
    """Images (n, 3, 800, 800) with values 0 to 1 → detections (n, 300, 6), see `postprocess.detections`."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.ModuleDict({"body": Body(), "fpn": Pyramid()})
        classes, boxes = Tower("cls_logits", CLASSES), Tower("bbox_reg", 4)
        nn.init.constant_(classes.get_parameter("cls_logits.bias"), -math.log(99))  # a prior of 1 %
        self.head = nn.ModuleDict({"classification_head": classes, "regression_head": boxes})

    def forward(self, images: Tensor) -> Tensor:
        levels = self.backbone["fpn"](self.backbone["body"](_normalised(images)))
        found = [self._candidates(level, size, images) for level, size in zip(levels, SIZES, strict=True)]
        image, rows = (torch.cat(parts) for parts in zip(*found, strict=True))
        result = detections(image, rows, len(images), SELECTION)
        result[..., 4].sigmoid_()  # padding becomes 0
        return result

    def _candidates(self, level: Tensor, size: int, images: Tensor) -> tuple[Tensor, Tensor]:
        height, width = images.shape[-2:]
        # float32 whatever the precision of the weights: bfloat16 cannot tell pixel 797 from pixel 800
        logits = self.head["classification_head"](level).float()
        offsets = self.head["regression_head"](level).float()
        boxes = decode(offsets, anchors(level, size, (height, width)))
        boxes[..., 0::2].clamp_(0, width)
        boxes[..., 1::2].clamp_(0, height)
        return candidates(boxes, logits, SELECTION)


def anchors(level: Tensor, size: int, image: tuple[int, int]) -> Tensor:
    """Anchor boxes of one level, (h * w * 9, 4), in pixels of an image of (height, width)."""
    rows, columns = level.shape[-2:]
    # float32 is torch's default, and independent of the weights' precision
    scales = torch.tensor([float(size), int(size * 2 ** (1 / 3)), int(size * 2 ** (2 / 3))], device=level.device)
    ratios = torch.tensor(RATIOS, device=level.device).sqrt()
    wide, high = (scales / ratios[:, None]).flatten(), (scales * ratios[:, None]).flatten()
    cell = (torch.stack([-wide, -high, wide, high], dim=1) / 2).round()
    down = torch.arange(rows, device=level.device).float() * (image[0] // rows)
    right = torch.arange(columns, device=level.device).float() * (image[1] // columns)
    y, x = torch.meshgrid(down, right, indexing="ij")
    shift = torch.stack([x, y, x, y], dim=-1).view(-1, 1, 4)
    return (shift + cell).view(-1, 4)


def decode(offsets: Tensor, anchor: Tensor) -> Tensor:
    """Boxes from anchors (k, 4) and the network's offsets (n, k, 4)."""
    size = anchor[:, 2:] - anchor[:, :2]
    centre = anchor[:, :2] + size / 2
    growth = offsets[..., 2:].clamp(max=LARGEST_GROWTH).exp()
    return corners(centre + offsets[..., :2] * size, size * growth)


def _normalised(images: Tensor) -> Tensor:
    mean, deviation = (images.new_tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return (images - mean) / deviation
