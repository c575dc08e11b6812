"""MLCFlow's dialect of CM: `meta.yaml` instead of `_cm.yaml`, `MLC_` instead of `CM_`.

The engine thinks in CM's names. A manifest of the other dialect is translated when it is read, a script's code gets
its environment in its own names (`outward`) and is read back into ours (`inward`), so that scripts of both kinds can
depend on each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ..frame import Frame

__all__ = ["CM", "MLC", "Dialect", "dialect_of", "to_cm"]

# not inside longer words or paths: /home/me/MLC_data stays what it is
_MLC_WORD = r"(?<![A-Za-z0-9_/.])MLC_(?=[A-Z0-9<*#])"
_CM_WORD = r"(?<![A-Za-z0-9_/.])CM_(?=[A-Z0-9<*#])"


# the release whose meaning of manifests is followed; benchmarks/compare_with_mlcflow.py compares with it
MLCFLOW = "1.3.8"


class Dialect:
    """How a script spells environment keys."""

    prefix = "CM"

    def key(self, name: str) -> str:
        """One of the engine's own keys as the script knows it."""
        return name

    def outward(self, env: Mapping[str, Any]) -> dict[str, Any]:
        """An environment for the script's code."""
        return dict(env)

    def inward(self, env: Mapping[str, Any]) -> dict[str, Any]:
        """What the script's code left, in the engine's names."""
        return dict(env)

    def state_outward(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state for the script's code; what it holds stays as it is."""
        return state

    def state_inward(self, state: dict[str, Any]) -> dict[str, Any]:
        """What the script's code left in the state."""
        return state


class _MLCDialect(Dialect):
    prefix = "MLC"

    def key(self, name: str) -> str:
        return re.sub(_CM_WORD, "MLC_", name)

    def outward(self, env: Mapping[str, Any]) -> dict[str, Any]:
        return {re.sub(_CM_WORD, "MLC_", k): _translated(v, _CM_WORD, "MLC_") for k, v in env.items()}

    def inward(self, env: Mapping[str, Any]) -> dict[str, Any]:
        return {re.sub(_MLC_WORD, "CM_", k): _translated(v, _MLC_WORD, "CM_") for k, v in env.items()}

    def state_outward(self, state: dict[str, Any]) -> dict[str, Any]:
        return {re.sub(_CM_WORD, "MLC_", key): value for key, value in state.items()}

    def state_inward(self, state: dict[str, Any]) -> dict[str, Any]:
        return {re.sub(_MLC_WORD, "CM_", key): value for key, value in state.items()}


CM = Dialect()
MLC = _MLCDialect()


def dialect_of(frame: Frame) -> Dialect:
    """The dialect of a frame's script."""
    return MLC if frame.script.is_mlc else CM


def is_mlc_folder(folder: Path) -> bool:
    """Has the folder a manifest of that dialect only?"""
    return not (folder / "_cm.yaml").exists() and not (folder / "_cm.json").exists()


def refuse_newer(raw: Mapping[str, Any], folder: Path) -> None:
    """A manifest may say by `mlc_compat` that it needs a later MLCFlow.

    Raises:
        ManifestError: an entry with `fail: true` asks for more than is followed here; carries its message.
    """
    from ..errors import ManifestError
    from ..versions import compare

    for entry in raw.get("mlc_compat") or ():
        wanted = str(entry.get("min_version") or "0") if isinstance(entry, Mapping) else "0"
        if wanted != "0" and entry.get("fail") and compare(MLCFLOW, wanted) < 0:
            why = f": {entry['message']}" if entry.get("message") else ""
            raise ManifestError(f"{folder} is for MLCFlow {wanted} and later, {MLCFLOW} is followed here{why}")


def to_cm(value: Any) -> Any:
    """A manifest (or a text) of the MLC dialect in CM's names."""
    return _translated(value, _MLC_WORD, "CM_")


def _translated(value: Any, word: str, prefix: str) -> Any:
    if isinstance(value, str):
        return re.sub(word, prefix, value)
    if isinstance(value, Mapping):
        return {_translated(k, word, prefix): _translated(v, word, prefix) for k, v in value.items()}
    if isinstance(value, list):
        return [_translated(item, word, prefix) for item in value]
    return value
