"""Actions of CM's `cfg` automation: named sets of values in `<CM home>/repos/local/cfg/<name>/config.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import CMBenchError

__all__ = ["load", "xset"]

_WORDS = {"none": None, "false": False, "true": True}


def load(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a configuration; empty if nobody has set any."""
    path = _file(automation, i)
    return {"return": 0, "config": _read(path), "path": str(path.parent), "path_to_config": str(path)}


def xset(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `key` into a configuration; keys ending in `-` delete. Shows what holds afterwards."""
    path = _file(automation, i)
    config = _merged(_read(path), i.get("key") or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    if i.get("out") == "con":
        print(json.dumps(config, indent=2))
    return {"return": 0, "config": config}


def _file(automation: Any, i: Mapping[str, Any]) -> Path:
    name = str(i.get("artifact") or "default").split(",")[0]
    if Path(name).name != name or name in (".", ".."):
        raise CMBenchError(f"{name!r} cannot be the name of a configuration")
    return Path(automation.cmind.repos_path) / "repos" / "local" / "cfg" / name / "config.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise CMBenchError(f"{path} cannot be read: {error}", hint="correct or delete the file") from None


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        if isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = _merged(below if isinstance(below, Mapping) else {}, value)
        elif key.endswith("-"):
            merged.pop(key[:-1], None)
        else:
            merged[key] = _WORDS.get(str(value).lower(), value)
    return merged
