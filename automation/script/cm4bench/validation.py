"""Is a cached step still good? Its age, the paths it hangs on, and its own `validate_cache.sh`."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from .errors import CMBenchError, ManifestError
from .frame import Frame
from .hooks import Hooks

__all__ = ["has_expired", "is_valid", "lifetime_s"]

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def lifetime_s(text: str) -> float:
    """`90`, `10m`, `2h`, `3d`, `1w` in seconds.

    Raises:
        ManifestError: anything else.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw]?)", text.strip().lower())
    if not match:
        raise ManifestError(f"cache_expiration: {text!r} must be a time like 10m, 2h, 3d")
    return float(match[1]) * _UNITS_S[match[2] or "s"]


def has_expired(age_s: float, expiration: str) -> bool:
    """Is an entry of this age too old under its script's `cache_expiration`?"""
    return bool(expiration) and age_s >= lifetime_s(expiration)


def is_valid(frame: Frame, hooks: Hooks, version: str, log: str) -> bool:
    """Run the script's `validate_cache.sh`, if it has one: a failure, or another version than the entry's, says no."""
    if "validate_cache.sh" not in frame.recipe.natives:
        return True
    import tempfile

    from .compat.toolbox import run_native_script

    with tempfile.TemporaryDirectory(prefix="validate-") as folder, _working_in(Path(folder)):
        given = hooks.script_input(frame, log)
        env = dict(frame.env.values)
        try:
            answer = run_native_script(
                hooks.automation,
                {"run_script_input": given, "env": env, "script_name": "validate_cache", "detect_version": True},
            )
        except CMBenchError:
            return False
    found = str(answer.get("version") or "")
    return not answer["return"] and not (version and found and version != found)


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """contextlib.chdir, which Python 3.10 lacks."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
