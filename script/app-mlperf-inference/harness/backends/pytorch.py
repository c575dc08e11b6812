"""PyTorch on a CPU or an NVIDIA GPU. The GPU paths are untested on hardware."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness import registry
from harness.arrays import Array
from harness.backends import cuda, staging
from harness.backends.base import Execution
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.hashing import sha256
from harness.tasks.base import Reduction

_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


class PytorchBackend:
    """A torch module in inference mode, with its weights cast to the asked precision.

    On a GPU `submit` only enqueues work and `collect` waits for the pinned output copy, so that two batches overlap.
    """

    def __init__(self, config: RunConfig, reduction: Reduction) -> None:
        self._config, self._reduction = config, reduction
        self._model: Any = None
        self._store: staging.Store | None = None
        self._output_device = ""
        self._residency = "host"

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
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        self._module = module.to(device=device, dtype=self._dtype, memory_format=layout)
        self._model = torch.compile(self._module) if config.compile else self._module
        return self._facts()

    def stage(self, count: int, shape: tuple[int, ...], chunks: Iterable[Array]) -> None:
        """Cast and lay out the samples in host or GPU memory."""
        self._store = self._choose_store(count, shape, chunks)
        self._residency = self._store.residency

    def _choose_store(self, count: int, shape: tuple[int, ...], chunks: Iterable[Array]) -> staging.Store:
        config = self._config
        like = {"dtype": self._dtype, "channels_last": config.channels_last and len(shape) == 3}
        if not self._on_gpu:
            return staging.TensorStore(staging.fill(count, shape, chunks, **like), "host")
        needed = count * self._dtype.itemsize * math.prod(shape)
        if cuda.keep_on_device(config.residency, needed, self._device):
            return staging.TensorStore(staging.fill(count, shape, chunks, **like, device=self._device), "device")
        pinned = staging.fill(count, shape, chunks, **like, pin_memory=True)
        return staging.PinnedStore(pinned, self._device, config.batch_size)

    def unstage(self) -> None:
        """Free the staged samples."""
        self._store = None

    def warm_up(self, batches: int, batch_size: int, shape: tuple[int, ...]) -> None:
        """Infer batches of zeros, at least one, which also shows on which device outputs appear.

        torch.compile specialises on the batch size: three sizes make it compile the full, the any-size and the
        single-sample graph now, not during the run.
        """
        sizes = [batch_size] * max(1, batches)
        if self._config.compile:
            sizes += [batch_size // 2 or 1, 1]
        for size in sizes:
            output = self._forward(self._zeros(size, shape))
        self._output_device = str(output.device)
        if self._on_gpu:
            self._torch.cuda.synchronize(self._device)

    def _zeros(self, size: int, shape: tuple[int, ...]) -> Any:
        channels_last = self._config.channels_last and len(shape) == 3
        layout = self._torch.channels_last if channels_last else self._torch.contiguous_format
        zeros = self._torch.zeros((size, *shape), device=self._device, dtype=self._dtype)
        return zeros.contiguous(memory_format=layout)

    def submit(self, rows: list[int]) -> Any:
        """Compute (CPU) or enqueue (GPU) one batch."""
        store = self._store
        if store is None:
            raise HarnessError("raised", "a query arrived although no samples are staged")
        output = self._forward(store.batch(rows))
        return cuda.start_copy_back(output) if self._on_gpu else output

    def collect(self, ticket: Any) -> Array:
        """Outputs as a numpy array."""
        array: Array = (cuda.finish_copy_back(ticket) if self._on_gpu else ticket).numpy()
        return array

    def execution(self) -> Execution:
        """Read from the parameters and from a warm-up output."""
        import torch

        parameter = next(self._module.parameters())
        used = str(parameter.device)
        if self._output_device != used:
            raise HarnessError("device", f"the model is on {used} but its outputs appear on {self._output_device}")
        precision = {value: key for key, value in _DTYPES.items()}.get(str(parameter.dtype).removeprefix("torch."))
        how = [f"torch {torch.__version__}", "torch.compile" if self._config.compile else "eager"]
        return Execution(
            used=used,
            executed=", ".join(how + ["channels_last"] * self._config.channels_last),
            precision=precision or str(parameter.dtype),
            residency=self._residency,
            threads=torch.get_num_threads(),
            gpu_uuid=cuda.uuid(parameter.device) if self._on_gpu else None,
        )

    def _forward(self, batch: Any) -> Any:
        with self._torch.inference_mode():
            output = self._model(batch)
            logits = output[0] if isinstance(output, tuple) else output
            return logits.argmax(dim=1) if self._reduction == "argmax" else logits.float()

    def _facts(self) -> dict[str, Any]:
        model = self._config.model
        return {
            "name": model.name,
            "architecture": model.architecture,
            "parameters": sum(parameter.numel() for parameter in self._module.parameters()),
            "weights": model.weights or f"random, seed {model.seed}",
            "weights_sha256": sha256(Path(model.weights)) if model.weights else None,
        }
