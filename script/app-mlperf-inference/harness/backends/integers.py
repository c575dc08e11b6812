"""8-bit weights in PyTorch, by torchao; torch's own torch.ao.quantization is deprecated in its favour."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.backends.kernels import Kernels
from harness.backends.require import package
from harness.errors import HarnessError

_FORMATS = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


def quantised(module: Any, device: Any) -> Any:
    """Linear layers with 8-bit weights and activations quantised as they come (dynamic); others stay as they are.

    Raises:
        HarnessError: kind `config`, when the network has no linear layers to speak of.
    """
    quantization = package("torchao.quantization")
    counts = _layers(module)
    if counts["conv"] > counts["linear"]:
        cause = f"int8 in PyTorch quantises linear layers, but this network has {counts['conv']} convolutions"
        hint = "--backend=onnxruntime or --backend=openvino quantise convolutions too"
        raise HarnessError("config", cause, hint)
    quantization.quantize_(module, quantization.Int8DynamicActivationInt8WeightConfig(), device=str(device))
    return module


def _layers(module: Any) -> Counter[str]:
    from torch import nn

    kinds: dict[str, Any] = {"linear": nn.Linear, "conv": (nn.Conv1d, nn.Conv2d, nn.Conv3d)}
    return Counter(name for one in module.modules() for name, kind in kinds.items() if isinstance(one, kind))


def precision_of(module: Any) -> str:
    """Number format of the weights: of most linear layers and convolutions, else of the first parameter."""
    from torch import nn

    weighted = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    found = Counter(_format(one.weight) for one in module.modules() if isinstance(one, weighted))
    return Kernels(found).precision if found else _format(next(module.parameters()))


def _format(weight: Any) -> str:
    stored = getattr(weight, "qdata", None)  # torchao's tensors keep their 8-bit numbers there
    if stored is not None:
        return str(stored.dtype).removeprefix("torch.")
    name = str(weight.dtype).removeprefix("torch.")
    return _FORMATS.get(name, name)
