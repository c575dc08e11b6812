"""OpenVINO on the CPU, from an .onnx file or OpenVINO's own .xml."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from harness.arrays import Array
from harness.backends import kernels
from harness.backends.base import Execution
from harness.backends.host import HostBackend, PerThread
from harness.backends.ports import Port
from harness.backends.require import package
from harness.errors import HarnessError

# Without a hint OpenVINO computes fp32 models in bf16 where the processor can; fp32 asked must be fp32 done.
_HINTS = {"fp32": "f32", "int8": "f32", "bf16": "bf16", "fp16": "f16"}
_FORMATS = {"f32": "fp32", "f16": "fp16", "bf16": "bf16", "i8": "int8", "u8": "int8"}


class OpenVINOBackend(HostBackend):
    """A compiled model. `submit` starts an asynchronous request, so that the answers of one batch travel back while the
    next one is computed; each calling thread has two requests in turn.
    """

    def open(self, path: Path) -> None:
        """Read and compile for the CPU, one stream per worker."""
        if self.config.device != "cpu":
            cause = f"device {self.config.device!r} was asked for, but OpenVINO does not run on NVIDIA GPUs"
            raise HarnessError("device", cause, "--device=cpu, or --backend=onnxruntime")
        self._openvino = package("openvino")
        core = self._openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": self.threads * self.config.workers,
            "NUM_STREAMS": self.config.workers,
            "INFERENCE_PRECISION_HINT": _HINTS[self.config.precision],
        }
        try:
            self._compiled = core.compile_model(core.read_model(path), "CPU", settings)
        except RuntimeError as error:
            cause = f"OpenVINO cannot compile {path}: {_reason(error)}"
            raise HarnessError("weights", cause, "is it an ONNX file or OpenVINO's .xml, and whole?") from error
        self._requests = PerThread()
        self._work = kernels.Kernels(Counter(_formats(self._compiled.get_runtime_model())))
        if self.config.precision == "int8" and self._work.precision != "int8":
            cause = f"OpenVINO computes this model with {self._work.describe()}: it knows no dynamic 8-bit ranges"
            raise HarnessError("device", cause, "--quantisation=static, or --backend=onnxruntime")

    def ports(self) -> list[Port]:
        """As the compiled model gives them."""
        return [
            Port(
                one.get_any_name(),
                tuple(None if axis.is_dynamic else axis.get_length() for axis in one.get_partial_shape()),
                one.get_element_type().to_dtype().name,
            )
            for one in self._compiled.inputs
        ]

    def submit(self, rows: list[int], longest: int | None = None) -> Any:
        """Start a request; it reads the batch's own memory, which the ticket keeps alive."""
        local = self._requests
        if local.made is None:
            local.made = [self._compiled.create_infer_request() for _ in range(2)]
        local.made.reverse()
        request, batch = local.made[0], self.batch(rows, longest)
        request.start_async(batch, share_inputs=True)
        return request, batch

    def collect(self, ticket: Any) -> tuple[Array, ...]:
        """Wait, and copy the outputs out of the request."""
        request, _ = ticket
        request.wait()
        return self.reduced([tensor.data.copy() for tensor in request.output_tensors])

    def execution(self) -> Execution:
        """From the graph that the CPU plugin made of the model."""
        compiled = self._compiled
        return Execution(
            used="/".join(compiled.get_property("EXECUTION_DEVICES")).lower(),
            executed=f"openvino {self._openvino.__version__.partition('-')[0]}, {self._work.describe()}",
            precision=self._work.precision,
            residency="host",
            threads=compiled.get_property("INFERENCE_NUM_THREADS") // self.config.workers,
            output_shapes=self.output_shapes,
        )


def _formats(graph: Any) -> list[str]:
    found = []
    for operation in graph.get_ordered_ops():
        facts = operation.get_rt_info()
        if "layerType" in facts and kernels.computes(facts["layerType"].astype(str)):
            name = facts["runtimePrecision"].astype(str)
            found.append(_FORMATS.get(name, name))
    return found


def _reason(error: RuntimeError) -> str:
    """OpenVINO puts the places in its own source first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (telling or lines or ["no reason given"])[0][:300]
