"""The lock as a file: what was asked, what was chosen, what came out of it and where. Plain values, JSON, versioned."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from ..errors import CMBenchError

__all__ = [
    "MADE",
    "SCHEMA",
    "DataMark",
    "Lock",
    "LockError",
    "LockedRepo",
    "LockedRequest",
    "LockedStep",
    "Package",
    "is_lock",
    "read_lock",
    "write_lock",
]

SCHEMA = 1
KIND = "cm4bench-lock"
MADE = "(made by another step)"


class LockError(CMBenchError):
    """A lock that cannot be read, or that is not what its last line says."""


class LockedRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """The request without its secrets and without the machine's folders."""

    tags: str
    options: dict[str, Any] = {}
    env: dict[str, Any] = {}
    state: dict[str, Any] = {}
    const: dict[str, Any] = {}
    adr: dict[str, Any] = {}
    ad: dict[str, Any] = {}
    version: tuple[str, str, str, str] = ("", "", "", "")


class DataMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file (`size` in bytes) or folder (`size` in entries at any depth) by content.

    `portable_sha256`: the same with this machine's folders by name, where a text mentions them.
    `by`: what was hashed; of large folders only the names and sizes are.
    """

    key: str
    path: str
    kind: str
    size: int
    sha256: str = ""
    portable_sha256: str = ""
    by: str = "content"


class Package(msgspec.Struct, frozen=True, omit_defaults=True):
    """A Python package installed in `folder`; `record_sha256` is that of the list of its files with their hashes."""

    name: str
    version: str
    record_sha256: str = ""
    folder: str = ""


class LockedStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of the plan. `recipe` is the script folder's sha256, `files` that of each file in it.

    `needs` are positions in the list of steps; `versions` what the step told of tools, by environment key, `tools` the
    programs that a cached step has found.
    """

    label: str
    alias: str
    uid: str
    repo: str
    id: str
    recipe: str
    files: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    variations: dict[str, str] = {}
    version: str = ""
    delivered: str = ""
    inputs: dict[str, str] = {}
    needs: tuple[int, ...] = ()
    caches: bool = False
    made: bool = False
    data: tuple[DataMark, ...] = ()
    versions: dict[str, str] = {}
    tools: tuple[DataMark, ...] = ()
    packages: tuple[Package, ...] = ()

    @property
    def name(self) -> tuple[str, tuple[str, ...]]:
        """What makes it the same step in another lock."""
        return self.uid or self.alias, tuple(self.variations)


class LockedRepo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A repository of scripts; `commit` is empty where it is no git clone, `dirty` means uncommitted changes."""

    alias: str
    uid: str = ""
    commit: str = ""
    dirty: bool = False


class Lock(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that decided about a run. `created` is ISO 8601 in UTC; `ran`: made after a run, not from a plan."""

    created: str
    request: LockedRequest
    host: dict[str, Any]
    repositories: tuple[LockedRepo, ...]
    steps: tuple[LockedStep, ...]
    ran: bool = False
    redacted: tuple[str, ...] = ()
    request_data: tuple[DataMark, ...] = ()
    schema: int = SCHEMA
    kind: str = KIND


class _Head(msgspec.Struct):
    """As much of a lock of any version as tells its version."""

    kind: str = ""
    schema: int = 0
    sha256: str = ""


def is_lock(path: Path) -> bool:
    """Does the file say that it is a lock, of whatever version?"""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Head).kind == KIND
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def write_lock(lock: Lock, path: Path) -> None:
    """Write atomically, with a checksum over the rest.

    Raises:
        LockError: the file cannot be written.
    """
    body: dict[str, Any] = {"kind": KIND, "schema": SCHEMA, **msgspec.to_builtins(lock)}
    body["sha256"] = _checksum(body)
    text = msgspec.json.format(msgspec.json.encode(body), indent=1) + b"\n"
    temporary = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(text)
        temporary.replace(path)
    except OSError as error:
        raise LockError(f"the lock cannot be written: {path}: {error.strerror}", hint="--lock=FILE names it") from None


def read_lock(path: Path) -> Lock:
    """Read a lock back.

    Raises:
        LockError: missing, not a lock, of a newer schema, or edited since it was written.
    """
    try:
        content = path.read_bytes()
        head = msgspec.json.decode(content, type=_Head)
        body = msgspec.json.decode(content)
    except OSError as error:
        raise LockError(f"{path} cannot be read: {error.strerror}", hint="cmr … --lock=FILE makes one") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise LockError(f"{path} is not a lock: it is no such JSON", hint="cmr … --lock=FILE makes one") from None
    if head.kind != KIND:
        raise LockError(f"{path} is not a lock of cm4bench", hint="cmr … --lock=FILE makes one")
    if head.schema > SCHEMA:
        raise LockError(f"{path} has lock schema {head.schema}; this cm4bench reads up to {SCHEMA}: update cm4bench")
    if head.sha256 != _checksum(body):
        raise LockError(
            f"{path} was edited since it was written: its checksum does not fit",
            hint="make it anew with --lock=FILE; a lock is a record, and choices belong into the request",
        )
    return _decoded(body, path)


def _decoded(body: dict[str, Any], path: Path) -> Lock:
    try:
        return msgspec.convert(body, Lock)
    except msgspec.ValidationError as error:
        raise LockError(f"{path} is not a whole lock: {error}", hint="cmr … --lock=FILE makes one") from None


def _checksum(body: dict[str, Any]) -> str:
    rest = {key: value for key, value in body.items() if key != "sha256"}
    return hashlib.sha256(msgspec.json.encode(rest, order="deterministic")).hexdigest()
