"""The network as TorchScript, and how its outputs become loadgen's response bytes without the task's Python."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import registry
from harness.arrays import Array
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.hashing import sha256_of
from harness.tasks.base import Task

_JOINS = ("stack", "trim")
_PRECISIONS = ("fp32", "bf16", "fp16")
_TOLERANCE = 1e-4
_PYTHON = "use implementation python"


@dataclass(frozen=True)
class Exported:
    """`path` is the saved module, None for a run without a model; `packing` and `width` describe a response."""

    path: Path | None
    packing: str
    width: int
    facts: dict[str, Any]

    def lines(self) -> dict[str, Any]:
        """For the settings file."""
        return {"module": self.path or "", "packing": self.packing, "width": self.width}


def export(config: RunConfig, task: Task, path: Path) -> Exported:
    """Trace the model on two of the task's samples and save it.

    Raises:
        HarnessError: kind `config` for what the program cannot do, `weights` where the traced module answers otherwise.
    """
    _require_possible(config, task)
    if config.model.architecture == "none":
        return Exported(None, "concat", task.response_width or 1, {"name": config.model.name, "parameters": 0})
    import torch

    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.model.seed)
    module = registry.resolve("architecture", config.model.architecture)(config.model).eval().requires_grad_(False)
    indices = [0, min(1, task.count - 1)]
    inputs = [
        torch.from_numpy(_numpy(values, column.dtype))
        for values, column in zip(task.load(indices), task.columns, strict=True)
    ]
    with torch.inference_mode():
        eager = _outputs(module(*inputs))
    task.check_outputs(tuple(tuple(one.shape) for one in eager))
    traced = _traced(module, inputs)
    _require_same(traced, inputs, eager)
    traced.save(str(path))
    packing = _packing(task, eager, indices)
    width = int(task.response_width or _packed(eager, packing).shape[1])
    return Exported(path, packing, width, _facts(config, module))


def _require_possible(config: RunConfig, task: Task) -> None:
    if config.backend not in ("pytorch", "null") or config.compile:
        asked = f"backend {config.backend}" if not config.compile else "torch.compile"
        raise HarnessError("config", f"the C++ harness runs TorchScript on libtorch, not {asked}", _PYTHON)
    if config.precision not in _PRECISIONS:
        raise HarnessError("config", f"the C++ harness has {', '.join(_PRECISIONS)}, not {config.precision}", _PYTHON)
    odd = [column.name for column in task.columns if column.join not in _JOINS]
    if odd or task.response_dtype != "float32":
        what = f"samples of their own shapes ({', '.join(odd)})" if odd else f"answers of type {task.response_dtype}"
        raise HarnessError("config", f"the C++ harness has no {what}", _PYTHON)


def _traced(module: Any, inputs: list[Any]) -> Any:
    import torch

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # TorchScript is deprecated in favour of torch.export, and says so each time
        try:
            return torch.jit.trace(module, tuple(inputs), check_trace=False)  # type: ignore[no-untyped-call]
        except Exception as error:
            cause = str(error).strip().splitlines()[0]
            raise HarnessError("config", f"the model cannot be made into TorchScript: {cause}", _PYTHON) from error


def _require_same(traced: Any, inputs: list[Any], eager: tuple[Any, ...]) -> None:
    """One sample instead of two: a trace that has frozen the batch size is found out here."""
    import torch

    with torch.inference_mode():
        again = _outputs(traced(*[one[:1] for one in inputs]))
    if not all(torch.allclose(a, b[:1], rtol=_TOLERANCE, atol=_TOLERANCE) for a, b in zip(again, eager, strict=True)):
        raise HarnessError("weights", "the model as TorchScript does not answer as the model does", _PYTHON)


def _outputs(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _packed(outputs: tuple[Any, ...], packing: str) -> Array:
    """What the program will do (src/model.cc)."""
    import torch

    if packing == "argmax":
        packed = outputs[0].argmax(dim=1, keepdim=True)
    elif packing == "stack":
        packed = torch.stack(outputs, dim=-1).flatten(1)
    else:
        packed = torch.cat([one.flatten(1) for one in outputs], dim=1)
    array: Array = packed.float().numpy()
    return array


def _packing(task: Task, outputs: tuple[Any, ...], indices: list[int]) -> str:
    """The way of packing that gives the very bytes of the task's own `encode`."""
    import numpy as np

    reduced = (outputs[0].argmax(dim=1), *outputs[1:]) if task.reduction == "argmax" else outputs
    wanted = [
        np.asarray(one, dtype="float32").reshape(-1)
        for one in task.encode(tuple(one.numpy() for one in reduced), indices)
    ]
    for packing in ("argmax",) if task.reduction == "argmax" else ("stack", "concat"):
        try:
            packed = _packed(outputs, packing)
        except RuntimeError:  # outputs of different shapes cannot be stacked
            continue
        if all(np.array_equal(a, b) for a, b in zip(wanted, packed, strict=True)):
            return packing
    raise HarnessError("config", "the task packs its answers in Python, in a way that the C++ harness has not", _PYTHON)


def _numpy(values: Any, dtype: str) -> Array:
    import numpy as np

    return np.ascontiguousarray(values, dtype=dtype)


def _facts(config: RunConfig, module: Any) -> dict[str, Any]:
    model = config.model
    return {
        "name": model.name,
        "architecture": model.architecture,
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "weights": model.weights or f"random, seed {model.seed}",
        "weights_sha256": sha256_of(Path(model.weights)) if model.weights else None,
    }
