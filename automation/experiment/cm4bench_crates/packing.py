"""A folder into one file: equal folders give equal bytes, whoever packs them and when."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from cm4bench_crates.errors import CrateError

# The first moment that a zip archive can tell.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644
_FORMS = (".zip", ".tar.gz", ".tgz")


def is_archive_name(path: Path) -> bool:
    """Does the name ask for an archive, not for a folder?"""
    return path.name.lower().endswith(_FORMS)


def pack(folder: Path, target: Path) -> None:
    """Write all files of ``folder`` into ``target`` (.zip, .tar.gz, .tgz), or move them into a new folder; atomically.

    Raises:
        CrateError: the target is a folder with something in it, or cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_archive_name(target):
            _write(target, lambda file: (_zip if target.name.lower().endswith(".zip") else _tar)(folder, file))
        else:
            _move(folder, target)
    except OSError as error:
        raise CrateError(f"{target} cannot be written: {error.strerror or error}", "--output=FILE.zip") from None


def _move(folder: Path, target: Path) -> None:
    import shutil

    if (target.is_dir() and any(target.iterdir())) or target.is_file():
        raise CrateError(f"{target} is there already", "--output=FOLDER names a new one, or FILE.zip")
    shutil.copytree(folder, target, dirs_exist_ok=True, copy_function=shutil.copyfile)


def _write(target: Path, fill: Callable[[BinaryIO], None]) -> None:
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        scrap = Path(file.name)
        try:
            fill(file)  # type: ignore[arg-type]
            file.flush()
            scrap.chmod(_MODE)
            scrap.replace(target)
        except BaseException:
            scrap.unlink(missing_ok=True)
            raise


def _files(folder: Path) -> list[tuple[str, Path]]:
    return sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())


def _zip(folder: Path, file: BinaryIO) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, path in _files(folder):
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.external_attr, info.create_system, info.compress_type = _MODE << 16, 3, zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes(), compresslevel=6)


def _tar(folder: Path, file: BinaryIO) -> None:
    with (
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, path in _files(folder):
            content = path.read_bytes()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), _MODE
            archive.addfile(info, io.BytesIO(content))
