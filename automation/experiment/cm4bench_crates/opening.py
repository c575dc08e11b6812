"""Getting at a crate that somebody sent: nothing in it may write or read outside of it, or fill the disk."""

from __future__ import annotations

import contextlib
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from cm4bench.errors import CMBenchError
from cm4bench.fetch.archive import unpack
from cm4bench_crates.errors import CrateError
from cm4bench_crates.layout import METADATA

# Logs of the largest benchmarks stay well below; a bomb does not.
MOST_BYTES = 8 << 30
MOST_FILES = 100_000
_ANOTHER = "get the crate again, from a source you trust"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The crate's folder; an archive is unpacked for as long as the context lasts.

    Raises:
        CrateError: no crate, a damaged archive, a member or link that leads out of it, or too much to unpack.
    """
    if path.is_dir():
        _refuse_links_out(path)
        yield _root(path)
        return
    if not path.is_file():
        raise CrateError(f"{path} is not there", "cm reproduce experiment CRATE names a folder or an archive")
    with tempfile.TemporaryDirectory(prefix="cm4bench-crate-") as folder:
        _refuse_too_much(path)
        try:
            unpacked = unpack(path, Path(folder) / "crate")
        except CMBenchError as error:
            raise CrateError(error.cause, error.hint or _ANOTHER) from None
        _refuse_links_out(unpacked)
        yield _root(unpacked)


def _root(folder: Path) -> Path:
    """The folder itself, or the only folder in it: some tools pack the folder around a crate too."""
    inside = [path for path in folder.iterdir() if path.is_dir()]
    for place in [folder, *inside][: 2 if len(inside) == 1 else 1]:
        if (place / METADATA).is_file():
            return place
    raise CrateError(f"{folder.name} is no RO-Crate: it has no {METADATA}", "cm capture experiment ID makes one")


def _refuse_too_much(path: Path) -> None:
    count = total = 0
    try:
        for size in _sizes(path):
            count, total = count + 1, total + size
            if count > MOST_FILES or total > MOST_BYTES:
                limits = f"{MOST_FILES:,} files and {MOST_BYTES >> 30} GiB"
                raise CrateError(f"{path.name} would unpack to more than {limits}; nothing was written", _ANOTHER)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise CrateError(f"{path.name} cannot be read: {error}", _ANOTHER) from None


def _sizes(path: Path) -> Iterable[int]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (info.file_size for info in archive.infolist())
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            yield from (info.size for info in archive)


def _refuse_links_out(folder: Path) -> None:
    root = folder.resolve()
    for path in folder.rglob("*"):
        if path.is_symlink() and root not in path.resolve().parents:
            raise CrateError(f"{path.relative_to(folder)} is a link that leads out of the crate", _ANOTHER)
