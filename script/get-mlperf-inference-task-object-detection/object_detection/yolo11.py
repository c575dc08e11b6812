"""YOLO11 in size l (Jocher and Qiu 2024), 80 classes, 640 x 640: 25.4 M parameters.

Written from the published architecture, so that neither ultralytics (AGPL) nor torchvision is needed; parameter names
are those of the published checkpoints. Post-processing as in MLPerf's reference: score above 0.001, the best class of
each box only, overlap 0.7, at most 300 detections; but the input is always square, where ultralytics cuts the grey bars
down to a multiple of 32 pixels.
"""

# Calling a module has no type in torch.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from object_detection.postprocess import Selection, candidates, detections

CLASSES = 80
BINS = 16  # a distance is the mean of a distribution over so many steps
STRIDES = (8, 16, 32)
SELECTION = Selection(threshold=0.001, overlap=0.7, candidates=1000, most=300)


class Conv(nn.Module):
    """Convolution, batch normalisation, SiLU."""

    def __init__(self, inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)
        self.act: nn.Module = nn.SiLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


def linear(inputs: int, outputs: int, size: int = 1, groups: int = 1) -> Conv:
    """A Conv without activation."""
    conv = Conv(inputs, outputs, size, groups=groups)
    conv.act = nn.Identity()
    return conv


