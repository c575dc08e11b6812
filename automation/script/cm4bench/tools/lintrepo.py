"""Rules about scripts together: dependencies that lead nowhere or to several, keys nobody sets, names used twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from ..catalog import Catalog, offers
from ..conditions import CONDITION_KEYS
from ..environment import is_pattern, template_keys
from ..errors import CMBenchError, did_you_mean
from ..manifest import Script
from ..query import Query, parse_query
from ..recipe import recipe_files
from ..schema import Trail
from .lintunit import Finding, Unit, blocks, dependencies

__all__ = ["Neighbourhood", "duplicates"]

_KEY = re.compile(r"\b[A-Z][A-Z0-9_]{2,}")
# set by the engine, by the user's shell, or by flags that every script has
_GIVEN = (
    *("CM_TMP_", "CM_VERSION", "CM_QUIET", "CM_VERBOSE", "CM_INPUT", "CM_OUTPUT", "CM_OUTDIRNAME", "CM_OUTBASENAME"),
    *("CM_NAME", "CM_SKIP_", "CM_ACCEPT_LICENSE", "CM_GIT_", "CM_GH_TOKEN", "CM_DETECTED_VERSION", "CM_PATH"),
    *("CM_RENEW_CACHE_ENTRY", "CM_RUN_STATE_", "CM_EXTRA_CACHE_TAGS", "HOME", "USER", "PATH", "CUDA_HOME", "MLC_"),
)


class Neighbourhood:
    """The scripts among which the linted ones are used."""

    def __init__(self, catalog: Catalog, units: Sequence[Unit]) -> None:
        self.catalog = catalog
        self.units = units
        self._scripts = {str(script.path): script for script in catalog}

    def rules(self, unit: Unit) -> Iterator[Finding]:
        """All findings about one script among the others."""
        for trail, dep in dependencies(unit.raw):
            yield from self._dependency(unit, trail, dep)
        for trail, key in _used_keys(unit.raw):
            if not self._is_set(key):
                near = did_you_mean(key, sorted(k for k in self._set_keys if not k.startswith("MLC_")))
                text = f"nothing sets {key}{near}"
                text = text.replace("CM_", "MLC_") if unit.raw.get("_dialect") else text
                yield unit.finding("warning", "env-key", trail, text, "correct the name, or document it as an input")

    def _dependency(self, unit: Unit, trail: Trail, dep: Mapping[str, Any]) -> Iterator[Finding]:
        at = (*trail, "tags")
        tags = dep.get("tags")
        if not isinstance(tags, str) or not tags.strip():
            yield unit.finding(
                "warning", "dependency", trail, "a dependency without tags does nothing", "add tags, or remove it"
            )
            return
        try:
            query = _certain(parse_query(tags))
        except CMBenchError as error:
            yield unit.finding("error", "dependency", at, error.cause, error.hint or "correct the tags")
            return
        found = self.catalog.find(query) if query.tags else []
        if not found and query.tags:
            yield unit.finding("error", "dangling", at, *self._why_dangling(tags, query))
        elif _is_ambiguous(found) and not _grows(dep):
            names = ", ".join(script.alias for script in found[:4])
            names += ", …" if len(found) > 4 else ""
            text = f"“{tags}” is answered by {len(found)} scripts ({names}); {found[0].alias} is taken"
            remedy = "add a tag that only one of them has, or give one a lower sort key"
            yield unit.finding("warning", "ambiguous", at, text, remedy)

    def _why_dangling(self, tags: str, query: Query) -> tuple[str, str]:
        without = self.catalog.find(query._replace(variations=(), excluded_variations=()))
        if not without:
            try:
                self.catalog.select(query)
            except CMBenchError as error:
                return (
                    f"nothing answers “{tags}”: {error.cause.splitlines()[0]}",
                    "correct the tags, or add such a script",
                )
            return f"nothing answers “{tags}”", "correct the tags, or add such a script"
        missing = [v for v in query.variations if not offers(without[0], v)]
        near = did_you_mean(missing[0], list(without[0].variations)) if missing else ""
        return f"“{tags}”: {without[0].alias} has no variation {', '.join(missing)}{near}", "name one that exists"

    def _is_set(self, key: str) -> bool:
        return key in self._set_keys or key.startswith(_GIVEN) or bool(self._patterns.match(key))

    @cached_property
    def _set_keys(self) -> frozenset[str]:
        keys: set[str] = set()
        for script in self._scripts.values():
            keys.update(_assigned(script.raw))
            for name in recipe_files(script.path):
                if not name.startswith(("_cm.", "meta.")):
                    text = (script.path / name).read_text(encoding="utf-8", errors="replace")
                    found = _KEY.findall(text)
                    keys.update(found)
                    keys.update(f"CM_{key[4:]}" for key in found if key.startswith("MLC_"))
        return frozenset(keys)

    @cached_property
    def _patterns(self) -> re.Pattern[str]:
        """Names that are put together: `CM_*_VERSION` in manifests, a beginning like `CM_DATASET_` in code."""
        given = {str(k) for s in self._scripts.values() for _, b in blocks(s.raw) for k in b.get("new_env_keys") or ()}
        names = [
            re.escape(name).replace(r"\*", ".*").replace(r"\?", ".")
            for name in given
            if is_pattern(name) and len(name) > 6
        ]
        names += [f"{key}.+" for key in self._set_keys if key.endswith("_") and key.count("_") > 1]
        return re.compile("|".join(f"(?:{name})$" for name in names) or "(?!)")


def duplicates(units: Iterable[Unit]) -> Iterator[Finding]:
    """Two scripts with one uid, or one alias in one repository: only the first of them can be reached by it."""
    seen: dict[tuple[str, str], Unit] = {}
    for unit in units:
        for key in ("uid", "alias"):
            value = str(unit.raw.get(key) or "")
            place = unit.repo.alias if key == "alias" else ""
            first = seen.setdefault((f"{key} {place}", value), unit)
            if value and first is not unit:
                text = f"the {key} {value!r} is that of {first.folder} too"
                yield unit.finding("error", f"duplicate-{key}", (key,), text, f"give it a {key} of its own")


def _certain(query: Query) -> Query:
    """Without words that are filled in later."""

    def sure(words: Iterable[str]) -> tuple[str, ...]:
        return tuple(word for word in words if not any(mark in word for mark in ("#", "<<<", "$")))

    return query._replace(
        tags=sure(query.tags),
        excluded_tags=sure(query.excluded_tags),
        variations=sure(query.variations),
        excluded_variations=sure(query.excluded_variations),
    )


def _is_ambiguous(found: Sequence[Script]) -> bool:
    """Nothing but the order of paths decides."""
    return len(found) > 1 and found[0].sort == found[1].sort and found[0].repo == found[1].repo


def _grows(dep: Mapping[str, Any]) -> bool:
    """Will tags be added when values are known?"""
    return any(
        dep.get(k) for k in ("update_tags_from_env", "update_tags_from_env_with_prefix", "inherit_variation_tags")
    )


def _used_keys(raw: Mapping[str, Any]) -> Iterator[tuple[Trail, str]]:
    """Keys that conditions, tags and templates of a manifest ask for, with the place."""
    for trail, dep in dependencies(raw):
        for form in CONDITION_KEYS:
            wanted = dep.get(form)
            for key in wanted if isinstance(wanted, Mapping) else ():
                yield (*trail, form, str(key)), str(key)
        for key in dep.get("update_tags_from_env") or ():
            yield (*trail, "update_tags_from_env"), str(key)
    for trail, block in blocks(raw):
        env = block.get("env")
        for name, value in env.items() if isinstance(env, Mapping) else ():
            for key in template_keys(value):
                yield (*trail, "env", str(name)), key


def _assigned(value: Any, trail: tuple[str, ...] = ()) -> Iterator[str]:
    """Environment keys that a manifest sets, maps from flags, or promises."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if trail and trail[-1] in CONDITION_KEYS:
                continue
            if _KEY.fullmatch(str(key)):
                yield str(key)
            yield from _assigned(item, (*trail, str(key)))
    elif isinstance(value, list):
        if (trail and trail[-1] in CONDITION_KEYS) or trail[-1:] == ("update_tags_from_env",):
            return
        for item in value:
            yield from _assigned(item, trail)
    elif (
        isinstance(value, str) and trail and any(name in trail for name in ("input_mapping", "inputs", "new_env_keys"))
    ):
        yield from _KEY.findall(value)
