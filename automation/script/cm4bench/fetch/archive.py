"""Unpack zip, wheel, tar.* and deb archives: every member is judged before the first byte is written.

Refused are members with `..` or absolute names, links that lead out of the folder, members below a link, devices and
pipes. The members go to a staging folder beside the destination, which is renamed when all of them are there.
"""

from __future__ import annotations

import contextlib
import fnmatch
import lzma
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from ..errors import CMBenchError
from .disk import require_space, writing_to

__all__ = ["ArchiveError", "Member", "check_members", "is_archive", "unpack"]

_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.lzma")
_ZIP_SUFFIXES = (".zip", ".whl", ".jar", ".npz")
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError)
_LINK_DEPTH = 40  # as deep as Linux itself follows


class ArchiveError(CMBenchError):
    """An archive that is damaged, of an unknown kind, or that would write outside its folder."""


@dataclass(frozen=True)
class Member:
    """One entry. `kind` is file, dir, link (symbolic), hardlink or other; `size` in bytes; `target` of a link."""

    name: str
    kind: str
    size: int = 0
    target: str = ""


class _Archive(Protocol):
    def members(self) -> Sequence[Member]: ...

    def extract(self, names: frozenset[str], folder: Path) -> None: ...


def unpack(archive: Path, destination: Path, *, include: Sequence[str] = ()) -> Path:
    """Unpack `archive` into the folder `destination`, which must not exist yet or be empty; all or nothing.

    `include` are shell patterns over member names (`*/data/*.jpg`); empty means everything. Returns `destination`.

    Raises ArchiveError, or DiskFull when the unpacked files do not fit.
    """
    if destination.is_dir() and any(destination.iterdir()):
        raise ArchiveError(f"will not unpack into {destination}: it is not empty", hint="name another folder")
    with writing_to(destination), _reading(archive) as opened:
        members = opened.members()
        check_members(members, archive.name)
        chosen = [m for m in members if _chosen(m, include)]
        if include and not chosen:
            raise ArchiveError(f"{archive.name} has no member like {', '.join(include)}")
        require_space(destination.parent, sum(m.size for m in chosen), f"unpacking {archive.name}")
        _all_or_nothing(destination, lambda folder: opened.extract(frozenset(m.name for m in chosen), folder))
    return destination


def is_archive(name: str) -> bool:
    """Can `unpack` read a file of this name?"""
    return name.lower().endswith((*_TAR_SUFFIXES, *_ZIP_SUFFIXES, ".deb"))


def check_members(members: Sequence[Member], archive: str) -> None:
    """Raises ArchiveError for the first member that would reach outside the folder or is no plain file system entry."""
    links = {_parts(m.name): m.target for m in members if m.kind == "link"}
    for member in members:
        problem = _problem(member, links)
        if problem:
            raise ArchiveError(
                f"refused to unpack {archive}: member {member.name!r} {problem}",
                hint="nothing was written; get the archive from a source you trust",
            )


def _problem(member: Member, links: Mapping[tuple[str, ...], str]) -> str:
    parts = _parts(member.name)
    if _is_absolute(member.name):
        return "has an absolute name"
    if ".." in parts:
        return "leaves its folder"
    if member.kind == "other":
        return "is a device or a pipe"
    if any(parts[:depth] in links for depth in range(1, len(parts))):
        return "lies below a link"
    if member.kind == "hardlink" and (_is_absolute(member.target) or ".." in _parts(member.target)):
        return f"is a link that leaves its folder ({member.target})"
    if member.kind == "link" and _leads_to(parts[:-1], member.target, links, _LINK_DEPTH) is None:
        return f"is a link that leaves its folder ({member.target})"
    return ""


def _leads_to(
    base: tuple[str, ...], target: str, links: Mapping[tuple[str, ...], str], depth: int
) -> tuple[str, ...] | None:
    """Where a link target leads when it is followed from `base` through the archive's own links; None: outside."""
    if _is_absolute(target) or not depth:
        return None
    here = base
    for part in _parts(target):
        if part == "..":
            if not here:
                return None
            here = here[:-1]
            continue
        step = (*here, part)
        followed = _leads_to(here, links[step], links, depth - 1) if step in links else step
        if followed is None:
            return None
        here = followed
    return here


def _parts(name: str) -> tuple[str, ...]:
    """Path components; a backslash counts as a separator, for it is one on Windows."""
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _is_absolute(name: str) -> bool:
    return name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":" and name[0].isalpha())


def _chosen(member: Member, include: Sequence[str]) -> bool:
    return not include or any(fnmatch.fnmatchcase(member.name, pattern) for pattern in include)