class Bottleneck(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1, self.cv2 = Conv(channels, channels, 3), Conv(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.cv2(self.cv1(x))


class C3k(nn.Module):
    """Two paths, one of them through two bottlenecks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.cv1, self.cv2, self.cv3 = Conv(channels, half), Conv(channels, half), Conv(2 * half, channels)
        self.m = nn.Sequential(Bottleneck(half), Bottleneck(half))

    def forward(self, x: Tensor) -> Tensor:
        return self.cv3(torch.cat([self.m(self.cv1(x)), self.cv2(x)], dim=1))


class C3k2(nn.Module):
    """Two C3k in a row; all that enters and leaves them is gathered at the end."""

    def __init__(self, inputs: int, outputs: int, share: float = 0.5) -> None:
        super().__init__()
        width = int(outputs * share)
        self.cv1, self.cv2 = Conv(inputs, 2 * width), Conv(4 * width, outputs)
        self.m = nn.ModuleList([C3k(width), C3k(width)])

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.cv1(x).chunk(2, dim=1))
        for block in self.m:
            parts.append(block(parts[-1]))
        return self.cv2(torch.cat(parts, dim=1))


class SPPF(nn.Module):
    """Spatial pyramid pooling by three 5x5 poolings in a row."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1, self.cv2 = Conv(channels, channels // 2), Conv(2 * channels, channels)
        self.m = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(self.m(parts[-1]))
        return self.cv2(torch.cat(parts, dim=1))


class Attention(nn.Module):
    """Self-attention over positions, heads of 64 channels with keys of 32."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = channels // 64
        self.qkv = linear(channels, 2 * channels)
        self.proj = linear(channels, channels)
        self.pe = linear(channels, channels, 3, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        q, k, v = self.qkv(x).view(n, self.heads, 128, height * width).split([32, 32, 64], dim=2)
        weights = (q.transpose(-2, -1) @ k * 32**-0.5).softmax(dim=-1)
        mixed = (v @ weights.transpose(-2, -1)).reshape(n, channels, height, width)
        return self.proj(mixed + self.pe(v.reshape(n, channels, height, width)))


class PSABlock(nn.Module):
    """Attention and a feed-forward part, each beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attn = Attention(channels)
        self.ffn = nn.Sequential(Conv(channels, 2 * channels), linear(2 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        return x + self.ffn(x)


class C2PSA(nn.Module):
    """Half of the channels through two attention blocks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.cv1, self.cv2 = Conv(channels, channels), Conv(channels, channels)
        self.m = nn.Sequential(PSABlock(half), PSABlock(half))

    def forward(self, x: Tensor) -> Tensor:
        kept, rest = self.cv1(x).chunk(2, dim=1)
        return self.cv2(torch.cat([kept, self.m(rest)], dim=1))


class Distribution(nn.Module):
    """The mean of a distribution over 16 steps; its weights 0..15 are part of the checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(BINS, 1, 1, bias=False)
        self.conv.weight = nn.Parameter(torch.arange(BINS).float().view(1, BINS, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(n, 64, h, w) → (n, 4, h, w)."""
        n, _, height, width = x.shape
        likely = x.view(n, 4, BINS, height * width).softmax(dim=2)
        steps = self.conv.weight.float().view(1, 1, BINS, 1)
        return (likely * steps).sum(dim=2).view(n, 4, height, width)


class Detect(nn.Module):
    """Boxes and class scores of three levels."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        near, wide = max(16, channels[0] // 4, 4 * BINS), max(channels[0], min(CLASSES, 100))
        self.cv2 = nn.ModuleList(
            nn.Sequential(Conv(c, near, 3), Conv(near, near, 3), nn.Conv2d(near, 4 * BINS, 1)) for c in channels
        )
        self.cv3 = nn.ModuleList(
            nn.Sequential(
                nn.Sequential(Conv(c, c, 3, groups=c), Conv(c, wide)),
                nn.Sequential(Conv(wide, wide, 3, groups=wide), Conv(wide, wide)),
                nn.Conv2d(wide, CLASSES, 1),
            )
            for c in channels
        )
        self.dfl = Distribution()

    def forward(self, maps: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Per level (image of each candidate, candidates)."""
        found = []
        for features, boxes, classes, stride in zip(maps, self.cv2, self.cv3, STRIDES, strict=True):
            places = self._boxes(boxes(features).float(), stride)
            scores = classes(features).float().flatten(2).transpose(1, 2).sigmoid()
            best = scores.where(scores == scores.amax(dim=2, keepdim=True), 0.0)
            found.append(candidates(places, best, SELECTION))
        return found

    def _boxes(self, x: Tensor, stride: int) -> Tensor:
        distances = self.dfl(x)
        height, width = x.shape[-2:]
        rows, columns = (torch.arange(side, device=x.device, dtype=x.dtype) + 0.5 for side in (height, width))
        centre = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))
        boxes = torch.cat([centre - distances[:, :2], centre + distances[:, 2:]], dim=1) * stride
        return boxes.flatten(2).transpose(1, 2)


class YOLO11(nn.Module):
    """Images (n, 3, 640, 640) with values 0 to 1 → detections (n, 300, 6), see `postprocess.detections`."""

    def __init__(self) -> None:
        super().__init__()
        same = nn.Identity()  # places of concatenations, which have numbers in the checkpoint
        up = nn.Upsample(scale_factor=2)
        backbone = [Conv(3, 64, 3, 2), Conv(64, 128, 3, 2), C3k2(128, 256, 0.25), Conv(256, 256, 3, 2)]
        backbone += [C3k2(256, 512, 0.25), Conv(512, 512, 3, 2), C3k2(512, 512), Conv(512, 512, 3, 2)]
        backbone += [C3k2(512, 512), SPPF(512), C2PSA(512)]
        head = [up, same, C3k2(1024, 512), up, same, C3k2(1024, 256), Conv(256, 256, 3, 2), same]
        head += [C3k2(768, 512), Conv(512, 512, 3, 2), same, C3k2(1024, 512), Detect((256, 512, 512))]
        self.model = nn.ModuleList([*backbone, *head])

    def forward(self, images: Tensor) -> Tensor:
        layers = self.model
        x, seen = images, []
        for layer in layers[:11]:
            x = layer(x)
            seen.append(x)
        p4, p3, deep = seen[6], seen[4], x
        middle = layers[13](torch.cat([layers[11](deep), p4], dim=1))
        low = layers[16](torch.cat([layers[14](middle), p3], dim=1))
        between = layers[19](torch.cat([layers[17](low), middle], dim=1))
        high = layers[22](torch.cat([layers[20](between), deep], dim=1))
        image, rows = (torch.cat(parts) for parts in zip(*layers[23]([low, between, high]), strict=True))
        result = detections(image, rows, len(images), SELECTION)
        result[..., 4].clamp_(min=0)  # padding is -inf
        return result
