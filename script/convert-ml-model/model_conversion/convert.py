"""One conversion, from the request to the checked file."""

from __future__ import annotations

import importlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.backends.require import package
from model_conversion import check, export
from model_conversion.check import Answer
from model_conversion.compile_tvm import to_library
from model_conversion.quantise import quantise
from model_conversion.request import Conversion, Method
from model_conversion.samples import SampleSource

_BATCH = 2  # with one, exporters take the batch axis for a constant


def convert(conversion: Conversion) -> dict[str, Any]:
    """Convert, compare, and write what was found beside the file (conversion.json), which is also returned.

    Raises:
        HarnessError: kind `load`, `weights` or `dataset`.
    """
    conversion.folder.mkdir(parents=True, exist_ok=True)
    samples = SampleSource(conversion)
    source, original = _original(conversion, samples)
    method = _quantise(source, conversion, samples) if conversion.precision == "int8" else None
    found = check.agreement(original, _answer(conversion.file), list(samples.batches(_BATCH)))
    check.require(found, conversion.precision)
    library = to_library(conversion.file, conversion.file.with_suffix(".so")) if conversion.format == "tvm" else {}
    facts = {
        **library,
        "precision": conversion.precision,
        "quantisation": method,
        "calibration": f"{samples.count} samples of the data set itself" if method == "static" else None,
        "exporter": _exporter(conversion),
        **asdict(found),
    }
    (conversion.folder / "conversion.json").write_bytes(msgspec.json.format(msgspec.json.encode(facts)))
    return facts


def _original(conversion: Conversion, samples: SampleSource) -> tuple[Path, Answer]:
    """The file to go on from, and the model to compare with."""
    if conversion.starts_from_onnx:
        path = Path(str(conversion.model.weights))
        return path, _answer(path)
    half = conversion.precision == "fp16"
    module = export.module_of(conversion.model, half=half)
    path = conversion.folder / ("exported.onnx" if conversion.precision == "int8" else "model.onnx")
    export.to_onnx(module, samples.columns, samples.batch(0, _BATCH), path)
    return path, lambda batch: _torch_answer(module, batch, half=half)


def _quantise(source: Path, conversion: Conversion, samples: SampleSource) -> Method:
    method = quantise(source, conversion, samples)
    if not conversion.starts_from_onnx:
        for leftover in source.parent.glob(f"{source.name}*"):
            leftover.unlink()
    return method


def _torch_answer(module: Any, batch: list[Array], *, half: bool) -> list[Array]:
    import torch

    tensors = [torch.from_numpy(one) for one in batch]
    with torch.inference_mode():
        output = module(*[one.half() if half and one.is_floating_point() else one for one in tensors])
    outputs = output if isinstance(output, tuple | list) else (output,)
    return [one.float().numpy() if one.is_floating_point() else one.numpy() for one in outputs]


def _answer(path: Path) -> Answer:
    """The file's outputs through the framework it is for."""
    session = package("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()

    def answer(batch: list[Array]) -> list[Array]:
        fed = {
            one.name: array.astype("float16") if "float16" in one.type else array
            for one, array in zip(inputs, batch, strict=True)
        }
        return [one.astype("float32") if one.dtype == "float16" else one for one in session.run(None, fed)]

    return answer


def _exporter(conversion: Conversion) -> str | None:
    if conversion.starts_from_onnx:
        return None
    return f"torch {importlib.import_module('torch').__version__}"
