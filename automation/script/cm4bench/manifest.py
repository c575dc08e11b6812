"""A script directory's manifest: reading `_cm.yaml` and `_cm.json`, and the value types made from them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from .compat.dialect import MLC_MANIFEST_NAMES, to_cm
from .errors import ManifestError
from .values import NamedTuple

__all__ = ["MANIFEST_NAMES", "Input", "Output", "Repo", "Script", "Source", "load_raw", "manifest_files"]

MANIFEST_NAMES = ("_cm.yaml", "_cm.json")
_DIALECT = "_dialect"
_MAX_BASES = 10
_MAX_VALUES = 1_000_000


class Repo(NamedTuple):
    """A registered repository of scripts. `strict`: unknown manifest keys are errors here."""

    alias: str
    path: Path
    uid: str = ""
    prefix: str = ""
    strict: bool = False

    @property
    def script_root(self) -> Path:
        return self.path / self.prefix / "script" if self.prefix else self.path / "script"


class Input(NamedTuple):
    """A documented option of a script: the flag `--name` sets the environment key `env`."""

    name: str
    env: str
    type: str = "str"
    choices: tuple[str, ...] = ()
    help: str = ""
    default: Any = None
    minimum: float | None = None

    def parse(self, given: Any) -> Any:
        """Check a value from the command line. Raises ManifestError-free ValueError with the reason."""
        text = str(given)
        if self.choices and text not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}")
        if self.type in ("int", "float"):
            try:
                number = float(text) if self.type == "float" else int(text)
            except ValueError:
                raise ValueError(f"must be a{'n integer' if self.type == 'int' else ' number'}") from None
            if self.minimum is not None and number < self.minimum:
                raise ValueError(f"must be at least {self.minimum:g}")
        return given


class Output(NamedTuple):
    """An environment key that a step promises. `fact` names the host fact which already tells its value."""

    key: str
    type: str = "str"
    optional: bool = False
    fact: str = ""
    help: str = ""


class Source(NamedTuple):
    """Where a step's data comes from, known before anything is fetched. `size` is in bytes."""

    name: str
    url: str = ""
    size: int = 0
    sha256: str = ""
    license: str = ""
    when: tuple[str, ...] = ()


class Script:
    """One script directory of the catalogue; not to be changed once made."""

    def __init__(self, path: Path, repo: Repo, raw: Mapping[str, Any]) -> None:
        self.path = path
        self.repo = repo
        self.raw = raw

    @property
    def alias(self) -> str:
        return str(self.raw.get("alias") or self.path.name)

    @property
    def uid(self) -> str:
        return str(self.raw.get("uid") or "")

    @property
    def is_mlc(self) -> bool:
        """Is its code written for MLCFlow (`MLC_` keys)?"""
        return self.raw.get(_DIALECT) == "mlc"

    @cached_property
    def tags(self) -> tuple[str, ...]:
        return tuple(str(tag) for tag in self.raw.get("tags") or ())

    @property
    def sort(self) -> int:
        return int(self.raw.get("sort") or 0)

    @property
    def caches(self) -> bool:
        return is_yes(self.raw.get("cache"))

    @property
    def can_force_cache(self) -> bool:
        return is_yes(self.raw.get("can_force_cache"))

    @property
    def variations(self) -> Mapping[str, Any]:
        return self.raw.get("variations") or {}

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """Typed `inputs:` first, then what the plain `input_mapping:` adds."""
        typed = [_input(name, spec) for name, spec in (self.raw.get("inputs") or {}).items()]
        names = {item.name for item in typed}
        mapping = self.raw.get("input_mapping") or {}
        return tuple(typed + [Input(k, str(v)) for k, v in mapping.items() if k not in names])

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        return tuple(_output(key, spec) for key, spec in (self.raw.get("outputs") or {}).items())

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        return tuple(_source(spec) for spec in self.raw.get("sources") or ())

    def __str__(self) -> str:
        return self.alias


def is_yes(value: Any) -> bool:
    """CM's loose booleans: true, yes, on, 1."""
    return value is True or str(value).strip().lower() in ("true", "yes", "on", "1")


def _input(name: str, spec: Any) -> Input:
    if not isinstance(spec, Mapping):
        return Input(name, str(spec))
    return Input(
        name=name,
        env=str(spec["env"]),
        type=str(spec.get("type", "str")),
        choices=tuple(str(c) for c in spec.get("choices") or ()),
        help=str(spec.get("help", "")),
        default=spec.get("default"),
        minimum=spec.get("min"),
    )


def _output(key: str, spec: Any) -> Output:
    spec = spec if isinstance(spec, Mapping) else {"type": spec or "str"}
    return Output(
        key=key,
        type=str(spec.get("type", "str")),
        optional=is_yes(spec.get("optional")),
        fact=str(spec.get("fact", "")),
        help=str(spec.get("help", "")),
    )


