"""Apache TVM on the CPU: a library that the conversion step compiled with LLVM.

TVM's default schedules are not tuned, and tuning takes hours: expect a fraction of what the other backends reach.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.backends import kernels
from harness.backends.base import Execution
from harness.backends.host import CONVERSION, HostBackend
from harness.backends.ports import Port
from harness.backends.require import package
from harness.errors import HarnessError


class TVMBackend(HostBackend):
    """A model.so, with its inputs described in conversion.json beside it."""

    def open(self, path: Path) -> None:
        """Load the library into a virtual machine."""
        if self.config.device != "cpu":
            cause = f"device {self.config.device!r} was asked for, but the backend tvm runs on the CPU"
            raise HarnessError("device", cause, "--device=cpu, or --backend=onnxruntime")
        os.environ["TVM_NUM_THREADS"] = str(self.threads)  # read once, when its thread pool starts
        self._tvm = package("tvm")
        try:
            facts = msgspec.json.decode(path.with_name(CONVERSION).read_bytes())
            self._ports = [Port(one["name"], tuple(one["shape"]), one["dtype"]) for one in facts["inputs"]]
            self._kernels: dict[str, int] = facts["kernels"]
            library = self._tvm.runtime.load_module(str(path))
            self._machine = self._tvm.relax.VirtualMachine(library, self._tvm.cpu())
        except (OSError, KeyError, msgspec.DecodeError, RuntimeError) as error:
            cause = f"TVM cannot load {path}: {str(error).strip().splitlines()[-1][:300]}"
            raise HarnessError("weights", cause, "a library of the conversion step is needed") from error

    def ports(self) -> list[Port]:
        """As the conversion step wrote them down; a compiled library does not tell."""
        return self._ports

    def infer(self, batch: list[Array]) -> list[Array]:
        """One call into the virtual machine."""
        outputs: Any = self._machine["main"](*map(self._tvm.runtime.tensor, batch))
        several = isinstance(outputs, (list, tuple)) or type(outputs).__name__ == "Array"
        return [one.numpy() for one in (outputs if several else [outputs])]

    def execution(self) -> Execution:
        """Number formats from the graph that was compiled."""
        work = kernels.Kernels(Counter(self._kernels))
        return Execution(
            used="cpu",
            executed=f"tvm {self._tvm.__version__}, llvm, {work.describe()}",
            precision=work.precision,
            residency="host",
            threads=self.threads,
            output_shapes=self.output_shapes,
        )
