"""EfficientNet-Lite0 (after Tan and Le, 2019) from the package efficientnet-lite-pytorch.

4.65 M parameters, input 3 x 224 x 224 normalised with mean 127 and std 128, 1000 ImageNet classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.models import weights


def build(config: ModelConfig) -> Any:
    """Return the network; raises HarnessError of kind `weights` or `load`."""
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise HarnessError(
            "load",
            "the Python package efficientnet-lite-pytorch is not installed",
            "pip install efficientnet-lite-pytorch",
        ) from error
    module = EfficientNet.from_name("efficientnet-lite0")
    if config.weights is not None:
        path = Path(config.weights)
        weights.load_into(module, weights.read_state_dict(path), path)
    return module
