"""Small model files of the formats that backends take, written by the tests themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def onnx_classifier(path: Path, *, classes=10, side=8, batch=None, dtype="float32", undefined=False):
    """A convolution, an average, a matrix product: logits (n, classes) of images (n, 3, side, side)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    weights = {
        "kernel": random.normal(size=(4, 3, 3, 3)).astype(dtype),
        "matrix": random.normal(size=(4, classes)).astype(dtype),
        "axes": np.array([2, 3]),
    }
    if undefined:
        weights["matrix"][0, 0] = np.nan
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["features"]),
        helper.make_node("ReduceMean", ["features", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "matrix"], ["logits"]),
    ]
    kind = getattr(TensorProto, {"float32": "FLOAT", "float64": "DOUBLE"}[dtype])
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("image", kind, [batch or "n", 3, side, side])],
        [helper.make_tensor_value_info("logits", kind, [batch or "n", classes])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def onnx_adder(path: Path):
    """int64 ids and mask (n, length) → their sum as floats: shows which rows and lengths arrived."""
    import onnx
    from onnx import TensorProto, helper

    ids, mask = (
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "length"]) for name in ("input_ids", "mask")
    )
    nodes = [
        helper.make_node("Add", ["input_ids", "mask"], ["total"]),
        helper.make_node("Cast", ["total"], ["sum"], to=TensorProto.FLOAT),
    ]
    out = helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["n", "length"])
    graph = helper.make_graph(nodes, "adder", [mask, ids], [out])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(path))
    return path


def tflite_classifier(path: Path, *, classes=10, side=8):
    """Channels-last images (1, side, side, 3) flattened into one fully connected layer."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as s

    random = np.random.default_rng(0)
    matrix = random.normal(size=(classes, side * side * 3)).astype(np.float32)

    def buffer(data=None):
        made = s.BufferT()
        made.data = None if data is None else np.frombuffer(data.tobytes(), np.uint8)
        return made

    def tensor(name, shape, buffer, kind=s.TensorType.FLOAT32):
        made = s.TensorT()
        made.name, made.shape, made.buffer, made.type = name, shape, buffer, kind
        return made

    shape = np.array([-1, side * side * 3], np.int32)
    graph = s.SubGraphT()
    graph.tensors = [
        tensor("image", [1, side, side, 3], 0),
        tensor("shape", [2], 1, s.TensorType.INT32),
        tensor("flat", [1, side * side * 3], 0),
        tensor("matrix", list(matrix.shape), 2),
        tensor("logits", [1, classes], 0),
    ]
    graph.inputs, graph.outputs = [0], [4]
    reshape, dense = s.OperatorT(), s.OperatorT()
    reshape.opcodeIndex, reshape.inputs, reshape.outputs = 0, [0, 1], [2]
    dense.opcodeIndex, dense.inputs, dense.outputs = 1, [2, 3, -1], [4]
    dense.builtinOptionsType = s.BuiltinOptions.FullyConnectedOptions
    dense.builtinOptions = s.FullyConnectedOptionsT()
    graph.operators = [reshape, dense]
    codes = []
    for builtin in (s.BuiltinOperator.RESHAPE, s.BuiltinOperator.FULLY_CONNECTED):
        code = s.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = builtin
        code.version = 1
        codes.append(code)
    model = s.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, codes, [graph]
    model.buffers = [buffer(), buffer(shape), buffer(matrix)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path, matrix
