"""A configuration file into a checked value. What is wrong is said with file, line, and what would be right."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml

from mlperf_lite.config import Config
from mlperf_lite.errors import LiteError, nearest

_MAX_BYTES = 1 << 20
#: hyper-parameters that flags cannot carry
_LISTS = ("betas", "decay_at")


@dataclass(frozen=True)
class Given:
    """A file's configuration; ``raw`` is what the file itself says, without any defaults."""

    path: Path
    config: Config
    raw: Mapping[str, Any]

    def said(self, section: str) -> Mapping[str, Any]:
        """What the file says in one section."""
        found: Mapping[str, Any] = self.raw.get(section) or {}
        return found

    @property
    def folder(self) -> Path:
        """What relative paths in the file are relative to."""
        return self.path.parent


def read(path: Path) -> Given:
    """Read a configuration in YAML or JSON.

    Raises:
        LiteError: naming file and line of what is wrong.
    """
    text = _text(path)
    value = _parsed(path, text)
    lines = _lines(text)
    try:
        config = msgspec.convert(value, Config)
    except msgspec.ValidationError as error:
        raise _explained(str(error), value, path, lines) from None
    given = Given(path.absolute(), config, value)
    _check(given, path, lines)
    return given


def _check(given: Given, path: Path, lines: Mapping[str, int]) -> None:
    """What the types alone cannot say."""
    config = given.config
    for name in _LISTS:
        if name in given.said("training"):
            raise LiteError(f"{_at(path, lines, f'training.{name}')}: lists cannot be set here", "leave it out")
    if config.dataset.own and config.training.target is None:
        cause = f"{_at(path, lines, 'dataset.class')}: a data set of your own needs a target to train to"
        raise LiteError(cause, "training: {target: 0.9}")
    if config.dataset.own and config.dataset.tier == "full":
        cause = f"{_at(path, lines, 'dataset.tier')}: full is for official data sets, not for one of your own"
        raise LiteError(cause, "allowed: embedded (real data), synthetic (made up)")
    if config.model.own and not config.dataset.own:
        cause = f"{_at(path, lines, 'model.class')}: a network of your own goes with a data set of your own"
        raise LiteError(cause, "dataset: {class: module:Class}")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LiteError(f"{path} has {path.stat().st_size:,} bytes, too many for a configuration")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise LiteError(
            f"{path} cannot be read: {error.strerror}", "cm add experiment --template=resnet_cifar10 writes one"
        ) from None
    except UnicodeDecodeError as error:
        raise LiteError(f"{path} is no text: {error.reason} at byte {error.start}") from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        raise LiteError(f"{path}:{error.lineno}: no JSON: {error.msg}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise LiteError(f"{place}: no YAML: {getattr(error, 'problem', None) or error}") from None
    except RecursionError:
        raise LiteError(f"{path} is nested too deeply for a configuration") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LiteError(f"{path} has no sections", f"sections: {', '.join(Config.__struct_fields__)}")
    return {str(key): section for key, section in value.items() if section is not None}


def _lines(text: str) -> dict[str, int]:
    """Line of every key by its path, ``training.epochs``; JSON is YAML here."""
    found: dict[str, int] = {}

    def note(node: yaml.Node | None, prefix: str) -> None:
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            name = f"{prefix}{getattr(key, 'value', '')}"
            found[name] = key.start_mark.line + 1
            note(value, f"{name}.")

    try:
        note(yaml.compose(text, Loader=yaml.SafeLoader), "")
    except yaml.YAMLError:  # JSON indented with tabs
        return {}
    return found


def _explained(message: str, value: Mapping[str, Any], path: Path, lines: Mapping[str, int]) -> LiteError:
    """msgspec's sentence as file, line, cause, and what is allowed there."""
    cause, _, place = message.partition(" - at `$")
    where = re.sub(r"\[[^\]]*\]", "", place.strip("`").lstrip("."))
    unknown = re.search(r"unknown field `(.*)`", cause)
    if unknown:
        name = f"{where}.{unknown[1]}".strip(".")
        return LiteError(f"{_at(path, lines, name)}: there is no {name}", nearest(unknown[1], _fields(where)))
    given = _value(value, where)
    allowed = _allowed(where)
    told = f"{where} is {given!r}: {cause[:1].lower()}{cause[1:]}" if where else cause
    return LiteError(f"{_at(path, lines, where)}: {told}", f"allowed: {allowed}" if allowed else "")


def _at(path: Path, lines: Mapping[str, int], name: str) -> str:
    return f"{path}:{lines[name]}" if name in lines else str(path)


def _value(value: Any, where: str) -> Any:
    for part in where.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _fields(section: str) -> tuple[str, ...]:
    kind: Any = get_type_hints(Config).get(section) if section else Config
    return tuple(getattr(kind, "__struct_encode_fields__", ()))


def _allowed(where: str) -> str:
    """Words that a field may be, if it may be words only."""
    section, _, name = where.partition(".")
    kind = get_type_hints(Config).get(section) if section else None
    hint = get_type_hints(kind).get(name) if name and kind is not None else kind
    return ", ".join(_words(hint))


def _words(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return [str(one) for one in get_args(hint)]
    if get_origin(hint) in (Union, types.UnionType, tuple):
        return [word for one in get_args(hint) for word in _words(one)]
    return []
