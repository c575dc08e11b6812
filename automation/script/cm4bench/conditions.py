"""Conditions of dependencies in three values: true, false, not yet known.

The word lists (yes/on/true/1 mean "set", no/off/false/0 mean "unset") are CM's own; see docs/compatibility.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .environment import Environment, Pending
from .values import NamedTuple

__all__ = ["CONDITION_KEYS", "Verdict", "judge"]

_SET = {"yes", "on", "true", "1"}
_UNSET = {"no", "off", "false", "0"}
_FALSY = _UNSET | {""}
CONDITION_KEYS = ("enable_if_env", "enable_if_any_env", "skip_if_env", "skip_if_any_env")


class Verdict(NamedTuple):
    """`holds` is None while it hangs on the keys in `waits_on`. `because` is the deciding condition in words."""

    holds: bool | None
    because: str = ""
    waits_on: tuple[Pending, ...] = ()


ALWAYS = Verdict(True)


def judge(dep: Mapping[str, Any], env: Environment, *, rehearsal: bool = False) -> Verdict:
    """Is this dependency wanted under `env`? A false condition decides even while others are unknown."""
    if rehearsal and dep.get("skip_if_fake_run"):
        return Verdict(False, "skipped in a fake run")
    waits: list[Pending] = []
    reasons: list[str] = []
    for form in CONDITION_KEYS:
        wanted = dep.get(form)
        if not wanted:
            continue
        truth, pending = _matches(wanted, env, any_of="any" in form)
        if form.startswith("skip") and truth is not None:
            truth = not truth
        words = f"{form} {_words(wanted)}"
        if truth is False:
            return Verdict(False, words)
        if truth is None:
            waits += pending
        reasons.append(words)
    if waits:
        return Verdict(None, "; ".join(reasons), tuple(dict.fromkeys(waits)))
    return Verdict(True, "; ".join(reasons)) if reasons else ALWAYS


def _matches(wanted: Mapping[str, Any], env: Environment, *, any_of: bool) -> tuple[bool | None, list[Pending]]:
    pending: list[Pending] = []
    for key, values in wanted.items():
        truth = _key_matches(key, values, env, missing_matches=not any_of)
        if truth is None:
            pending.append(env[key])
        elif truth is any_of:
            return any_of, []
    return (None, pending) if pending else (not any_of, [])


def _key_matches(key: str, values: Any, env: Environment, *, missing_matches: bool) -> bool | None:
    words = {str(v).lower() for v in (values if isinstance(values, list) else [values])}
    if key not in env:
        return missing_matches and bool(words & _FALSY)
    value = env[key]
    if isinstance(value, Pending):
        return None
    text = str(value).lower().strip()
    if words & _SET:
        return text not in _FALSY
    if words & (_UNSET if missing_matches else _FALSY):
        return text in _FALSY
    return text in words


def _words(wanted: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key}={'|'.join(str(v) for v in values) if isinstance(values, list) else values}"
        for key, values in wanted.items()
    )
