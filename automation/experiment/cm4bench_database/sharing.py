"""Results to and from a shared place: a folder, an object store, anything that fsspec reaches.

A result never changes once it is made, so what is on both sides with the same content is left alone, and what differs
is named and not overwritten. The records go last: who sees a record there finds its logs as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cm4bench_database.errors import DatabaseError
from cm4bench_database.extras import need
from cm4bench_database.scan import IMPORT_SUFFIX, IMPORTED, PLACE
from cm4bench_results.store import RESULT_FILE

_PART = ".part"
_EXTRA = {"s3": "s3fs", "s3a": "s3fs"}


@dataclass(frozen=True)
class Shared:
    """What was moved. ``differing`` are on both sides with other content; ``refused`` are names that lead elsewhere."""

    moved: tuple[str, ...]
    alike: int
    differing: tuple[str, ...]
    refused: tuple[str, ...] = ()

    def __str__(self) -> str:
        records = sum(name.endswith(f"/{RESULT_FILE}") for name in self.moved)
        return f"{len(self.moved)} files ({records} records), {self.alike} were there already"


def push(home: Path, url: str, *, force: bool = False) -> Shared:
    """Copy all results below ``home``, and its imports, to ``url``.

    Args:
        force: overwrite what differs there.

    Raises:
        DatabaseError: the place cannot be reached or written.
    """
    store = _Store.at(url)
    local = {name: home / name for name in _local(home)}
    if not local:
        raise DatabaseError(f"{home} has no results to push", "--results_dir=FOLDER")
    there = store.sizes()
    moved, alike, differing = [], 0, []
    for name in sorted(local, key=_records_last):
        path = local[name]
        if name in there and store.has(name, path, there[name]):
            alike += 1
        elif name in there and not force:
            differing.append(name)
        else:
            store.put(path, name)
            moved.append(name)
    return Shared(tuple(moved), alike, tuple(differing))


def pull(home: Path, url: str, *, force: bool = False) -> Shared:
    """Copy all results from ``url`` below ``home``. Names that would lead out of it are refused.

    Args:
        force: overwrite what differs here.

    Raises:
        DatabaseError: the place cannot be reached, has no results, or ``home`` cannot be written.
    """
    store = _Store.at(url)
    there = {name: size for name, size in store.sizes().items() if not name.endswith(_PART)}
    if not any(_is_truth(name) for name in there):
        raise DatabaseError(f"{url} has no results", "cm push experiment --to=URL puts some there")
    moved, alike, differing, refused = [], 0, [], []
    for name in sorted(there, key=_records_last):
        path = _inside(home, name)
        if path is None:
            refused.append(name)
        elif path.is_file() and store.has(name, path, there[name]):
            alike += 1
        elif path.exists() and not force:
            differing.append(name)
        else:
            store.get(name, path)
            moved.append(name)
    return Shared(tuple(moved), alike, tuple(differing), tuple(refused))


@dataclass(frozen=True)
class _Store:
    """A place of fsspec's."""

    filesystem: Any
    root: str
    url: str

    @classmethod
    def at(cls, url: str) -> _Store:
        need("fsspec", *(extra for name, extra in _EXTRA.items() if url.startswith(f"{name}://")))
        import fsspec

        try:
            filesystem, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError, OSError) as error:
            raise DatabaseError(f"{url}: {error}", "file:///FOLDER, s3://BUCKET/FOLDER, or what fsspec knows") from None
        return cls(filesystem, str(root).rstrip("/"), url)

    def sizes(self) -> dict[str, int]:
        """Size of each file below, by relative name."""
        with _told(self.url):
            try:
                self.filesystem.invalidate_cache()
                found = self.filesystem.find(self.root, detail=True)
            except FileNotFoundError:
                return {}
            start = len(self.root) + 1
            return {str(name)[start:]: int(entry.get("size") or 0) for name, entry in found.items()}

    def has(self, name: str, path: Path, size: int) -> bool:
        """Whether a file there is the one here. Records and imports are read; of logs the size is believed."""
        if size != path.stat().st_size:
            return False
        if not _is_truth(name):
            return True
        with _told(self.url):
            return bool(self.filesystem.cat_file(f"{self.root}/{name}") == path.read_bytes())

    def put(self, path: Path, name: str) -> None:
        target = f"{self.root}/{name}"
        with _told(self.url):
            self.filesystem.makedirs(target.rpartition("/")[0], exist_ok=True)
            # a folder shows half a file, an object store does not
            is_folder = "file" in _protocols(self.filesystem)
            scrap = target + _PART if is_folder else target
            self.filesystem.put_file(str(path), scrap)
            if is_folder:
                Path(scrap).replace(target)

    def get(self, name: str, path: Path) -> None:
        scrap = path.with_name(path.name + _PART)
        with _told(self.url):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.filesystem.get_file(f"{self.root}/{name}", str(scrap))
                scrap.replace(path)
            finally:
                scrap.unlink(missing_ok=True)


class _told:  # noqa: N801  reads as a word in `with`
    """Errors of any file system in one line."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        # each file system has errors of its own, and most say nothing of the place
        if isinstance(error, Exception) and not isinstance(error, DatabaseError):
            cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise DatabaseError(f"{self._url}: {cause}", "see that the place can be reached and written") from None


def _protocols(filesystem: Any) -> tuple[str, ...]:
    found = filesystem.protocol
    return (found,) if isinstance(found, str) else tuple(found)


def _local(home: Path) -> Iterator[str]:
    """Relative names of what is shared; hidden files and links are not."""
    for place, folders, names in os.walk(home):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and not name.endswith(_PART) and path.is_file() and not path.is_symlink():
                yield path.relative_to(home).as_posix()
    for path in sorted((home / PLACE / IMPORTED).glob(f"*{IMPORT_SUFFIX}")):
        yield path.relative_to(home).as_posix()


def _inside(home: Path, name: str) -> Path | None:
    """Where a name of the other side belongs; None for one that leads out of the home, by ``..`` or through a link."""
    pure = PurePosixPath(name)
    hidden = any(part.startswith(".") for part in pure.parts)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name or (hidden and not _is_import(name)):
        return None
    path = home / pure
    if path.is_symlink() or not path.parent.resolve().is_relative_to(home.resolve()):
        return None
    return path


def _is_import(name: str) -> bool:
    return PurePosixPath(name).parent == PurePosixPath(PLACE, IMPORTED) and name.endswith(IMPORT_SUFFIX)


def _is_truth(name: str) -> bool:
    return _is_import(name) or PurePosixPath(name).name == RESULT_FILE


def _records_last(name: str) -> tuple[bool, str]:
    return _is_truth(name), name
