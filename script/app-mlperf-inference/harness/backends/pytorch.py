"""PyTorch on a CPU or an NVIDIA GPU. The GPU paths are untested on hardware."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from harness import registry
from harness.arrays import Array
from harness.backends import cuda, integers, staging
from harness.backends.base import Execution
from harness.backends.outputs import OutputCheck
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.hashing import sha256_of
from harness.tasks.base import Column, Reduction

# int8 has 8-bit weights; what is not quantised stays in fp32.
_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16", "int8": "float32"}


class PytorchBackend:
    """A torch module in inference mode, with its weights cast to the asked precision.

    On a GPU `submit` only enqueues work and `collect` waits for the pinned output copies, so that two batches overlap.
    """

    def __init__(self, config: RunConfig, reduction: Reduction) -> None:
        self._config, self._reduction = config, reduction
        self._model: Any = None
        self._columns: tuple[Column, ...] = ()
        self._stores: list[staging.Store] = []
        self._output_device: Any = None
        self._residency = "host"
        self._check = OutputCheck(config)

    def load(self) -> dict[str, Any]:
        """Build, cast, lay out and (where asked) compile the model; returns its facts."""
        import torch

        self._torch = torch
        config = self._config
        device = self._device = cuda.require(config.device) if config.device != "cpu" else torch.device("cpu")
        self._dtype = getattr(torch, _DTYPES[config.precision])
        self._on_gpu = device.type == "cuda"
        if self._on_gpu:
            torch.backends.cudnn.benchmark = True
            torch.backends.cudnn.allow_tf32 = False  # on by default, but then fp32 would not be fp32
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.manual_seed(config.model.seed)
        module = registry.resolve("architecture", config.model.architecture)(config.model).eval().requires_grad_(False)
        layout = torch.channels_last if config.channels_last else torch.preserve_format
        module = module.to(device=device, dtype=self._dtype, memory_format=layout)
        self._module = integers.quantised(module, device) if config.precision == "int8" else module
        self._model = self._compiled()
        return self._facts()

    def _compiled(self) -> Any:
        """The module as asked: eager, compiled, or compiled and recorded into CUDA graphs, one per shape of a batch."""
        if self._config.cuda_graphs:
            return self._torch.compile(self._module, mode="reduce-overhead")
        return self._torch.compile(self._module) if self._config.compile else self._module

    def _how(self) -> str:
        if self._config.cuda_graphs:
            return "torch.compile, CUDA graphs"
        return "torch.compile" if self._config.compile else "eager"

    def stage(self, count: int, columns: tuple[Column, ...], chunks: staging.Chunks) -> None:
        """Cast and lay out the samples in host or GPU memory."""
        self._columns = columns
        stores = [self._new_store(count, column) for column in columns]
        for chunk in chunks:
            for store, part in zip(stores, chunk, strict=True):
                store.take(part)
        self._stores = [self._reachable(store) for store in stores]

    def _new_store(self, count: int, column: Column) -> Any:
        dtype = staging.torch_dtype(column, self._dtype)
        if column.join in ("concat", "single"):
            return staging.ListStore(column, dtype=dtype, device=self._device)
        where: dict[str, Any] = {}
        if self._on_gpu:
            needed = count * dtype.itemsize * math.prod(axis or 1 for axis in column.shape)
            on_device = cuda.keep_on_device(self._config.residency, needed, self._device)
            self._residency = "device" if on_device else "host, pinned"
            where = {"device": self._device} if on_device else {"pin_memory": True}
        return staging.ArrayStore(count, column, dtype=dtype, channels_last=self._config.channels_last, **where)

    def _reachable(self, store: Any) -> staging.Store:
        pinned = self._on_gpu and isinstance(store, staging.ArrayStore) and store.samples.device.type == "cpu"
        return staging.PinnedStore(store, self._device, self._config.batch_size) if pinned else store

    def unstage(self) -> None:
        """Free the staged samples."""
        self._stores = []

    def submit(self, rows: list[int], longest: int | None = None) -> Any:
        """Compute (CPU) or enqueue (GPU) one batch."""
        if not self._stores:
            raise HarnessError("raised", "a query arrived although no samples are staged")
        batch = [
            staging.trimmed(store.batch(rows), column, longest)
            for store, column in zip(self._stores, self._columns, strict=True)
        ]
        outputs = self._forward(batch)
        return cuda.start_copy_back(outputs) if self._on_gpu else outputs

    def collect(self, ticket: Any) -> tuple[Array, ...]:
        """Outputs as numpy arrays."""
        outputs = cuda.finish_copy_back(ticket) if self._on_gpu else ticket
        return tuple(output.numpy() for output in outputs)

    def execution(self) -> Execution:
        """Read from the parameters and from the first output."""
        import torch

        parameter = next(self._module.parameters())
        used = str(parameter.device)
        if self._output_device is not None and str(self._output_device) != used:
            raise HarnessError("device", f"the model is on {used} but its outputs appear on {self._output_device}")
        how = [f"torch {torch.__version__}", self._how()]
        return Execution(
            used=used,
            executed=", ".join(how + ["channels_last"] * self._config.channels_last),
            precision=integers.precision_of(self._module),
            residency=self._residency,
            threads=torch.get_num_threads(),
            gpu_uuid=cuda.uuid(parameter.device) if self._on_gpu else None,
            output_shapes=self._check.shapes,
        )

    def _forward(self, batch: list[Any]) -> tuple[Any, ...]:
        with self._torch.inference_mode():
            output = self._model(*batch)
            outputs = tuple(output) if isinstance(output, tuple | list) else (output,)
            self._check(outputs)
            if self._reduction == "argmax":
                outputs = (outputs[0].argmax(dim=1),)
            if self._output_device is None:
                self._output_device = outputs[0].device
            return tuple(self._plain(one) for one in outputs)

    def _plain(self, output: Any) -> Any:
        """numpy knows no bfloat16, and responses are float32."""
        return output.float() if output.is_floating_point() else output

    def _facts(self) -> dict[str, Any]:
        model = self._config.model
        return {
            "name": model.name,
            "architecture": model.architecture,
            "parameters": sum(parameter.numel() for parameter in self._module.parameters()),
            "weights": model.weights or f"random, seed {model.seed}",
            "weights_sha256": sha256_of(Path(model.weights)) if model.weights else None,
        }
