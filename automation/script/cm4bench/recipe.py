"""What a script directory contains beside its manifest, read without running it.

A recipe knows its content hash (part of every cache fingerprint), the environment keys its text mentions (all that
the step can read), and the keys its code may write (all that can change under a plan's feet).
"""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH118, PTH122
from __future__ import annotations

import marshal
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from .blobfile import read_blob, write_blob

__all__ = ["Recipe", "RecipeBook", "read_recipe", "recipe_files"]

_TOKEN = r"\+?[A-Z][A-Z0-9_]{2,}"
_ASSIGNED = r"\b([A-Z][A-Z0-9_]{2,})="
_SKIPPED_FOLDERS = {"__pycache__", ".git", "node_modules", "tmp", "docs", "dockerfiles"}
_SKIPPED_SUFFIXES = {".pyc", ".md", ".png", ".log"}
_MAX_SCANNED_BYTES = 1 << 20
_VERSION = 7
# read by the engine's helper for whoever calls it
_READ_BY_HELPERS = {"find_artifact": ("CM_INPUT", "CM_TMP_PATH")}


class Recipe:
    """Facts about a script directory's files.

    `mentions`: environment keys in their text; `constants`: other identifiers its Python names (state keys among
    them); `writes`: environment keys its code may set; `hooks`: functions of customize.py; `natives`: shell scripts.
    """

    __slots__ = ("constants", "hooks", "mentions", "natives", "prefixes", "sha256", "writes")

    def __init__(self, sha256: str, *parts: Iterable[str]) -> None:
        self.sha256 = sha256
        self.mentions, self.constants, self.writes, self.hooks, self.natives = (frozenset(part) for part in parts)
        self.prefixes = tuple(sorted(m for m in self.mentions if len(m) > 5 and m[-1] == "_"))

    def may_read(self, key: str) -> bool:
        """Can the step's text refer to this key? Names built at run time are recognised by their fixed beginning."""
        return key in self.mentions or key.startswith(self.prefixes)

    @property
    def has_code(self) -> bool:
        return bool(self.hooks or self.natives)

    def dump(self) -> list[Any]:
        parts = (self.mentions, self.constants, self.writes, self.hooks, self.natives)
        return [self.sha256, *(sorted(part) for part in parts)]


class RecipeBook:
    """Recipes by folder, remembered between processes by file sizes and times."""

    def __init__(self, store: str | os.PathLike[str]) -> None:
        self._store = store
        # by folder; marshalled one by one, for a command looks at few of them
        self._known: dict[str, bytes] | None = None
        self._fresh: dict[str, Recipe] = {}
        self._dirty = False

    def __getitem__(self, folder: str | os.PathLike[str]) -> Recipe:
        key = os.fspath(folder)
        if key not in self._fresh:
            self._fresh[key] = self._look_up(key)
        return self._fresh[key]

    def _look_up(self, folder: str) -> Recipe:
        if self._known is None:
            self._known = read_blob(self._store, _VERSION) or {}
        files = sorted(_files(folder))
        signature = [(name, stat.st_mtime_ns, stat.st_size) for name, stat in files]
        if folder in self._known:
            known, *parts = marshal.loads(self._known[folder])
            if known == signature:
                return Recipe(*parts)
        recipe = read_recipe(folder, [name for name, _ in files])
        self._known[folder] = marshal.dumps([signature, *recipe.dump()])
        self._dirty = True
        return recipe

    def save(self) -> None:
        """Remember new recipes; losing a race with another process only costs it a re-read."""
        if self._dirty and self._known is not None:
            write_blob(self._store, _VERSION, self._known)
            self._dirty = False


