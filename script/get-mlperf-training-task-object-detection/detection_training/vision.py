"""torchvision, brought to life where its own operators are missing.

With a CPU build of torch ``import torchvision`` raises "operator torchvision::nms does not exist". Then, and only then,
the operators are declared and `operators` stands in for them. Where a working torchvision is installed it is used as
it is. Only the processes of this family ever import it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from detection_training import operators
from trainer.errors import TrainingError

HINT = "give --env.CM_MLPERF_TRAINING_OPTION_TORCHVISION=FOLDER with the unpacked wheel"
_kept: list[Any] = []  # declarations end with the object that made them


def load(folder: Path | None = None) -> ModuleType:
    """The module torchvision: the installed one where it works, else the sources in ``folder``, with our operators.

    Raises:
        TrainingError: kind `setup` where there is none.
    """
    if _kept and "torchvision" in sys.modules:
        return sys.modules["torchvision"]
    try:
        return importlib.import_module("torchvision")
    except ModuleNotFoundError as error:
        if error.name != "torchvision":
            raise
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    return _without_operators(folder)


def _without_operators(folder: Path | None) -> ModuleType:
    _forget()
    if folder is not None and str(folder) not in sys.path:
        sys.path.append(str(folder))
    if importlib.util.find_spec("torchvision") is None:
        raise TrainingError("setup", f"torchvision is neither installed nor in {folder or 'a given folder'}", HINT)
    _declare()
    vision = importlib.import_module("torchvision")
    _replace(vision)
    return vision


def _forget() -> None:
    """Drop what a failed import has left."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]


def _declare() -> None:
    import torch

    if _kept:
        return
    library: Any = torch.library.Library(  # type: ignore[no-untyped-call]
        "torchvision", "FRAGMENT"
    )
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", operators.nms, "CompositeExplicitAutograd")
    _kept.append(library)


def _replace(vision: Any) -> None:
    """Have torchvision believe that its operators are there, and pool regions by ours."""
    vision.extension._has_ops = lambda: True
    places = ("torchvision.ops", "torchvision.ops.poolers", "torchvision.models.detection.roi_heads")
    for place in places:
        importlib.import_module(place).__dict__["roi_align"] = operators.roi_align
