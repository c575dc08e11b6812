"""The index of a capsule: reading it without trusting it, and checking all that it names."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

SCHEMA = 1
KIND = "cm4bench-capsule"
INDEX = "capsule.json"
PACKAGE_LISTS = ("packages.txt", "packages-without-dependencies.txt")
_PARTS = {"members": list, "machine": dict, "request": dict, "left_out": list, "redacted": list, "engine": str}


class CapsuleError(Exception):
    """The capsule is damaged, newer than this program, or not for this machine."""

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.cause, self.hint = cause, hint


def read_index(capsule: Path) -> dict[str, Any]:
    """The index of a capsule folder.

    Raises:
        CapsuleError: none there, not one, of a newer schema, edited, or with a path that leads out of the folder.
    """
    try:
        index = json.loads((capsule / INDEX).read_text(encoding="utf-8"))
    except OSError as error:
        raise CapsuleError(f"{capsule} is no capsule: {INDEX}: {error.strerror}", "name a capsule's folder") from None
    except ValueError:
        raise CapsuleError(f"{capsule / INDEX} is damaged: no JSON", "copy the capsule again") from None
    if not isinstance(index, dict) or index.get("kind") != KIND:
        raise CapsuleError(f"{capsule} is no capsule of cm4bench", "name a capsule's folder")
    if not isinstance(index.get("schema"), int) or index["schema"] > SCHEMA:
        raise CapsuleError(
            f"{capsule} has capsule schema {index.get('schema')}; this program reads up to {SCHEMA}",
            "update cm4bench, or start the capsule by its own ./run",
        )
    if index.get("sha256") != index_digest(index):
        raise CapsuleError(f"{capsule / INDEX} was changed since it was written", "copy or make the capsule again")
    if not all(isinstance(index.get(key), kind) for key, kind in _PARTS.items()):
        raise CapsuleError(f"{capsule / INDEX} is not whole", "make the capsule again")
    for member in index["members"]:
        _refuse_escape(member["path"])
        if re.fullmatch(r"[0-9a-f]{64}", member["sha256"]) is None:
            raise CapsuleError(f"{capsule / INDEX} has no proper hash for {member['path']}", "make the capsule again")
    return index


def index_digest(index: Mapping[str, Any]) -> str:
    """sha256 of the index without its own digest: the capsule's name."""
    rest = {key: value for key, value in index.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _refuse_escape(name: str) -> None:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise CapsuleError(f"the capsule has a member that leads out of its folder: {name!r}", "do not use it")


def objects_of(index: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each distinct content once, by sha256."""
    return {member["sha256"]: member for member in index["members"]}


def object_path(capsule: Path, digest: str) -> Path:
    """Where content of that sha256 lies."""
    return capsule / "objects" / digest[:2] / digest


def verify(capsule: Path, index: Mapping[str, Any]) -> None:
    """Read every object.

    Raises:
        CapsuleError: one is missing or has other content; names its member.
    """
    for digest, member in objects_of(index).items():
        path = object_path(capsule, digest)
        if not path.is_file():
            raise CapsuleError(f"{member['path']} is missing from the capsule: {path}", "copy the capsule again")
        if path.stat().st_size != member["size"] or _sha256(path) != digest:
            raise CapsuleError(
                f"{member['path']} does not have the content that the capsule's index names: {path}",
                "copy the capsule again; nothing was run",
            )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def machine() -> dict[str, str]:
    """What wheels and compiled files hang on."""
    version = ".".join(platform.python_version_tuple()[:2])
    return {"python": version, "system": platform.system().lower(), "machine": platform.machine()}


def folder_name(alias: str) -> str:
    """A repository's folder in a capsule."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", alias).strip(".-") or "repository"
