"""ONNX Runtime. The CUDA and TensorRT providers are untested on hardware."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from harness.arrays import Array
from harness.backends import kernels
from harness.backends.base import Execution
from harness.backends.host import HostBackend
from harness.backends.ports import Port
from harness.backends.require import package
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.tasks.base import Reduction

_GPU = {"CUDAExecutionProvider", "TensorrtExecutionProvider"}
_TYPES = {"float": "fp32", "float16": "fp16", "bfloat16": "bf16", "int8": "int8", "uint8": "int8"}
_NUMPY = {"tensor(float)": "float32", "tensor(double)": "float64"}


class OnnxRuntimeBackend(HostBackend):
    """An .onnx file in an inference session.

    ONNX Runtime falls back to the CPU where a provider cannot be had or has no kernel for a node. So the first batch is
    profiled: `execution` tells on which provider, and in which number format, each kernel really ran.
    """

    gpu_providers: tuple[str, ...] = ("CUDAExecutionProvider",)

    def __init__(self, config: RunConfig, reduction: Reduction) -> None:
        super().__init__(config, reduction)
        self._session: Any = None
        self._ran: Ran | None = None

    def open(self, path: Path) -> None:
        """Make the session on the asked device's provider."""
        self._runtime = runtime = package("onnxruntime")
        self._folder = Path(tempfile.mkdtemp(prefix="onnxruntime-"))
        providers = self._providers()
        try:
            self._session = runtime.InferenceSession(str(path), self._options(), providers=providers)
        except Exception as error:  # its exceptions share no base class but Exception
            cause = f"ONNX Runtime cannot load {path}: {_first_line(error)}"
            raise HarnessError("weights", cause, "is it an ONNX file, and whole?") from error
        if missing := [one for one in providers if one not in self._session.get_providers()]:
            cause = f"{missing[0]} was asked for, but ONNX Runtime uses {', '.join(self._session.get_providers())}"
            raise HarnessError("device", cause, "its log says which library is missing")
        self._inputs = [port.name for port in self.ports()]

    def ports(self) -> list[Port]:
        """As the session gives them."""
        return [
            Port(one.name, tuple(axis if isinstance(axis, int) else None for axis in one.shape), _numpy_name(one.type))
            for one in self._session.get_inputs()
        ]

    def infer(self, batch: list[Array]) -> list[Array]:
        """One call into the session; the first one ends the profile."""
        outputs: list[Array] = self._session.run(None, dict(zip(self._inputs, batch, strict=True)))
        if self._ran is None:
            self._ran = Ran(Path(self._session.end_profiling()))
            shutil.rmtree(self._folder, ignore_errors=True)
        return outputs

    def execution(self) -> Execution:
        """From the profile of the first batch."""
        ran = self._ran
        if ran is None:
            raise HarnessError("raised", "nothing has been executed yet")
        options = self._session.get_session_options()
        return Execution(
            used="cpu" if ran.provider not in _GPU else _cuda_name(self.config.device),
            executed=f"onnxruntime {self._runtime.__version__}, {ran.provider}, {ran.kernels.describe()}",
            precision=ran.kernels.precision,
            residency="host",
            threads=options.intra_op_num_threads,
            output_shapes=self.output_shapes,
        )

    def _providers(self) -> list[str]:
        wanted = ["CPUExecutionProvider"] if self.config.device == "cpu" else list(self.gpu_providers)
        available = self._runtime.get_available_providers()
        if missing := [one for one in wanted if one not in available]:
            cause = f"device {self.config.device!r} needs {missing[0]}, this onnxruntime has {', '.join(available)}"
            raise HarnessError("device", cause, "pip install onnxruntime-gpu, or choose --device=cpu")
        return wanted

    def _options(self) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.enable_profiling = True
        options.profile_file_prefix = str(self._folder / "first-batch")
        options.log_severity_level = 3
        return options


class TensorRTBackend(OnnxRuntimeBackend):
    """ONNX Runtime's TensorRT provider, with CUDA for what TensorRT cannot do. Untested on hardware."""

    gpu_providers = ("TensorrtExecutionProvider", "CUDAExecutionProvider")


class Ran:
    """What a profile says about the kernels of one batch: number formats, and the provider that ran most of them."""

    def __init__(self, profile: Path) -> None:
        found: Counter[str] = Counter()
        providers: Counter[str] = Counter()
        for event in json.loads(profile.read_text()):
            details = event.get("args", {})
            if event.get("cat") != "Node" or "op_name" not in details or "provider" not in details:
                continue
            providers[details["provider"]] += 1
            if kernels.computes(details["op_name"]):
                found[_format(details)] += 1
        self.kernels = kernels.Kernels(found)
        self.provider = providers.most_common(1)[0][0] if providers else "no provider"


def _format(details: dict[str, Any]) -> str:
    """The narrowest input's format: a dynamically quantised MatMul takes floats and 8-bit weights."""
    types = {name for one in details.get("input_type_shape", ()) for name in one}
    formats = {_TYPES[name] for name in types if name in _TYPES}
    return next((one for one in ("int8", "fp16", "bf16", "fp32") if one in formats), "other")


def _numpy_name(onnx_type: str) -> str:
    return _NUMPY.get(onnx_type, onnx_type.removeprefix("tensor(").removesuffix(")"))


def _cuda_name(device: str) -> str:
    return device if ":" in device else f"{device}:0"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
