"""The detectors by name: `build(ModelConfig) -> torch.nn.Module`.

Each takes images (n, 3, side, side) with values 0 to 1 and gives detections (n, most, 6): left, top, right, bottom in
pixels of the input, score, class from 0. Rows with score 0 are padding. All raise HarnessError of kind `weights`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError


def build_retinanet(model: ModelConfig) -> Any:
    """RetinaNet; `weights` is the official resnext50_32x4d_fpn.pth or a state dict."""
    from object_detection.retinanet import RetinaNet

    return _with_weights(RetinaNet(), model)


def build_yolo11(model: ModelConfig) -> Any:
    """YOLO11l; `weights` is the published yolo11l.pt or a state dict."""
    from object_detection.yolo11 import YOLO11

    return _with_weights(YOLO11(), model)


def build_yolov3_tiny(model: ModelConfig) -> Any:
    """YOLOv3-tiny; `weights` is a Darknet .weights file with the .cfg of the same name beside it."""
    from object_detection.darknet import Darknet, parse

    if model.weights is None:
        cause = "yolov3-tiny has no synthetic form: its layers are described in the file beside its weights"
        raise HarnessError("weights", cause, "run it with _embedded, or _retinanet _synthetic")
    weights = Path(model.weights)
    module = Darknet(parse(weights.with_suffix(".cfg")))
    module.read(weights)
    return module


def _with_weights(module: Any, model: ModelConfig) -> Any:
    from object_detection import checkpoint

    if model.weights is not None:
        checkpoint.load_into(module, Path(model.weights))
    return module
