"""Reading the files of a prepared data set; what is wrong with one is said in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.errors import HarnessError


def read_json(path: Path, kind: Any, hint: str) -> Any:
    """The file's contents as a `kind`; raises HarnessError of kind `dataset`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror}", hint) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("dataset", f"{path}: {error}", hint) from error


def read_array(path: Path, hint: str, *, memory_map: bool = True) -> Array:
    """The array of a .npy file, mapped rather than read unless told; raises HarnessError of kind `dataset`."""
    import numpy as np

    try:
        array: Array = np.load(path, mmap_mode="r" if memory_map else None, allow_pickle=False)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror or error}", hint) from error
    except (ValueError, EOFError) as error:
        raise HarnessError("dataset", f"{path} is not a usable .npy file: {error}", hint) from error
    return array
