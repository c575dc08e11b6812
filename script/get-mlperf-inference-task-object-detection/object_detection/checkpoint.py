"""Weights out of the files that detectors are published in, without running code from them.

The official checkpoints are pickled network objects: they name classes of torchvision or ultralytics, which need not be
installed here and should not run. A reader that knows tensors only, and takes an empty shell for every other class, can
walk the pickled object and collect its parameters.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from harness.errors import HarnessError

HINT = "fetch the weights again and compare their checksum"
# Enough to rebuild tensors and containers; nothing here can start or write anything.
TRUSTED = {
    ("collections", "OrderedDict"),
    ("copyreg", "_reconstructor"),
    ("torch", "Size"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch._utils", "_rebuild_tensor_v2"),
    *(("torch", f"{kind}Storage") for kind in ("BFloat16", "Half", "Float", "Double", "Long", "Int", "Byte", "Bool")),
    *(("builtins", name) for name in ("object", "set", "dict", "list", "tuple")),
}


class Shell:
    """Stands for an object of a class that is not loaded; has its state and none of its behaviour."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Shell:
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, Mapping):
            self.__dict__.update(state)

    def __call__(self, *args: Any, **kwargs: Any) -> Shell:
        return self

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def append(self, value: Any) -> None:
        """Lists of an unknown class."""

    def extend(self, values: Any) -> None:
        """Lists of an unknown class."""


class ShellUnpickler(pickle.Unpickler):
    """Knows the TRUSTED names; every other one becomes a Shell."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in TRUSTED:
            return super().find_class(module, name)
        return type(name, (Shell,), {})


def load_into(module: Any, path: Path) -> None:
    """Put the weights of a checkpoint into a network, exactly; batch counters may be missing.

    Raises:
        HarnessError: kind `weights`, when the file cannot be read, or names or shapes differ.
    """
    from harness.models import weights

    state = read(path)
    for name, tensor in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            state.setdefault(name, tensor)
    weights.load_into(module, state, path)


def read(path: Path) -> dict[str, Any]:
    """Tensors by name, as float32, from a state dict, a training checkpoint or a pickled network.

    Raises:
        HarnessError: kind `weights`, when the file is missing, damaged or holds no tensors.
    """
    if not path.is_file():
        raise HarnessError("weights", f"weights file {path} does not exist", f"ls -l {path.parent}")
    try:
        content = _unpickle(path)
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise HarnessError("weights", f"weights file {path} cannot be read: {reason[:200]}", HINT) from error
    found = dict(_tensors(content))
    if not found:
        raise HarnessError("weights", f"weights file {path} holds no network", HINT)
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in found.items()}


def _unpickle(path: Path) -> Any:
    import torch

    def load(file: IO[bytes], **options: Any) -> Any:
        return ShellUnpickler(file, **options).load()

    reader = SimpleNamespace(Unpickler=ShellUnpickler, load=load, __name__="shell")
    return torch.load(path, map_location="cpu", pickle_module=reader, weights_only=False)


def _tensors(content: Any) -> Iterator[tuple[str, Any]]:
    import torch

    if isinstance(content, Mapping):
        inner = next((content[key] for key in ("ema", "model", "state_dict") if content.get(key) is not None), None)
        if inner is not None and not isinstance(inner, torch.Tensor):
            yield from _tensors(inner)
        else:
            yield from ((name, value) for name, value in content.items() if isinstance(value, torch.Tensor))
    elif isinstance(content, Shell):
        yield from _walk(content, "")


def _walk(module: Shell, prefix: str) -> Iterator[tuple[str, Any]]:
    state = vars(module)
    for kind in ("_parameters", "_buffers"):
        named: OrderedDict[str, Any] = state.get(kind) or OrderedDict()
        yield from ((prefix + name, value) for name, value in named.items() if value is not None)
    for name, child in (state.get("_modules") or {}).items():
        if isinstance(child, Shell):
            yield from _walk(child, f"{prefix}{name}.")
