"""Reading a state dict, and saying exactly what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import HarnessError


def read_state_dict(path: Path) -> dict[str, Any]:
    """Read tensors by name from a .pth file without running code from it.

    Raises:
        HarnessError: kind `weights`, when the file is missing, unreadable or not a state dict.
    """
    import torch

    if not path.is_file():
        raise HarnessError("weights", f"weights file {path} does not exist", f"ls -l {path.parent}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise HarnessError("weights", f"weights file {path} cannot be read: {reason[:200]}", _HINT) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise HarnessError("weights", f"weights file {path} is not a state dict of tensors", _HINT)
    return dict(state)


def load_into(module: Any, state: Mapping[str, Any], source: Path) -> None:
    """Put a state dict into a module, exactly.

    Raises:
        HarnessError: kind `weights`, when names or shapes differ; names up to three of them.
    """
    wanted = module.state_dict()
    missing = [name for name in wanted if name not in state]
    unexpected = [name for name in state if name not in wanted]
    wrong = [name for name in wanted if name in state and wanted[name].shape != state[name].shape]
    problems = [
        f"{len(names)} {what} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", wrong))
        if names
    ]
    if problems:
        raise HarnessError("weights", f"{source} does not fit {type(module).__name__}: {'; '.join(problems)}", _HINT)
    module.load_state_dict(state)


_HINT = "fetch the weights again and compare their checksum"
