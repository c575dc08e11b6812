"""Reading a script folder's manifest: `_cm.yaml` and `_cm.json`, or MLCFlow's `meta.yaml`, on top of a `_base`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .compat.dialect import to_cm
from .errors import ManifestError
from .manifest import DIALECT, MANIFEST_NAMES, MLC_MANIFEST_NAMES

__all__ = ["base_folder", "load_raw", "manifest_files"]

_MAX_BASES = 10
_MAX_VALUES = 1_000_000


def manifest_files(folder: Path) -> list[Path]:
    """The files that make up a folder's manifest: CM's own names, else MLCFlow's, then those of its `_base`."""
    for names in (MANIFEST_NAMES, MLC_MANIFEST_NAMES):
        found = [folder / name for name in names if os.path.isfile(folder / name)]  # noqa: PTH113 - no error for an impossible name
        if found:
            return found
    return []


def load_raw(folder: Path, elsewhere: Sequence[Path] = (), depth: int = 0) -> dict[str, Any]:
    """Read and merge a folder's `_cm.yaml` and `_cm.json` (JSON wins, key by key), on top of its `_base`.

    `meta.yaml`/`meta.json` of MLCFlow are read where CM's files are missing. Keys become text at every level.
    `elsewhere`: script folders of other repositories, in which a `_base` may stand too.

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
        if "mlc_compat" in merged:
            from .compat.dialect import refuse_newer

            refuse_newer(merged, folder)
        merged = {**to_cm(merged), DIALECT: "mlc"}
    return _on_base(folder, merged, elsewhere, depth) if "_base" in merged else merged


def base_folder(folder: Path, raw: Mapping[str, Any], elsewhere: Sequence[Path] = ()) -> Path:
    """The folder of `_base: [script::][repository:]alias`: beside the one that builds on it, else in another place."""
    alias = str(raw["_base"]).rpartition("::")[2].rpartition(":")[2].split(",")[0].strip()
    if Path(alias).name != alias:
        raise ManifestError(f"{folder}: _base {raw['_base']!r} must name a script")
    return next((place / alias for place in (folder.parent, *elsewhere) if manifest_files(place / alias)), Path())


def _on_base(folder: Path, raw: dict[str, Any], elsewhere: Sequence[Path], depth: int) -> dict[str, Any]:
    base = base_folder(folder, raw, elsewhere)
    if depth >= _MAX_BASES:
        raise ManifestError(f"{folder}: _base leads through more than {_MAX_BASES} manifests")
    if not base.name:
        raise ManifestError(f"{folder}: _base {raw['_base']!r} is no script of a registered repository")
    return _inherit(load_raw(base, elsewhere, depth + 1), raw)  # type: ignore[no-any-return]


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
