"""BERT-large for span extraction and MiniLM for sentence selection, over the BERT of the library transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.models import weights

# Of the file's parameters these are not used: the pooler serves classification, position_ids are 0 1 2 …
_UNUSED = ("bert.pooler.", "bert.embeddings.position_ids")


def build_bert(config: ModelConfig) -> Any:
    """BERT-large (24 layers, hidden size 1024, 334 M parameters); called with ids, mask, token types (n, length).

    Returns logits (n, length, 2), start and end. Raises HarnessError of kind `weights` or `load`.
    """
    _require_transformers()
    from question_answering.networks import SpanExtractor

    module = SpanExtractor.bert_large()
    if config.weights is not None:
        path = Path(config.weights)
        state = weights.read_state_dict(path)
        used = {_present_name(name): tensor for name, tensor in state.items() if not name.startswith(_UNUSED)}
        weights.load_into(module.network, used, path)
    return module


def build_minilm(config: ModelConfig) -> Any:
    """all-MiniLM-L6-v2 from model.safetensors and the config.json beside it; called with ids, segments, positions.

    Returns scores (n, SLOTS). Raises HarnessError of kind `weights` or `load`.
    """
    _require_transformers()
    from question_answering.networks import SentenceSelector

    if config.weights is None:
        raise HarnessError("weights", "minilm has no synthetic form: no weights were given", "use _embedded")
    path = Path(config.weights)
    module = SentenceSelector.from_config(_read_config(path.with_name("config.json")))
    weights.load_into(module.network, _read_safetensors(path), path)
    return module


def _present_name(name: str) -> str:
    """Files of the first years call the scale and shift of a LayerNorm gamma and beta."""
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state: dict[str, Any] = load_file(path)
    except (OSError, SafetensorError) as error:
        cause = f"weights file {path} cannot be read: {error}"
        raise HarnessError("weights", cause, 'fetch it again: cmr "rm cache --tags=minilm"') from error
    return {
        name: tensor for name, tensor in state.items() if not name.startswith(("pooler.", "embeddings.position_ids"))
    }


def _read_config(path: Path) -> Any:
    from transformers import BertConfig

    try:
        return BertConfig.from_json_file(path)
    except (OSError, ValueError) as error:
        raise HarnessError("weights", f"{path}, which describes the network, cannot be read: {error}") from error


def _require_transformers() -> None:
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        cause = "the Python package transformers is not installed"
        raise HarnessError("load", cause, "pip install transformers") from error
