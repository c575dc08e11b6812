"""Environment values on their way through a plan: known, or promised by a step that has not run.

Each value keeps its origin. Origins, not values, make up a step's identity where the value came from another step,
so that a plan made before anything ran and the run itself speak of the same step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .confidential import masked
from .values import NamedTuple

__all__ = [
    "Environment",
    "Pending",
    "expand",
    "fits",
    "is_pattern",
    "merge_lists",
    "origin_parts",
    "plain_copy",
    "template_keys",
]

_TEMPLATE = r"<<<(.*?)>>>"


class Pending(NamedTuple):
    """A value that only a running step can produce.

    `by` names that step to the user; `maybe`: the step may also leave the key unset.
    """

    origin: str
    key: str
    by: str = ""
    maybe: bool = False

    def __str__(self) -> str:
        return f"<{self.key}>"


class Environment:
    """A mapping of keys to values which remembers the origin of each value.

    An origin is the identity of the step that produced the value; values without one came from the request, the
    host or a manifest.
    """

    __slots__ = ("origins", "values")

    def __init__(self, values: Mapping[str, Any] | None = None, origins: Mapping[str, str] | None = None) -> None:
        self.values: dict[str, Any] = dict(values or {})
        self.origins: dict[str, str] = dict(origins or {})

    def copy(self) -> Environment:
        """An independent copy: scripts change lists and mappings in place."""
        twin = Environment(None, self.origins)
        twin.values = {k: plain_copy(v) if isinstance(v, (list, dict)) else v for k, v in self.values.items()}
        return twin

    def __contains__(self, key: object) -> bool:
        return key in self.values

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def text(self, key: str) -> str:
        """The value as stripped text; empty when unset or pending."""
        value = self.values.get(key)
        return "" if value is None or isinstance(value, Pending) else str(value).strip()

    def set(self, key: str, value: Any, origin: str | None = None) -> None:
        self.values[key] = value
        if origin is None:
            self.origins.pop(key, None)
        else:
            self.origins[key] = origin

    def setdefault(self, key: str, value: Any) -> None:
        if key not in self.values:
            self.set(key, value)

    def update(self, values: Mapping[str, Any]) -> None:
        for key, value in values.items():
            self.set(key, value)

    def replace(self, values: Mapping[str, Any]) -> None:
        """Take these values for all there are, in place; a value that stays as it was keeps its origin."""
        self.origins = {k: o for k, o in self.origins.items() if k in values and values[k] == self.values.get(k)}
        fresh = dict(values)
        self.values.clear()
        self.values.update(fresh)

    def discard(self, key: str) -> None:
        self.values.pop(key, None)
        self.origins.pop(key, None)

    def provenance(self, key: str) -> str:
        """What identifies the value: its origin, or the value itself where it has none; of a secret, that it is one."""
        origin = self.origins.get(key)
        return f"@{origin}" if origin else f"={masked(key, self.values[key])!r}"

    def merge_new(self, new: Mapping[str, Any], origin: str) -> None:
        """Take over a dependency's `new_env`: lists are appended without repeats, anything else overwrites."""
        for key, value in new.items():
            old = self.values.get(key)
            if isinstance(old, list) and isinstance(value, list):
                before = self.origins.get(key, repr(old))
                self.set(key, merge_lists(old, value), f"{before}+{origin}" if old != value else origin)
            else:
                self.set(key, value, origin)

    def matching(self, patterns: Iterable[str]) -> list[str]:
        """Keys named by patterns, in the patterns' order; `*` and `?` are wildcards."""
        found: dict[str, None] = {}
        for pattern in patterns:
            if is_pattern(pattern):
                found.update(dict.fromkeys(k for k in self.values if fits(k, pattern)))
            elif pattern in self.values:
                found[pattern] = None
        return list(found)


def origin_parts(origin: str) -> list[str]:
    """The steps behind an origin: several for a merged list, marked `?` where a step was undecided."""
    return [part.rstrip("?") for part in origin.split("+")]


def is_pattern(key: str) -> bool:
    """Does the key name several others by `*` or `?`?"""
    return "*" in key or "?" in key


def fits(key: str, pattern: str) -> bool:
    """Is the key one of those that the pattern names? Most patterns are a beginning and `*`."""
    if key == pattern:
        return True
    beginning = pattern[:-1]
    if pattern[-1:] == "*" and not any(special in beginning for special in "*?["):
        return key.startswith(beginning)
    import fnmatch

    return fnmatch.fnmatchcase(key, pattern)


def plain_copy(value: Any) -> Any:
    """Copy of plain data (mappings, lists, scalars); several times faster than copy.deepcopy."""
    if isinstance(value, dict):
        return {key: plain_copy(item) for key, item in value.items()}
    return [plain_copy(item) for item in value] if isinstance(value, list) else value


def merge_lists(old: list[Any], new: list[Any]) -> list[Any]:
    """Append without repeats, as CM merges lists."""
    return old + [item for item in new if item not in old]


def template_keys(value: Any) -> list[str]:
    """Keys named as `<<<KEY>>>` in the text form of a value."""
    return re.findall(_TEMPLATE, value) if isinstance(value, str) and "<<<" in value else []


def expand(value: Any, env: Environment) -> Any:
    """Replace `<<<KEY>>>` by values of `env`; unknown keys stay, a pending one makes the whole value pending."""
    if isinstance(value, list):
        return [expand(item, env) for item in value]
    keys = template_keys(value)
    if not keys:
        return value
    text: str = value
    for key in keys:
        if key not in env:
            continue
        known = env[key]
        if isinstance(known, Pending):
            return known
        text = text.replace(f"<<<{key}>>>", str(known))
    return text
