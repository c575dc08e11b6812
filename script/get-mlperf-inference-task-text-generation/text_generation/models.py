"""Language models for the engines: official checkpoints and the packaged one alike are folders of transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.engines.base import GenerationModel
from harness.errors import HarnessError
from text_generation.shapes import config_of


@dataclass(frozen=True)
class Architecture:
    """Builds a checkpoint's model, or a random one of the benchmark's shape, and says how it is to answer."""

    beams: int = 1
    temperature: float = 0.0

    def __call__(self, model: ModelConfig) -> GenerationModel:
        """Load the folder `model.weights`; without one, random weights from the seed that torch has.

        Raises:
            HarnessError: kind `weights`, when the folder is no complete checkpoint of a language model.
        """
        module = _from_folder(Path(model.weights)) if model.weights else _random(model.name)
        endings = _endings(module)
        padding = module.config.pad_token_id
        return GenerationModel(
            module=module,
            eos_ids=endings,
            pad_id=padding if padding is not None else min(endings, default=0),
            beams=self.beams,
            temperature=self.temperature,
        )


build = Architecture()
build_beam4 = Architecture(beams=4)  # GPT-J
build_sampled = Architecture(temperature=1.0)  # gpt-oss


def _from_folder(folder: Path) -> Any:
    import transformers
    from safetensors import SafetensorError

    loader: Any = transformers.AutoModelForCausalLM

    if not (folder / "config.json").is_file():
        raise HarnessError(
            "weights", f"{folder} is not a checkpoint: it has no config.json", "give a folder: --model_path=FOLDER"
        )
    try:
        module, report = loader.from_pretrained(
            str(folder), local_files_only=True, dtype="auto", output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        cause = str(error).strip().splitlines()[0][:300] if str(error).strip() else repr(error)
        raise HarnessError("weights", f"{folder} cannot be loaded: {cause}", "fetch the checkpoint again") from error
    if missing := sorted(report["missing_keys"]):
        raise HarnessError(
            "weights",
            f"{folder} lacks {len(missing)} tensors of its model, the first is {missing[0]}",
            "fetch the checkpoint again",
        )
    return module


def _random(name: str) -> Any:
    """The shape of a benchmark's model; the caller has seeded torch."""
    import transformers

    maker: Any = transformers.AutoModelForCausalLM
    return maker.from_config(config_of(name))


def _endings(module: Any) -> frozenset[int]:
    """Tokens that end an answer: those of generation_config.json, which may be several, else the model's own."""
    given = getattr(module.generation_config, "eos_token_id", None)
    if given is None:
        given = module.config.eos_token_id
    return frozenset([given] if isinstance(given, int) else given or [])
