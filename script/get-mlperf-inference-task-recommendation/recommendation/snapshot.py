"""Reading a checkpoint of the library torchsnapshot without it (it has not been released since 2023).

`.snapshot_metadata` is a YAML list of what each process saved: `0/model/NAME` of rank 0, and so on. A tensor is one
piece, or shards or chunks with their places; the bytes of a piece lie in a file of their own, or in a range of one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from harness.errors import HarnessError

METADATA = ".snapshot_metadata"
_HINT = "fetch the weights again and compare their checksums"


@dataclass(frozen=True)
class Piece:
    """A block of a tensor: where it belongs (`offsets`, `sizes`) and where its bytes are."""

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    file: Path
    begin: int
    dtype: str


def read_pieces(metadata: Path) -> dict[str, list[Piece]]:
    """All tensors of the snapshot's `model` by name, from all ranks.

    Raises:
        HarnessError: kind `weights`, when the list cannot be read or is not a snapshot's.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        manifest = yaml.load(metadata.read_text(encoding="utf-8"), Loader=loader)["manifest"]
        found: dict[str, list[Piece]] = {}
        for path, entry in manifest.items():
            _, _, name = path.partition("/model/")
            pieces = list(_pieces(entry, metadata.parent))
            if name and pieces:
                known = found.setdefault(unquote(name), [])
                known += [piece for piece in pieces if piece.offsets not in {other.offsets for other in known}]
        return found
    except OSError as error:
        raise HarnessError("weights", f"cannot read {metadata}: {error.strerror}", _HINT) from error
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        cause = f"{metadata} is not the list of a snapshot: {type(error).__name__}: {str(error)[:120]}"
        raise HarnessError("weights", cause, _HINT) from error


def fill(target: Any, pieces: list[Piece], name: str) -> None:
    """Copy the pieces into the tensor `target`, straight from the files.

    Raises:
        HarnessError: kind `weights`, when they do not cover it exactly, or a file is missing or too short.
    """
    import torch

    _require_cover(tuple(target.shape), pieces, name)
    with torch.no_grad():
        for piece in pieces:
            place = tuple(slice(at, at + size) for at, size in zip(piece.offsets, piece.sizes, strict=True))
            target[place].copy_(_mapped(piece, name))


def _require_cover(shape: tuple[int, ...], pieces: list[Piece], name: str) -> None:
    ends = [tuple(at + size for at, size in zip(p.offsets, p.sizes, strict=True)) for p in pieces]
    inside = all(len(end) == len(shape) and all(e <= s for e, s in zip(end, shape, strict=True)) for end in ends)
    covered = sum(math.prod(piece.sizes) for piece in pieces)
    if not inside or covered != math.prod(shape):
        cause = f"the snapshot's {name} has {covered} values in {len(pieces)} pieces, a tensor of {shape} was expected"
        raise HarnessError("weights", cause, _HINT)


def _mapped(piece: Piece, name: str) -> Any:
    import torch

    dtype, count = getattr(torch, piece.dtype), math.prod(piece.sizes)
    needed = piece.begin + count * dtype.itemsize
    size = piece.file.stat().st_size if piece.file.is_file() else -1
    if size < needed:
        state = f"has {size} bytes, {needed} are needed" if size >= 0 else "is missing"
        raise HarnessError("weights", f"{piece.file}, which holds {name}, {state}", _HINT)
    # pages of the file, so nothing is held twice
    pages = torch.from_file(str(piece.file), shared=False, size=needed, dtype=torch.uint8)[piece.begin :]
    aligned = pages.clone() if piece.begin % dtype.itemsize else pages
    return aligned.view(dtype).reshape(piece.sizes)


def _pieces(entry: dict[str, Any], folder: Path) -> Iterator[Piece]:
    if entry["type"] == "Tensor":
        yield _piece(entry, [0] * len(entry["shape"]), entry["shape"], folder)
    for shard in entry.get("shards", entry.get("chunks")) or ():
        yield _piece(shard["tensor"], shard["offsets"], shard["sizes"], folder)


def _piece(tensor: dict[str, Any], offsets: list[int], sizes: list[int], folder: Path) -> Piece:
    if tensor["serializer"] != "buffer_protocol":
        raise ValueError(f"{tensor['location']} was written by {tensor['serializer']}, which is not read here")
    begin = int((tensor.get("byte_range") or [0])[0])
    dtype = str(tensor["dtype"]).removeprefix("torch.")
    return Piece(tuple(offsets), tuple(sizes), folder / tensor["location"], begin, dtype)