def _all_or_nothing(destination: Path, extract: Callable[[Path], None]) -> None:
    staging = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
    try:
        extract(staging)
        staging.chmod(0o755)
        if destination.is_dir():
            destination.rmdir()
        staging.replace(destination)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[_Archive]:
    if not path.is_file():
        raise ArchiveError(f"no such archive: {path}", hint="check the path that was given")
    try:
        with _opened(path) as archive:
            yield archive
    except _DAMAGE as error:
        raise ArchiveError(f"{path.name} cannot be read: {error}", hint="delete it and fetch it again") from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_Archive]:
    name = path.name.lower()
    if name.endswith(_ZIP_SUFFIXES):
        with zipfile.ZipFile(path) as archive:
            yield _Zip(archive)
    elif name.endswith(_TAR_SUFFIXES):
        with tarfile.open(path) as tar:
            yield _Tar(tar)
    elif name.endswith(".deb"):
        with _deb_data(path) as file, tarfile.open(fileobj=file) as tar:
            yield _Tar(tar)
    else:
        known = " ".join((*_TAR_SUFFIXES, *_ZIP_SUFFIXES, ".deb"))
        raise ArchiveError(f"{path.name} is no archive of a known kind", hint=f"known are: {known}")


class _Tar:
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    def members(self) -> list[Member]:
        return [Member(i.name, _tar_kind(i), i.size if i.isreg() else 0, i.linkname) for i in self._archive]

    def extract(self, names: frozenset[str], folder: Path) -> None:
        # tarfile's own filter is a second judge, and drops owners and set-uid bits
        safe: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        self._archive.extractall(folder, members=[i for i in self._archive if i.name in names], **safe)


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.isreg():
        return "file"
    if info.isdir():
        return "dir"
    if info.issym():
        return "link"
    return "hardlink" if info.islnk() else "other"


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def members(self) -> list[Member]:
        return [self._member(info) for info in self._archive.infolist()]

    def _member(self, info: zipfile.ZipInfo) -> Member:
        mode = info.external_attr >> 16
        if stat.S_ISLNK(mode):
            return Member(info.filename, "link", 0, self._archive.read(info).decode("utf-8", "replace"))
        if info.is_dir():
            return Member(info.filename, "dir")
        plain = stat.S_IFMT(mode) in (0, stat.S_IFREG)
        return Member(info.filename, "file" if plain else "other", info.file_size)

    def extract(self, names: frozenset[str], folder: Path) -> None:
        for info in self._archive.infolist():
            if info.filename in names:
                self._extract_one(info, folder)

    def _extract_one(self, info: zipfile.ZipInfo, folder: Path) -> None:
        mode = info.external_attr >> 16
        if stat.S_ISLNK(mode):
            link = folder.joinpath(*_parts(info.filename))
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(self._archive.read(info).decode("utf-8", "replace"))
            return
        written = Path(self._archive.extract(info, folder))
        if mode & 0o111 and written.is_file():
            written.chmod(written.stat().st_mode | 0o111)


@contextlib.contextmanager
def _deb_data(path: Path) -> Iterator[IO[bytes]]:
    """The `data.tar.*` of a Debian package: read in place, or through dpkg-deb where Python cannot (zstd)."""
    name, start, size = _deb_data_member(path)
    with tempfile.TemporaryFile() as data:
        if name.endswith(".zst"):
            _dpkg_tar(path, data)
        else:
            with path.open("rb") as file:
                file.seek(start)
                data.write(file.read(size))
        data.seek(0)
        yield data


def _deb_data_member(path: Path) -> tuple[str, int, int]:
    """Name, offset and size of the data member of the `ar` container (deb(5), ar(5): 60-byte headers, even offsets)."""
    with path.open("rb") as file:
        if file.read(8) != b"!<arch>\n":
            raise ArchiveError(f"{path.name} is no Debian package", hint="delete it and fetch it again")
        while len(header := file.read(60)) == 60:
            name, size = header[:16].decode("latin-1").strip().rstrip("/"), int(header[48:58].strip() or b"0")
            if name.startswith("data.tar"):
                return name, file.tell(), size
            file.seek(size + size % 2, 1)
    raise ArchiveError(f"{path.name} has no data.tar", hint="delete it and fetch it again")


def _dpkg_tar(path: Path, data: IO[bytes]) -> None:
    tool = shutil.which("dpkg-deb")
    if tool is None:
        raise ArchiveError(f"{path.name} is packed with zstd, which needs dpkg-deb", hint="install the package dpkg")
    done = subprocess.run([tool, "--fsys-tarfile", str(path)], stdout=data, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise ArchiveError(f"dpkg-deb cannot read {path.name}: {done.stderr.decode(errors='replace').strip()}")
