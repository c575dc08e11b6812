"""Tables that MLPerf publishes, as pandas frames: pickles and Parquet files.

A pickle can run any program when it is opened. These come from a store that others than MLCommons copy and repack, so
only what a frame consists of is let in.
"""

from __future__ import annotations

import gzip
import io
import pickle
from pathlib import Path
from typing import Any

# Packages whose classes a frame is made of, and the functions that put them together.
_PACKAGES = ("pandas.", "numpy.", "pyarrow.")
_MAKERS = {
    "_new_Index", "_unpickle_block", "new_block", "_reconstruct", "_frombuffer", "scalar",
    "_restore_array", "_reconstruct_block", "py_buffer", "type_for_alias", "string", "large_string",
}  # fmt: skip
_BUILTINS = {"slice", "list", "dict", "set", "tuple", "bytearray", "complex", "range", "object", "int", "float", "str"}


class FrameUnpickler(pickle.Unpickler):
    """Refuses everything but frames, their indexes, blocks and arrays; UnpicklingError names what it was."""

    def find_class(self, module: str, name: str) -> Any:
        from pandas.compat import pickle_compat

        moved = getattr(pickle_compat, "_class_locations_map", {})
        module, name = moved.get((module, name), (module, name))
        if (module, name) in (("_codecs", "encode"), ("functools", "partial")) or (
            module == "builtins" and name in _BUILTINS
        ):
            return super().find_class(module, name)
        found = super().find_class(module, name) if f"{module}.".startswith(_PACKAGES) else None
        if isinstance(found, type) or (found is not None and name in _MAKERS):
            return found
        raise pickle.UnpicklingError(f"it wants {module}.{name}, which no table needs")


def read_table(path: Path) -> Any:
    """A pickled (also gzipped) or Parquet frame. Raises OSError or ValueError naming the file."""
    import pandas

    try:
        content = path.read_bytes()
        if content[:4] == b"PAR1":
            return pandas.read_parquet(io.BytesIO(content))
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        frame = FrameUnpickler(io.BytesIO(content)).load()
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a broken pickle can raise anything
        raise ValueError(f"{path} is not a pickled or Parquet table: {error}") from error
    if not isinstance(frame, pandas.DataFrame):
        raise ValueError(f"{path} holds a {type(frame).__name__}, not a table")
    return frame


def columns(path: Path, *wanted: str) -> list[tuple[Any, ...]]:
    """Rows of the wanted columns, in the table's order; a name may offer alternatives: `tok_input|input_tokens`.

    Raises ValueError when a column is missing or the table is empty.
    """
    frame = read_table(path)
    names = [next((name for name in one.split("|") if name in frame.columns), "") for one in wanted]
    missing = [one for one, name in zip(wanted, names, strict=True) if not name]
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}")
    if frame.empty:
        raise ValueError(f"{path} has no rows")
    return list(zip(*(frame[name].tolist() for name in names), strict=True))
