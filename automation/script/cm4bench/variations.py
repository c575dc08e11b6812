"""Which variations of a script are on, and the manifest blocks they contribute, in CM's order of application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .catalog import dynamic_key
from .errors import Conflict, ManifestError, did_you_mean
from .manifest import Script

__all__ = ["Selected", "layers", "select_variations"]


class Selected:
    """Chosen variation names in order of application, each with the reason it is on; groups and their members."""

    def __init__(self, groups: Mapping[str, tuple[str, ...]]) -> None:
        self.reasons: dict[str, str] = {}
        self.groups = groups

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.reasons)

    def add(self, name: str, reason: str) -> None:
        self.reasons.setdefault(name, reason)


def select_variations(script: Script, wanted: Sequence[str], excluded: Sequence[str] = ()) -> Selected:
    """Resolve aliases, `default_variation`, `base`, `default_variations` and group defaults.

    Raises:
        Conflict: two members of one group, an invalid combination, an excluded base.
        ManifestError: a `base` or alias that does not exist.
    """
    chosen = Selected(_groups(script))
    for name in wanted:
        chosen.add(name, "asked for")
        alias = _body(script, name).get("alias")
        if alias:
            chosen.add(str(alias), f"_{name} is another name for it")
    default = script.raw.get("default_variation")
    if not chosen.reasons and default and default not in excluded:
        chosen.add(str(default), "default of the script")
    before = None
    for _ in range(2):
        if before == chosen.names:
            break
        _expand(script, chosen, excluded)
        before = chosen.names
        _settle_groups(script, chosen, excluded)
    _check_combinations(script, chosen)
    return chosen


def layers(script: Script, names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Blocks to apply one after the other: each variation, followed by every combination that is complete.

    Combinations come after each single one because CM re-applies them there, so that they always win.
    """
    combos = _matching_combinations(script, names)
    for name in names:
        yield f"_{name}", _body(script, name)
        for combo in combos:
            yield f"_{combo}", _combination_body(script, combo, names)


def _body(script: Script, name: str) -> Mapping[str, Any]:
    """A variation's block, with `#` replaced by the value of a dynamic one."""
    if name in script.variations:
        return script.variations[name] or {}
    body = script.variations.get(dynamic_key(name))
    return _fill(body, name.partition(".")[2]) if body else {}


def _combination_body(script: Script, combo: str, names: Sequence[str]) -> Mapping[str, Any]:
    """The block of a combination; the value of its dynamic member (MLCFlow's `a,d.#`) takes the place of `#`."""
    body = script.variations[combo] or {}
    values = [n.partition(".")[2] for member in combo.split(",") for n in names if dynamic_key(n) == member]
    return _fill(body, values[0]) if values else body


_FILLED = ("env", "default_env", "deps", "prehook_deps", "posthook_deps", "post_deps", "const")
_FILLED_NAMED = ("adr", "ad", "add_deps", "add_deps_recursive")


def _fill(body: Mapping[str, Any], value: str) -> Mapping[str, Any]:
    return {k: _replace(v, value) if k in _FILLED + _FILLED_NAMED else v for k, v in body.items()}


def _replace(item: Any, value: str) -> Any:
    if isinstance(item, str):
        return item.replace("#", value)
    if isinstance(item, Mapping):
        return {k: _replace(v, value) for k, v in item.items()}
    return [_replace(v, value) for v in item] if isinstance(item, list) else item


def _groups(script: Script) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for name, body in script.variations.items():
        group = (body or {}).get("group")
        if group:
            groups.setdefault(str(group), []).append(name)
    return {group: tuple(members) for group, members in groups.items()}


def _members_on(group: Sequence[str], names: Sequence[str]) -> list[str]:
    return [n for n in names if n in group or dynamic_key(n) in group]


def _expand(script: Script, chosen: Selected, excluded: Sequence[str]) -> None:
    """Follow `base` and `default_variations` until nothing is added; defaults judge by the set at the start."""
    at_start = chosen.names
    done: set[str] = set()
    while True:
        todo = [n for n in (*chosen.names, *_matching_combinations(script, chosen.names)) if n not in done]
        if not todo:
            return
        for name in todo:
            done.add(name)
            body = _body(script, name)
            for base in body.get("base") or ():
                _add_base(script, chosen, str(base), name, excluded)
            for group, member in (body.get("default_variations") or {}).items():
                members = chosen.groups.get(str(group), ())
                if not _members_on(members, at_start) and str(member) not in excluded:
                    chosen.add(str(member), f"_{name} makes it the default of group {group}")


def _add_base(script: Script, chosen: Selected, base: str, parent: str, excluded: Sequence[str]) -> None:
    if base in chosen.reasons:
        return
    if base not in script.variations:
        key = dynamic_key(base)
        if key not in script.variations:
            near = did_you_mean(base, list(script.variations))
            raise ManifestError(f"{script.path}: variation {parent!r} has the unknown base {base!r}{near}")
        if any(dynamic_key(n) == key for n in chosen.names):
            return
    if base in excluded:
        raise Conflict(
            f"{script.alias}: _{parent} needs _{base}, which is excluded",
            hint=f"drop -_{base} or _{parent} from the tags",
        )
    chosen.add(base, f"_{parent} is built on it")


def _settle_groups(script: Script, chosen: Selected, excluded: Sequence[str]) -> None:
    for group, members in chosen.groups.items():
        on = _members_on(members, chosen.names)
        if len(on) > 1:
            raise _group_conflict(script, chosen, group, on)
        if not on:
            default = next(
                (m for m in members if "default" in (script.variations[m] or {}) and m not in excluded), None
            )
            if default:
                chosen.add(default, f"default of group {group}")


def _group_conflict(script: Script, chosen: Selected, group: str, on: Sequence[str]) -> Conflict:
    reasons = "".join(f"\n  _{name}: {chosen.reasons[name]}" for name in on)
    droppable = [f"_{n}" for n in on if chosen.reasons[n] == "asked for"]
    names = " and ".join(f"_{name}" for name in on)
    return Conflict(
        f"{script.alias}: only one variation of group {group!r} can be on, not {names}{reasons}",
        hint=f"keep one of {', '.join(droppable or on)}",
    )


def _matching_combinations(script: Script, names: Sequence[str]) -> list[str]:
    on = set(names)
    on.update(dynamic_key(name) for name in names)
    found = [key for key in script.variations if "," in key and set(key.split(",")) <= on]
    return sorted(found, key=lambda key: key.count(","))


def _check_combinations(script: Script, chosen: Selected) -> None:
    on = set(chosen.names)
    valid = script.raw.get("valid_variation_combinations")
    if valid and not any(set(combo) <= on for combo in valid):
        options = "; ".join(" ".join(f"_{v}" for v in combo) for combo in valid)
        raise Conflict(f"{script.alias}: this combination of variations is not supported; supported: {options}")
    for combo in script.raw.get("invalid_variation_combinations") or ():
        if set(combo) <= on:
            words = " and ".join(f"_{v}" for v in combo)
            reasons = "".join(f"\n  _{v}: {chosen.reasons[v]}" for v in combo)
            raise Conflict(f"{script.alias}: {words} do not work together{reasons}", hint=f"drop one of {words}")
