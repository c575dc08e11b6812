"""The tarball and the list of hashes; the same tree gives the same bytes."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlperf_submission import files

MANIFEST = "MANIFEST.sha256"


def members(folder: Path) -> Iterator[Path]:
    """The files below a folder, sorted by name."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def pack(folder: Path, target: Path, root_name: str, beside: Sequence[Path] = ()) -> None:
    """Write ``target`` (tar.gz) without owners and times.

    Args:
        folder: its files go below ``root_name``.
        beside: further files that go there.
    """
    entries = [*((path.name, path) for path in beside)]
    entries += [(path.relative_to(folder).as_posix(), path) for path in members(folder)]
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in entries:
            entry = tarfile.TarInfo(f"{root_name}/{name}")
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as content:
                tar.addfile(entry, content)


def write_manifest(folder: Path) -> None:
    """Write MANIFEST.sha256 of everything below ``folder``, as `sha256sum -c` reads it."""
    lines = [f"{files.sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in members(folder)]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8")
