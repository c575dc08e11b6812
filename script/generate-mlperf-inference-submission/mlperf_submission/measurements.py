"""measurements.json: what was done to data and weights, as far as the run tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlperf_submission.errors import SubmissionError
from mlperf_submission.results import Result


def text(result: Result, keys: tuple[str, ...], given: dict[str, str]) -> str:
    """The file of one result; ``given`` goes before what the run tells."""
    found = _of_run(result) | given
    return json.dumps({key: found.get(key, "") for key in keys}, indent=2, ensure_ascii=False) + "\n"


def _of_run(result: Result) -> dict[str, str]:
    config = result.configuration
    precision = str(config.get("precision") or "")
    model = config.get("model") or {}
    weights = Path(str(model.get("weights") or "")).name
    return {
        "input_data_types": precision,
        "retraining": "no",
        "starting_weights_filename": weights or f"none (seed {model.get('seed', 0)})",
        "weight_data_types": precision,
        "weight_transformations": _transformations(config, precision),
    }


def _transformations(config: dict[str, Any], precision: str) -> str:
    steps = []
    if precision != "fp32":
        steps.append(f"converted to {precision}")
    if config.get("backend") in ("onnxruntime", "openvino", "tvm", "tflite"):
        steps.append(f"exported for {config['backend']}")
    return ", ".join(steps) or "none"


def given(path: Path | None, keys: tuple[str, ...]) -> dict[str, str]:
    """Values that the owner gives.

    Raises:
        SubmissionError: for a file that is no YAML or JSON of these keys.
    """
    if path is None:
        return {}
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SubmissionError(f"{path} cannot be used: {' '.join(str(error).split())}", f"edit {path}") from None
    if not isinstance(content, dict) or not set(content) <= set(keys):
        raise SubmissionError(f"{path} must have some of these keys: {', '.join(keys)}", f"edit {path}")
    return {str(key): str(value) for key, value in content.items()}
