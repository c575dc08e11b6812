"""Networks in Darknet's own format, a .cfg text and a .weights file: YOLOv3-tiny (Redmon and Farhadi 2018).

The layers understood are those of YOLOv3-tiny: convolutional, maxpool, upsample, route, yolo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.errors import HarnessError
from object_detection.postprocess import Selection, candidates, corners, detections

SELECTION = Selection(threshold=0.005, overlap=0.45, candidates=1000, most=100)
HEADER_BYTES = 20  # version as three int32, then the number of training images as int64
HINT = "fetch the model again and compare its checksum"


@dataclass(frozen=True)
class Block:
    """One section of a .cfg file."""

    kind: str
    values: dict[str, str]

    def number(self, key: str, default: int = 0) -> int:
        """An integer setting."""
        return int(self.values.get(key, default))

    def numbers(self, key: str) -> list[int]:
        """A list of integers separated by commas."""
        return [int(part) for part in self.values[key].split(",")]


def parse(path: Path) -> list[Block]:
    """The sections of a .cfg file, without the first, which is about training.

    Raises:
        HarnessError: kind `weights`, when the file cannot be read or is no network.
    """
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError("weights", f"cannot read the network {path}: {error}", HINT) from error
    blocks: list[Block] = []
    for line in filter(None, lines):
        key, equals, value = line.partition("=")
        if line.startswith("["):
            blocks.append(Block(line.strip("[]"), {}))
        elif equals and blocks:
            blocks[-1].values[key.strip()] = value.strip()
    if len(blocks) < 2 or blocks[0].kind not in ("net", "network"):
        raise HarnessError("weights", f"{path} is not a network in Darknet's format", HINT)
    return blocks[1:]


class Convolution(nn.Sequential):
    """A convolution with what follows it."""

    def __init__(self, inputs: int, block: Block) -> None:
        size, normalised = block.number("size"), bool(block.number("batch_normalize"))
        padding = size // 2 if block.number("pad") else 0
        layer = nn.Conv2d(inputs, block.number("filters"), size, block.number("stride"), padding, bias=not normalised)
        super().__init__(layer)
        if normalised:
            self.append(nn.BatchNorm2d(layer.out_channels))
        if block.values["activation"] == "leaky":
            self.append(nn.LeakyReLU(0.1, inplace=True))

    def stored(self) -> Iterator[Tensor]:
        """Its tensors in the order in which a .weights file has them."""
        first = self.get_submodule("0")
        if len(self) > 1 and isinstance(self[1], nn.BatchNorm2d):
            named = self[1].state_dict(keep_vars=True)
            yield from (named[name] for name in ("bias", "weight", "running_mean", "running_var"))
        else:
            yield first.get_parameter("bias")
        yield first.get_parameter("weight")


class Darknet(nn.Module):
    """Images (n, 3, side, side) with values 0 to 1 → detections (n, 100, 6), see `postprocess.detections`."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self._blocks = blocks
        self.layers = nn.ModuleList()
        channels = [3]
        for block in blocks:
            if block.kind == "convolutional":
                layer = Convolution(channels[-1], block)
                self.layers.append(layer)
                channels.append(block.number("filters"))
                continue
            self.layers.append(nn.Identity())
            sources = block.numbers("layers") if block.kind == "route" else [-1]
            channels.append(sum(channels[1:][source] for source in sources))

    def read(self, path: Path) -> None:
        """Take the weights from a file. Raises HarnessError of kind `weights` unless it has exactly as many."""
        import numpy as np

        stored = [tensor for layer in self.layers if isinstance(layer, Convolution) for tensor in layer.stored()]
        needed = HEADER_BYTES + 4 * sum(tensor.numel() for tensor in stored)
        if not path.is_file():
            raise HarnessError("weights", f"weights file {path} does not exist", f"ls -l {path.parent}")
        if (size := path.stat().st_size) != needed:
            raise HarnessError("weights", f"weights file {path} has {size} bytes, the network needs {needed}", HINT)
        values = torch.from_numpy(np.fromfile(path, dtype="<f4", offset=HEADER_BYTES))
        parts = torch.split(values, [tensor.numel() for tensor in stored])
        with torch.no_grad():
            for tensor, part in zip(stored, parts, strict=True):
                tensor.copy_(part.view_as(tensor))

    def forward(self, images: Tensor) -> Tensor:
        outputs: list[Tensor] = []
        found: list[tuple[Tensor, Tensor]] = []
        x = images
        for block, layer in zip(self._blocks, self.layers, strict=True):
            if block.kind == "yolo":
                boxes, scores = decode(x.float(), block, images.shape[-1])
                found.append(candidates(boxes, scores, SELECTION))
            else:
                x = self._step(block, layer, x, outputs)
            outputs.append(x)
        image, rows = (torch.cat(parts) for parts in zip(*found, strict=True))
        result = detections(image, rows, len(images), SELECTION)
        result[..., 4].clamp_(min=0)  # padding is -inf
        return result

    @staticmethod
    def _step(block: Block, layer: nn.Module, x: Tensor, outputs: list[Tensor]) -> Tensor:
        if block.kind == "convolutional":
            result: Tensor = layer(x)
            return result
        if block.kind == "maxpool":
            stride = block.number("stride")
            # Darknet pools to the same size with stride 1: one row and column are added on the far side
            padded = functional.pad(x, (0, 1, 0, 1), value=-torch.inf) if stride == 1 else x
            return functional.max_pool2d(padded, block.number("size"), stride)
        if block.kind == "upsample":
            return functional.interpolate(x, scale_factor=block.number("stride"))
        if block.kind == "route":
            return torch.cat([outputs[source] for source in block.numbers("layers")], dim=1)
        raise HarnessError("weights", f"layers of kind [{block.kind}] are not known", "use a YOLOv3-tiny network")


def decode(x: Tensor, block: Block, side: int) -> tuple[Tensor, Tensor]:
    """Boxes (n, anchors, 4) in pixels and class scores (n, anchors, classes) of one yolo layer, (n, c, g, g)."""
    n, _, grid, _ = x.shape
    sizes = x.new_tensor([float(part) for part in block.values["anchors"].split(",")]).view(-1, 2)
    anchor = sizes[block.numbers("mask")].view(-1, 1, 1, 2)
    y = x.view(n, len(anchor), -1, grid, grid).permute(0, 1, 3, 4, 2)
    steps = torch.arange(grid, device=x.device, dtype=x.dtype)
    cell = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    centre = (y[..., :2].sigmoid() + cell) * (side / grid)
    boxes = corners(centre, y[..., 2:4].exp() * anchor)
    scores = y[..., 4:5].sigmoid() * y[..., 5:].sigmoid()
    return boxes.flatten(1, 3), scores.flatten(1, 3)
