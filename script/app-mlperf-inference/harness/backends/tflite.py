"""TensorFlow Lite models through LiteRT (the package ai-edge-litert), on the CPU."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from harness.arrays import Array
from harness.backends import kernels
from harness.backends.base import Execution
from harness.backends.host import ArrayStore, HostBackend, ListStore, PerThread
from harness.backends.ports import Feed, Port
from harness.backends.require import package
from harness.errors import HarnessError

_FORMATS = {"float32": "fp32", "float16": "fp16", "int8": "int8", "uint8": "int8"}


class TFLiteBackend(HostBackend):
    """A .tflite file in one interpreter per calling thread.

    Channels-last inputs are laid out, and 8-bit inputs quantised, when the samples are staged. 8-bit outputs travel
    back as floats.
    """

    def open(self, path: Path) -> None:
        """Check that the file loads."""
        if self.config.device != "cpu":
            cause = f"device {self.config.device!r} was asked for, but the backend tflite runs on the CPU"
            raise HarnessError("device", cause, "--device=cpu, or --backend=onnxruntime")
        package("ai_edge_litert.interpreter")
        self._path, self._local = path, PerThread()
        try:
            self._main = self._interpreter()
        except (ValueError, RuntimeError) as error:
            cause = f"LiteRT cannot load {path}: {str(error).strip().splitlines()[0][:300]}"
            raise HarnessError("weights", cause, "is it a .tflite file, and whole?") from error

    def ports(self) -> list[Port]:
        """Inputs; a batch axis of one is free, since LiteRT can resize it."""
        return [_port(one) for one in self._main.get_input_details()]

    def infer(self, batch: list[Array]) -> list[Array]:
        """Resize to the batch where needed, run, copy the outputs."""
        interpreter = self._mine()
        inputs = interpreter.get_input_details()
        if any(tuple(one["shape"]) != array.shape for one, array in zip(inputs, batch, strict=True)):
            for one, array in zip(inputs, batch, strict=True):
                interpreter.resize_tensor_input(one["index"], array.shape)
            interpreter.allocate_tensors()
        for one, array in zip(inputs, batch, strict=True):
            interpreter.set_tensor(one["index"], array)
        interpreter.invoke()
        return [_as_float(interpreter.get_tensor(one["index"]), one) for one in interpreter.get_output_details()]

    def execution(self) -> Execution:
        """Formats of the weights, from the interpreter's own list of operators."""
        work = kernels.Kernels(Counter(_formats(self._main)))
        version = package("ai_edge_litert").__version__
        return Execution(
            used="cpu",
            executed=f"ai-edge-litert {version}, {work.describe()}",
            precision=work.precision,
            residency="host",
            threads=self.threads,
            output_shapes=self.output_shapes,
        )

    def _store(self, count: int, feed: Feed) -> ArrayStore | ListStore:
        details = next(one for one in self._main.get_input_details() if one["name"] == feed.port.name)
        scale, zero = details["quantization"]
        return _QuantisedStore(count, feed, scale, zero) if scale else super()._store(count, feed)

    def _mine(self) -> Any:
        if self._local.made is None:
            self._local.made = self._interpreter()
        return self._local.made

    def _interpreter(self) -> Any:
        made = package("ai_edge_litert.interpreter").Interpreter(str(self._path), num_threads=self.threads)
        made.allocate_tensors()
        return made


class _QuantisedStore(ArrayStore):
    """Float samples as the 8-bit numbers that the model takes: x / scale + zero."""

    def __init__(self, count: int, feed: Feed, scale: float, zero: int) -> None:
        super().__init__(count, feed)
        self._scale, self._zero = scale, zero

    def take(self, chunk: Any) -> None:
        """Quantise the next samples."""
        import numpy as np

        limits = np.iinfo(self.samples.dtype)
        super().take(np.clip(np.rint(chunk / self._scale) + self._zero, limits.min, limits.max))


def _port(details: Any) -> Port:
    import numpy as np

    signature = [int(axis) for axis in details.get("shape_signature", details["shape"])]
    free = signature[:1] in ([1], [-1])
    rest = [None if axis < 0 else axis for axis in signature[1:]]
    return Port(details["name"], (None if free else signature[0], *rest), np.dtype(details["dtype"]).name)


def _as_float(output: Array, details: Any) -> Array:
    scale, zero = details["quantization"]
    return (output.astype("float32") - zero) * scale if scale else output


def _formats(interpreter: Any) -> list[str]:
    import numpy as np

    types = {one["index"]: np.dtype(one["dtype"]).name for one in interpreter.get_tensor_details()}
    found = []
    for operator in interpreter._get_ops_details():
        weights = [types[index] for index in operator["inputs"] if index in types]
        if kernels.computes(operator["op_name"]) and len(weights) > 1:
            found.append(_FORMATS.get(weights[1], weights[1]))
    return found
