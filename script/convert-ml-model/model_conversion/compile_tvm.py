"""An .onnx file compiled by Apache TVM for this processor."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from harness.backends import kernels
from harness.backends.require import package
from harness.errors import HarnessError

_FORMATS = {"FLOAT": "fp32", "FLOAT16": "fp16", "INT8": "int8", "UINT8": "int8"}


def to_library(source: Path, target: Path) -> dict[str, Any]:
    """Compile; returns what the backend must know of the file: its inputs, and its kernels by number format.

    Raises:
        HarnessError: kind `load`, where TVM has no translation for a node.
    """
    tvm, onnx = package("tvm"), package("onnx")
    model = onnx.load(str(source))
    try:
        program = package("tvm.relax.frontend.onnx").from_onnx(model)
        program = tvm.relax.get_pipeline("zero")(program)
        tvm.compile(program, target=_host(tvm)).export_library(str(target))
    except Exception as error:  # its importer raises what comes
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:300]
        raise HarnessError("load", f"TVM cannot compile {source.name}: {reason}", "--backend=onnxruntime") from error
    return {"inputs": _inputs(model), "kernels": _kernels(onnx, model)}


def _host(tvm: Any) -> Any:
    cpu = tvm.get_global_func("target.llvm_get_system_cpu", allow_missing=True)
    return tvm.target.Target({"kind": "llvm", "mcpu": str(cpu())} if cpu else {"kind": "llvm"})


def _inputs(model: Any) -> list[dict[str, Any]]:
    helper = package("onnx.helper")
    weights = {one.name for one in model.graph.initializer}
    return [
        {
            "name": one.name,
            "shape": [axis.dim_value or None for axis in one.type.tensor_type.shape.dim],
            "dtype": helper.tensor_dtype_to_np_dtype(one.type.tensor_type.elem_type).name,
        }
        for one in model.graph.input
        if one.name not in weights
    ]


def _kernels(onnx: Any, model: Any) -> Counter[str]:
    """Number format of each multiplying node, by its weights; by that of any input where both are computed."""
    types = {one.name: onnx.TensorProto.DataType.Name(one.data_type) for one in model.graph.initializer}
    found: Counter[str] = Counter()
    for node in model.graph.node:
        if kernels.computes(node.op_type):
            known = [types[name] for name in node.input[1:2] if name in types]
            found[_FORMATS.get(known[0], known[0]) if known else "fp32"] += 1
    return found