def read_recipe(folder: str | os.PathLike[str], names: list[str]) -> Recipe:
    """Read all of a folder's files, given by their names relative to it."""
    import hashlib

    digest = hashlib.sha256()
    mentions: set[str] = set()
    constants: set[str] = set()
    writes: set[str] = set()
    hooks: set[str] = set()
    is_mlc = not {"_cm.yaml", "_cm.json"} & set(names)
    for name in names:
        content = _content(os.path.join(folder, name))
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
        if len(content) > _MAX_SCANNED_BYTES:
            continue
        text = content.decode("utf-8", "replace")
        text = text.replace("MLC_", "CM_") if is_mlc else text
        mentions.update(re.findall(_TOKEN, text))
        if name.endswith(".py") and "/" not in name:
            written, named, defined = _read_python(text)
            writes |= written
            constants |= named
            hooks |= defined if name == "customize.py" else set()
            mentions.update(key for helper, keys in _READ_BY_HELPERS.items() if helper in text for key in keys)
        elif name not in ("_cm.yaml", "_cm.json", "meta.yaml", "meta.json"):
            writes.update(re.findall(_ASSIGNED, text))
    natives = [n for n in names if n.endswith((".sh", ".bat")) and "/" not in n]
    return Recipe(digest.hexdigest(), mentions, constants, writes, hooks, natives)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def recipe_files(folder: str | os.PathLike[str]) -> list[str]:
    """Names, relative to the folder, of the files that make up its recipe."""
    return sorted(name for name, _ in _files(folder))


def _files(folder: str | os.PathLike[str]) -> Iterator[tuple[str, os.stat_result]]:
    stack = [""]
    while stack:
        inner = stack.pop()
        with os.scandir(os.path.join(folder, inner)) as entries:
            for entry in entries:
                name = f"{inner}/{entry.name}" if inner else entry.name
                if entry.is_dir():
                    if entry.name not in _SKIPPED_FOLDERS and not entry.name.startswith("."):
                        stack.append(name)
                elif not entry.name.startswith("tmp-") and os.path.splitext(entry.name)[1] not in _SKIPPED_SUFFIXES:
                    yield name, entry.stat()


def _read_python(text: str) -> tuple[set[str], set[str], set[str]]:
    """Keys that a module may write, identifiers it names, hooks it defines. Broken Python may write all it mentions."""
    import ast

    try:
        tree = ast.parse(text)
    except SyntaxError:
        return set(re.findall(_TOKEN, text)), set(), {"preprocess", "postprocess"}
    writes: set[str] = set()
    constants: set[str] = set()
    opaque = False
    for node in ast.walk(tree):
        keys = list(_written(node))
        writes.update(key for key in keys if key)
        opaque = opaque or "" in keys
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            constants.add(node.value)
    if opaque:
        writes.update(re.findall(_TOKEN, text))
    known = {"preprocess", "postprocess", "detect_version", "predeps"}
    return writes, constants, {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} & known


def _written(node: Any) -> Iterator[str]:
    """Constant keys stored by one syntax node; an empty key stands for "an environment key not named here"."""
    import ast

    if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield from _constant_or_opaque(node.slice, node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in ("setdefault", "pop") and node.args:
            yield from _constant_or_opaque(node.args[0], node.func.value)
        elif node.func.attr == "update":
            yield from (k.arg or "" for k in node.keywords)
            for argument in node.args:
                if isinstance(argument, ast.Dict):
                    for key in argument.keys:
                        yield from _constant_or_opaque(key, node.func.value)
                elif "env" in ast.unparse(node.func.value):
                    yield ""
    elif isinstance(node, ast.Dict):
        yield from _named_outputs(node)


def _named_outputs(node: Any) -> Iterator[str]:
    """Keys that the engine's helpers are asked to set: `find_artifact({'env_path_key': 'CM_GCC_BIN', …})`."""
    import ast

    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value in ("env_path_key", "env_key"):
            yield from _constant_or_opaque(value, ast.Name("env"))


def _constant_or_opaque(key: Any, target: Any) -> Iterator[str]:
    import ast

    if isinstance(key, ast.Constant):
        yield str(key.value)
    elif "env" in ast.unparse(target):
        yield ""