def _source(spec: Mapping[str, Any]) -> Source:
    when = spec.get("when") or ()
    return Source(
        name=str(spec.get("name", "")),
        url=str(spec.get("url", "")),
        size=int(spec.get("size") or 0),
        sha256=str(spec.get("sha256", "")),
        license=str(spec.get("license", "")),
        when=tuple(str(w).lstrip("_") for w in (when if isinstance(when, (list, tuple)) else [when])),
    )


def manifest_files(folder: Path) -> list[Path]:
    """The files that make up a folder's manifest: CM's own names, else MLCFlow's, then those of its `_base`."""
    for names in (MANIFEST_NAMES, MLC_MANIFEST_NAMES):
        found = [folder / name for name in names if os.path.isfile(folder / name)]  # noqa: PTH113 - no error for an impossible name
        if found:
            return found
    return []


def load_raw(folder: Path, depth: int = 0) -> dict[str, Any]:
    """Read and merge a folder's `_cm.yaml` and `_cm.json` (JSON wins, key by key), on top of its `_base`.

    `meta.yaml`/`meta.json` of MLCFlow are read where CM's files are missing. Keys become text at every level.

    Raises:
        ManifestError: unreadable or broken file, endless or unknown `_base`; the message names file and line.
    """
    merged: dict[str, Any] = {}
    files = manifest_files(folder)
    for path in files:
        try:
            merged.update(_mapping(path, _parse(path)))
        except RecursionError:
            raise ManifestError(f"{path}:1: its blocks are nested too deeply, or contain themselves") from None
    if files and files[0].name in MLC_MANIFEST_NAMES:
        merged = {**to_cm(merged), _DIALECT: "mlc"}
    return _on_base(folder, merged, depth) if "_base" in merged else merged


def base_folder(folder: Path, raw: Mapping[str, Any]) -> Path:
    """The folder of `_base: [script::]alias`, which stands beside the one that builds on it."""
    alias = str(raw["_base"]).rpartition("::")[2].rpartition(":")[2].split(",")[0].strip()
    if Path(alias).name != alias:
        raise ManifestError(f"{folder}: _base {raw['_base']!r} must name a script beside this one")
    return folder.parent / alias


def _on_base(folder: Path, raw: dict[str, Any], depth: int) -> dict[str, Any]:
    base = base_folder(folder, raw)
    if depth >= _MAX_BASES:
        raise ManifestError(f"{folder}: _base leads through more than {_MAX_BASES} manifests")
    if not manifest_files(base):
        raise ManifestError(f"{folder}: _base {raw['_base']!r} is not a script beside it")
    return _inherit(load_raw(base, depth + 1), raw)  # type: ignore[no-any-return]


def _inherit(base: Any, own: Any) -> Any:
    """Mappings key by key, lists one after the other, of all else the own value."""
    if isinstance(base, dict) and isinstance(own, dict):
        return {**base, **{k: _inherit(base[k], v) if k in base else v for k, v in own.items()}}
    if isinstance(base, list) and isinstance(own, list):
        return base + [item for item in own if item not in base]
    return own


def _parse(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: cannot be read: {error}") from None
    return _parse_json(path, text) if path.suffix == ".json" else _parse_yaml(path, text)


def _parse_json(path: Path, text: str) -> Any:
    import json

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path}:{error.lineno}: broken JSON: {error.msg}") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise ManifestError(f"{path}:1: broken JSON: {error}") from None


def _parse_yaml(path: Path, text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except ValueError as error:  # a date that no calendar has, a number of too many digits
        raise ManifestError(f"{path}:1: broken YAML: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ManifestError(f"{path}{line}: broken YAML: {problem}") from None


def _mapping(path: Path, loaded: Any) -> dict[str, Any]:
    if not isinstance(loaded, dict):
        raise ManifestError(f"{path}:1: a manifest must be a mapping, not {type(loaded).__name__}")
    budget = itertools.count(_MAX_VALUES, -1)
    try:
        return _text_keys(loaded, budget)  # type: ignore[no-any-return]
    except OverflowError:
        raise ManifestError(f"{path}:1: it unfolds to more than {_MAX_VALUES} values") from None


def _text_keys(value: Any, budget: Iterator[int]) -> Any:
    """Plain data with text as keys. YAML's anchors can unfold a short file without end: `budget` is what may come."""
    if next(budget) < 0:
        raise OverflowError
    if isinstance(value, dict):
        return {str(key): _text_keys(item, budget) for key, item in value.items()}
    if isinstance(value, list):
        return [_text_keys(item, budget) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
