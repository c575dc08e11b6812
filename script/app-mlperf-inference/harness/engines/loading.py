"""A generation model on its device, in the precision that was asked for. The GPU path is untested on hardware."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from harness import registry
from harness.backends import cuda
from harness.backends.base import Execution
from harness.config import RunConfig
from harness.engines.base import GenerationModel
from harness.errors import HarnessError
from harness.hashing import sha256_of

_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16", "int8": "float32"}


def load(config: RunConfig) -> tuple[GenerationModel, Any]:
    """Build the model that `config` names and move it.

    Returns:
        The model and its torch device.

    Raises:
        HarnessError: kind `weights`, `device`, or `config` for a precision that the device does not have.
    """
    import torch

    device = torch.device("cpu") if config.device == "cpu" else cuda.require(config.device)
    if config.precision == "int8" and device.type != "cpu":
        raise HarnessError("config", "int8 is dynamic quantisation on a CPU here", "use --precision=bf16 on a GPU")
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.model.seed)
    model: GenerationModel = registry.resolve("architecture", config.model.architecture)(config.model)
    model.module.eval().requires_grad_(False)
    model.module.to(device=device, dtype=getattr(torch, _DTYPES[config.precision]))
    if config.precision == "int8":
        _quantise(model.module)
    return model, device


def _quantise(module: Any) -> None:
    """Weights of linear layers to int8, per channel, in place; activations are quantised as they come."""
    import torch

    quantisation: Any = torch.ao.quantization  # untyped
    linear = {torch.nn.Linear: quantisation.per_channel_dynamic_qconfig}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces a move of these functions to another package
        quantisation.quantize_dynamic(module, linear, inplace=True)


def facts(config: RunConfig, model: GenerationModel) -> dict[str, Any]:
    """What was loaded, for the record."""
    given = config.model
    return {
        "name": given.name,
        "architecture": given.architecture,
        "parameters": sum(parameter.numel() for parameter in model.module.parameters()),
        "weights": given.weights or f"random, seed {given.seed}",
        "weights_sha256": sha256_of(Path(given.weights)) if given.weights else None,
        "beams": model.beams,
        "temperature": model.temperature,
    }


def execution(config: RunConfig, model: GenerationModel, output_device: str, how: str) -> Execution:
    """Read from the parameters and from where the scores appeared; HarnessError of kind `device` when they differ."""
    import torch

    parameter = next(model.module.parameters())
    used = str(parameter.device)
    if output_device != used:
        raise HarnessError("device", f"the model is on {used} but its outputs appear on {output_device}")
    dtype = str(parameter.dtype).removeprefix("torch.")
    precision = next((name for name, value in _DTYPES.items() if value == dtype), dtype)
    return Execution(
        used=used,
        executed=f"torch {torch.__version__}, eager, {how}",
        precision="int8" if _is_quantised(model.module) else precision,
        residency="device" if parameter.device.type == "cuda" else "host",
        threads=torch.get_num_threads(),
        gpu_uuid=cuda.uuid(parameter.device) if parameter.device.type == "cuda" else None,
    )


def _is_quantised(module: Any) -> bool:
    from torch.ao.nn.quantized.dynamic import Linear

    return any(isinstance(part, Linear) for part in module.modules())
