"""Dependency lists while they are still manifest data: joined by variations, changed by name (`ad`, `adr`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .conditions import CONDITION_KEYS, judge
from .environment import Environment, expand

__all__ = ["DEP_LISTS", "add_to_named", "append_deps", "has_name", "names_of", "shallow_copies"]

DEP_LISTS = ("deps", "prehook_deps", "posthook_deps", "post_deps")


def shallow_copies(deps: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Dependencies whose keys may be replaced; the values below are still the manifest's and stay as they are."""
    return [dict(dep) for dep in deps or ()]


def append_deps(deps: list[dict[str, Any]], new: Sequence[dict[str, Any]]) -> None:
    """Add dependencies; one with the same names (nameless: the same tags) is replaced where it stands."""
    for dep in new:
        identity = _identity(dep)
        place = next((n for n, old in enumerate(deps) if _identity(old) == identity), None)
        if place is None:
            deps.append(dep)
        else:
            deps[place] = dep


def _identity(dep: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    names = names_of(dep)
    if names:
        return "names", frozenset(names)
    return "tags", frozenset(str(dep.get("tags") or "").split(","))


def names_of(dep: Mapping[str, Any]) -> list[str]:
    """The names a dependency answers to; the manifest may give one as plain text."""
    names = dep.get("names") or []
    return [str(n) for n in names] if isinstance(names, list) else [str(names)]


def has_name(dep: Mapping[str, Any], name: str) -> bool:
    """Does the dependency answer to this name? `names` may be a list or a single text."""
    return name in names_of(dep)


def add_to_named(deps: Sequence[dict[str, Any]], changes: Mapping[str, Any], env: Environment) -> bool:
    """Apply `{name: {tags, version, env, …}}` to dependencies of that name. True if any name was found or gated off."""
    found = False
    for name, info in changes.items():
        if not isinstance(info, Mapping):
            continue
        if judge(info, env).holds is False:
            found = True
            continue
        for dep in deps:
            if has_name(dep, name):
                found = True
                _change(dep, info, env)
    return found


def _change(dep: dict[str, Any], info: Mapping[str, Any], env: Environment) -> None:
    for key, raw in info.items():
        if key in CONDITION_KEYS:
            continue
        value = _expand_all(raw, env)
        if key == "tags":
            _add_tags(dep, str(value))
        elif isinstance(value, dict):
            dep[key] = {**(dep.get(key) or {}), **value}
        elif isinstance(value, list):
            dep[key] = [*(dep.get(key) or []), *value]
        else:
            dep[key] = value


def _add_tags(dep: dict[str, Any], tags: str) -> None:
    have = [t for t in str(dep.get("tags") or "").split(",") if t]
    new = [t for t in tags.split(",") if t and "<<<" not in t and t not in have]
    dep["tags"] = ",".join(have + new)


def _expand_all(value: Any, env: Environment) -> Any:
    if isinstance(value, Mapping):
        return {k: _expand_all(v, env) for k, v in value.items()}
    expanded = expand(value, env)
    return expanded if isinstance(expanded, (str, list, int, float, bool)) or expanded is None else value
