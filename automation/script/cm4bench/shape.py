"""The shape of a manifest: which of its keys hold mappings, lists or single values.

Judged once, when the index reads a manifest, so that all later readers may rely on it. Upstream's liberties stay
allowed: an empty block, a single text for a list of names, a number for a version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .conditions import CONDITION_KEYS
from .deplists import DEP_LISTS
from .values import NamedTuple

__all__ = ["Misfit", "first_misfit", "misfits_in_named_changes"]

Trail = tuple[str | int, ...]
Judge = Callable[[Any, Trail], Iterator["Misfit"]]


class Misfit(NamedTuple):
    """A value that is not what its key asks for: the way to it, and what it must be."""

    trail: Trail
    problem: str


def first_misfit(raw: Mapping[str, Any]) -> Misfit | None:
    """The first value of a manifest that has the wrong shape."""
    return next(_keys(_TOP)(raw, ()), None)


def misfits_in_named_changes(changes: Any) -> Iterator[Misfit]:
    """What is wrong with `{name: {tags, version, env, …}}` (`adr`, `ad`) that did not come from a manifest."""
    return _named_changes(changes, ())


def _plain(kinds: tuple[type, ...], words: str) -> Judge:
    def judge(value: Any, trail: Trail) -> Iterator[Misfit]:
        if value is not None and not isinstance(value, kinds):
            yield Misfit(trail, f"must be {words}, not {_kind(value)}")

    return judge


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list) else repr(value)[:40]


def _list_of(judge: Judge) -> Judge:
    def judge_list(value: Any, trail: Trail) -> Iterator[Misfit]:
        yield from _LIST(value, trail)
        for place, item in enumerate(value if isinstance(value, list) else ()):
            yield from judge(item, (*trail, place))

    return judge_list


def _map_of(judge: Judge) -> Judge:
    def judge_map(value: Any, trail: Trail) -> Iterator[Misfit]:
        yield from _MAP(value, trail)
        for key, item in value.items() if isinstance(value, Mapping) else ():
            yield from judge(item, (*trail, key))

    return judge_map


def _keys(judges: Mapping[str, Judge], needed: str = "") -> Judge:
    """A mapping whose known keys have shapes of their own; `needed` must be there."""

    def judge_keys(value: Any, trail: Trail) -> Iterator[Misfit]:
        yield from _MAP(value, trail)
        if not isinstance(value, Mapping):
            return
        if needed and needed not in value:
            yield Misfit(trail, f"needs the key {needed!r}")
        for key, item in value.items():
            if key in judges:
                yield from judges[key](item, (*trail, key))

    return judge_keys


def _one_or(judge: Judge) -> Judge:
    """A single value in place of what `judge` asks for."""
    return lambda value, trail: iter(()) if isinstance(value, (str, int, float)) else judge(value, trail)


def _or_text(judge: Judge) -> Judge:
    """Upstream has a text here and there for a list; read letter by letter it does nothing."""
    return lambda value, trail: iter(()) if isinstance(value, str) else judge(value, trail)


def _filled(judge: Judge) -> Judge:
    def judge_filled(value: Any, trail: Trail) -> Iterator[Misfit]:
        if value is None:
            yield Misfit(trail, "must not be empty")
        yield from judge(value, trail)

    return judge_filled


def _whole(value: Any, trail: Trail) -> Iterator[Misfit]:
    if value is not None and not re.fullmatch(r"-?\d{1,18}", str(value), re.ASCII):
        yield Misfit(trail, f"must be a whole number, not {_kind(value)}")


def _uid(value: Any, trail: Trail) -> Iterator[Misfit]:
    """YAML reads digits without quotes as a number: `0123…` as octal, `1234e56…` as infinity."""
    if value is not None and not isinstance(value, str):
        yield Misfit(trail, f"must stand in quotes: without them YAML reads the number {str(value)[:40]}")


def _sibling(value: Any, trail: Trail) -> Iterator[Misfit]:
    name = re.split(r"::|:", str(value).split(",")[0])[-1].strip()
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        yield Misfit(trail, f"must name a script beside this one, not {_kind(value)}")


_VALUE = _plain((str, int, float), "a single value")
_LIST = _plain((list,), "a list")
_MAP = _plain((Mapping,), "a mapping")
_VALUES = _list_of(_filled(_VALUE))
_KEYS = _list_of(_filled(_plain((str,), "the name of a key")))
_NAMES = _one_or(_VALUES)


def _named_changes(value: Any, trail: Trail) -> Iterator[Misfit]:
    yield from _MAP(value, trail)
    for name, info in value.items() if isinstance(value, Mapping) else ():
        if isinstance(info, Mapping):  # anything else is passed over, as in CM
            yield from _DEP(info, (*trail, name))


_DEP_KEYS: dict[str, Judge] = {
    **dict.fromkeys(CONDITION_KEYS, _MAP),
    **dict.fromkeys(("tags", "version", "version_min", "version_max", "version_max_usable", "why"), _VALUE),
    **dict.fromkeys(("env", "state", "const", "const_state"), _MAP),
    **dict.fromkeys(("force_env_keys", "force_new_env_keys", "force_new_state_keys"), _KEYS),
    **dict.fromkeys(("update_tags_from_env", "skip_inherit_variation_groups"), _VALUES),
    **dict.fromkeys(("ad", "adr", "add_deps", "add_deps_recursive"), _named_changes),
    "names": _NAMES,
    "extra_cache_tags": _NAMES,
    "update_tags_from_env_with_prefix": _map_of(_or_text(_VALUES)),
}
_DEP = _keys(_DEP_KEYS)
_CHANGE: dict[str, Judge] = {
    **dict.fromkeys(CONDITION_KEYS, _MAP),
    **dict.fromkeys(("env", "default_env", "state", "docker"), _MAP),
    **dict.fromkeys(("new_env_keys", "new_state_keys"), _KEYS),
}
_SHARED: dict[str, Judge] = {
    **dict.fromkeys(DEP_LISTS, _list_of(_filled(_DEP))),
    **dict.fromkeys(("env", "default_env", "state", "const", "const_state", "docker"), _MAP),
    **dict.fromkeys(("ad", "adr", "add_deps", "add_deps_recursive"), _named_changes),
    **dict.fromkeys(("new_env_keys", "new_state_keys"), _KEYS),
    **dict.fromkeys(("script_name", "default_version", "group", "alias", "help"), _VALUE),
    "base": _VALUES,
    "input_mapping": _map_of(_filled(_VALUE)),
    "default_variations": _map_of(_filled(_VALUE)),
    "update_meta_if_env": _list_of(_filled(_keys(_CHANGE))),
    "requires": _list_of(
        _filled(
            _keys({"fact": _filled(_VALUE), "is": _one_or(_filled(_VALUES)), "at_least": _VALUE, "why": _VALUE}, "fact")
        )
    ),
    "sources": _list_of(_filled(_keys({"size": _whole, "when": _NAMES, "name": _VALUE, "url": _VALUE}))),
}
_BLOCKS = _map_of(_keys(_SHARED))
_INPUT = _keys(
    {"env": _filled(_VALUE), "choices": _VALUES, "type": _VALUE, "min": _plain((int, float), "a number")}, "env"
)
_OUTPUT = _keys(dict.fromkeys(("type", "fact", "help"), _VALUE))
_TOP: dict[str, Judge] = {
    **_SHARED,
    **dict.fromkeys(("cache_expiration", "exclusive", "default_variation", "name", "desc"), _VALUE),
    **dict.fromkeys(("version", "version_min", "version_max", "version_max_usable"), _VALUE),
    **dict.fromkeys(("local_env_keys", "clean_env_keys_post_deps"), _KEYS),
    **dict.fromkeys(("tags", "clean_files", "inputs_from"), _VALUES),
    **dict.fromkeys(("clean_output_files", "print_files_if_script_error"), _VALUES),
    **dict.fromkeys(("valid_variation_combinations", "invalid_variation_combinations"), _list_of(_filled(_VALUES))),
    **dict.fromkeys(("print_env_at_the_end", "env_key_mappings"), _map_of(_VALUE)),
    "uid": _uid,
    "sort": _whole,
    "_base": _sibling,
    "variations": _BLOCKS,
    "versions": _BLOCKS,
    "inputs": _map_of(_one_or(_filled(_INPUT))),
    "outputs": _map_of(_one_or(_OUTPUT)),
    "extra_cache_tags_from_env": _list_of(_filled(_keys({"env": _filled(_VALUE), "prefix": _VALUE}, "env"))),
}
