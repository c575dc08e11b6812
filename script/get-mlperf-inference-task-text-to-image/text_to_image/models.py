"""Stable Diffusion XL by name: `build(ModelConfig) -> torch.nn.Module`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError

HINT = "give the folder that MLCommons' downloader makes (checkpoint_pipe in it), or a pipeline that diffusers saved"


def build_sdxl(model: ModelConfig) -> Any:
    """SDXL; `weights` is a folder in diffusers' format, none means a small pipeline with seeded random weights.

    Raises:
        HarnessError: kind `weights`; kind `load` when diffusers is not installed.
    """
    try:
        diffusers = import_module("diffusers")
    except ImportError as error:
        raise HarnessError("load", "the Python package diffusers is not installed", "pip install diffusers") from error
    diffusers.utils.logging.set_verbosity_error()
    return _random() if model.weights is None else _official(diffusers, Path(model.weights))


def _random() -> Any:
    import torch

    from text_to_image.sdxl import LENGTH, Shape, StableDiffusionXL, small_pipeline

    shape = Shape()
    negative = torch.randint(3, shape.vocabulary, (2, 1, LENGTH))
    negative[..., -1] = 2
    return StableDiffusionXL(small_pipeline(shape), (negative[0], negative[1]))


def _official(diffusers: Any, folder: Path) -> Any:
    import torch

    from text_to_image.sdxl import LENGTH, NEGATIVE_PROMPT, StableDiffusionXL

    place, apart = pipeline_folder(folder), scheduler_folder(folder)
    try:
        scheduler = diffusers.EulerDiscreteScheduler.from_pretrained(apart, subfolder="scheduler")
        pipe = diffusers.StableDiffusionXLPipeline.from_pretrained(
            place, scheduler=scheduler, add_watermarker=False, local_files_only=True
        )
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise HarnessError("weights", f"the pipeline in {place} cannot be read: {reason[:300]}", HINT) from error
    negative = [
        torch.tensor(read([NEGATIVE_PROMPT], padding="max_length", max_length=LENGTH, truncation=True)["input_ids"])
        for read in (pipe.tokenizer, pipe.tokenizer_2)
    ]
    return StableDiffusionXL(pipe, (negative[0], negative[1]))


def pipeline_folder(folder: Path) -> Path:
    """The folder with model_index.json: the one given, or checkpoint_pipe in it. Raises HarnessError."""
    for place in (folder, folder / "checkpoint_pipe"):
        if (place / "model_index.json").is_file():
            return place
    raise HarnessError("weights", f"{folder} holds no pipeline: there is no model_index.json", HINT)


def scheduler_folder(folder: Path) -> Path:
    """The folder with scheduler/scheduler_config.json; the official checkpoint keeps it apart."""
    apart = folder / "checkpoint_scheduler"
    return apart if (apart / "scheduler" / "scheduler_config.json").is_file() else pipeline_folder(folder)
