"""From a torch module to an .onnx file whose batch axis, and the axes that vary between batches, are free."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

from harness import registry
from harness.arrays import Array
from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.tasks.base import Column


def module_of(model: ModelConfig, *, half: bool) -> Any:
    """The architecture with its weights, ready for inference."""
    import torch

    torch.manual_seed(model.seed)
    module = registry.resolve("architecture", model.architecture)(model).eval().requires_grad_(False)
    return module.half() if half else module


def to_onnx(module: Any, columns: tuple[Column, ...], batch: list[Array], path: Path) -> None:
    """Export with torch's own exporter; raises HarnessError of kind `load` where the network cannot be captured."""
    import torch

    dtype = next((one.dtype for one in module.parameters() if one.is_floating_point()), torch.float32)
    inputs = tuple(_cast(torch.from_numpy(one), dtype) for one in batch)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.inference_mode():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                inputs,
                dynamo=True,
                verbose=False,
                input_names=[column.name for column in columns],
                dynamic_shapes=tuple(_free_axes(column) for column in columns),
            )
    except Exception as error:  # torch.export's own errors share no useful base class
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        cause = f"{type(module).__name__} cannot be exported to ONNX: {reason}"
        raise HarnessError("load", cause, "--backend=pytorch runs it as it is") from error
    assert program is not None  # None comes from the old exporter only
    program.save(str(path))


def _cast(tensor: Any, dtype: Any) -> Any:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _free_axes(column: Column) -> dict[int, Any]:
    from torch.export import Dim

    free = [0] if column.join != "single" else []
    shape = column.shape if column.join == "concat" else (1, *column.shape)
    free += [axis for axis, length in enumerate(shape) if length is None and axis not in free]
    free += [1] if column.join == "trim" else []
    return dict.fromkeys(free, Dim.DYNAMIC)
