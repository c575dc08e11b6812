"""8-bit integer models.

Ranges of activations are measured on samples of the benchmark's own data set. MLPerf's closed division wants them
measured on its calibration list, so such a result belongs into the open division.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from harness.arrays import Array
from harness.backends.require import package
from model_conversion.request import Conversion, Method
from model_conversion.samples import SampleSource

_BATCH = 4


def quantise(source: Path, conversion: Conversion, samples: SampleSource) -> Method:
    """Write an .onnx file with 8-bit weights; returns the method used.

    Static ranges (QDQ nodes) suit convolutions, whose inputs are long; dynamic ones suit transformers, whose
    activations have outliers that differ from sample to sample.
    """
    quantization = package("onnxruntime.quantization")
    prepared = source.with_name("prepared.onnx")
    with contextlib.redirect_stdout(io.StringIO()):
        quantization.shape_inference.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    method = conversion.method if conversion.method != "auto" else _fitting(prepared)
    if method == "dynamic":
        quantization.quantize_dynamic(str(prepared), str(conversion.file), op_types_to_quantize=["MatMul", "Gemm"])
    else:
        quantization.quantize_static(
            str(prepared),
            str(conversion.file),
            _Reader(samples),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            calibrate_method=quantization.CalibrationMethod.MinMax,
        )
    prepared.unlink()
    return method


def _fitting(path: Path) -> Method:
    """Convolutional or not, by the model's own nodes."""
    onnx = package("onnx")
    nodes = [node.op_type for node in onnx.load(str(path), load_external_data=False).graph.node]
    return "static" if nodes.count("Conv") > nodes.count("MatMul") else "dynamic"


class _Reader:
    """The samples as onnxruntime's calibration reads them."""

    def __init__(self, samples: SampleSource) -> None:
        self._names = [column.name for column in samples.columns]
        self._batches = samples.batches(_BATCH)

    def get_next(self) -> dict[str, Array] | None:
        """The next batch by input name; None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else dict(zip(self._names, batch, strict=True))
