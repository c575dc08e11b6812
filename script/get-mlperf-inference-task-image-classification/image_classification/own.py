"""Image classifiers of the user's own: a transformers folder, or weights for a network of timm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.models import weights

_TIMM = "timm/"


def build(config: ModelConfig) -> Any:
    """A module from images (n, 3, H, W) to logits; raises HarnessError of kind `weights` or `load`."""
    path = Path(str(config.weights))
    return _from_timm(config.name, path) if config.name.startswith(_TIMM) else _from_transformers(path)


def _from_transformers(folder: Path) -> Any:
    try:
        from transformers import AutoModelForImageClassification
    except ImportError as error:
        raise HarnessError("load", "transformers is not installed", "pip install transformers") from error
    try:
        return AutoModelForImageClassification.from_pretrained(folder, local_files_only=True, return_dict=False)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:300]
        cause = f"{folder} cannot be opened as an image classifier: {reason}"
        raise HarnessError("weights", cause, "the folder needs config.json and model.safetensors") from error


def _from_timm(name: str, path: Path) -> Any:
    try:
        import timm
    except ImportError as error:
        hint = "timm needs the torchvision of the installed torch; or export to ONNX: --backend=onnxruntime"
        raise HarnessError("load", f"timm does not start: {error}", hint) from error
    try:
        module = timm.create_model(name.removeprefix(_TIMM), pretrained=False)
    except RuntimeError as error:
        cause = f"timm has no network {name.removeprefix(_TIMM)!r}: {error}"
        raise HarnessError("weights", cause, "--model=timm/NAME, as timm.list_models() has it") from error
    weights.load_into(module, _state(path), path)
    return module


def _state(path: Path) -> dict[str, Any]:
    if path.suffix != ".safetensors":
        return weights.read_state_dict(path)
    from safetensors.torch import load_file

    return dict(load_file(path))
