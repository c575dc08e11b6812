"""Rules about one manifest by itself: words, identity, variations, sources, documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..catalog import dynamic_key
from ..errors import did_you_mean
from ..schema import Trail, unknown_keys
from .lintunit import Finding, Level, Unit, blocks, dependencies

__all__ = ["RULES"]

_NEW_UID = "python3 -c 'import uuid; print(uuid.uuid4().hex[:16])' makes one; write it in quotes"
_URL_KEYS = ("CM_DOWNLOAD_URL", "CM_PACKAGE_URL", "CM_WGET_URL")


def words(unit: Unit) -> Iterator[Finding]:
    """Unknown keys; they do nothing, wherever they stand."""
    for trail, known in unknown_keys(unit.raw):
        if str(trail[-1]).startswith("_"):  # the reader's own notes
            continue
        near = did_you_mean(str(trail[-1]), sorted(known))
        level: Level = "error" if unit.repo.strict else "warning"
        where = f" in {'.'.join(map(str, trail[:-1]))}" if len(trail) > 1 else ""
        yield unit.finding(
            level, "unknown-key", trail, f"unknown key {trail[-1]!r}{where}{near}", "correct or remove it"
        )


def identity(unit: Unit) -> Iterator[Finding]:
    """`alias`, `uid` and `tags`, by which everything else finds the script."""
    uid = unit.raw.get("uid")
    if uid is None:
        yield unit.finding("error", "uid", (), "there is no uid", _NEW_UID)
    elif not isinstance(uid, str):
        yield unit.finding(
            "error", "uid", ("uid",), f"YAML reads the uid as the number {uid}", 'put it in quotes: uid: "…"'
        )
    elif not re.fullmatch("[0-9a-f]{16}", uid):
        yield unit.finding("warning", "uid", ("uid",), f"the uid {uid!r} is not 16 hexadecimal digits", _NEW_UID)
    if not unit.raw.get("tags"):
        yield unit.finding("error", "tags", (), "there are no tags: nothing can ask for it", "add tags: [verb, noun]")
    if unit.raw.get("alias") not in (None, unit.folder.name):
        text = f"the alias {unit.raw['alias']!r} is not the folder's name {unit.folder.name!r}"
        yield unit.finding("warning", "alias", ("alias",), text, "rename one of them")


def variations(unit: Unit) -> Iterator[Finding]:
    """Names of variations that lead nowhere, and groups with two defaults."""
    named = unit.raw.get("variations")
    named = named if isinstance(named, Mapping) else {}
    for trail, name in _references(unit.raw, named):
        if name not in named and dynamic_key(name) not in named:
            text = f"{'.'.join(map(str, trail))}: there is no variation {name!r}{did_you_mean(name, list(named))}"
            yield unit.finding("error", "variation", trail, text, "name one that exists, or remove it")
    defaults: dict[str, list[str]] = {}
    for name, block in named.items():
        if isinstance(block, Mapping) and block.get("group") and "default" in block:
            defaults.setdefault(str(block["group"]), []).append(name)
    for group, members in defaults.items():
        if len(members) > 1:
            text = f"group {group!r} has {len(members)} defaults: {', '.join(members)}; the first is taken"
            yield unit.finding("warning", "variation", ("variations", members[1], "default"), text, "keep one of them")


def _references(raw: Mapping[str, Any], named: Mapping[str, Any]) -> Iterator[tuple[Trail, str]]:
    if raw.get("default_variation"):
        yield ("default_variation",), str(raw["default_variation"])
    for name, block in named.items():
        if not isinstance(block, Mapping):
            continue
        for base in block.get("base") or () if isinstance(block.get("base"), list) else ():
            yield ("variations", name, "base"), str(base)
        if block.get("alias"):
            yield ("variations", name, "alias"), str(block["alias"])
        defaults = block.get("default_variations")
        for member in defaults.values() if isinstance(defaults, Mapping) else ():
            yield ("variations", name, "default_variations"), str(member)


def sources(unit: Unit) -> Iterator[Finding]:
    """Downloads that nobody can verify, or whose licence nobody can see."""
    for trail, block in blocks(unit.raw):
        listed = block.get("sources")
        for number, source in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(source, Mapping):
                yield from _source(unit, (*trail, "sources", number), source)
        yield from _downloads(unit, (*trail, "env"), block.get("env"))
    for trail, dep in dependencies(unit.raw):
        yield from _downloads(unit, (*trail, "env"), dep.get("env"))


def _source(unit: Unit, trail: Trail, source: Mapping[str, Any]) -> Iterator[Finding]:
    name = source.get("name") or source.get("url") or "a source"
    at = (*trail, next(iter(source), "name"))
    if source.get("url") and not source.get("sha256"):
        yield unit.finding("warning", "checksum", at, f"{name} has no sha256", "add sha256: what sha256sum prints")
    if not source.get("license"):
        yield unit.finding(
            "warning", "licence", at, f"{name} has no licence", "add license: (an SPDX name where it has one)"
        )
    if source.get("url") and not source.get("size"):
        yield unit.finding(
            "advice", "size", at, f"{name} has no size", "add size: in bytes; plans then tell it beforehand"
        )


def _downloads(unit: Unit, trail: Trail, env: Any) -> Iterator[Finding]:
    """CM's own way to describe a download: environment keys."""
    env = env if isinstance(env, Mapping) else {}
    for key in _URL_KEYS:
        if str(env.get(key, "")).startswith(("http:", "https:")) and not any("CHECKSUM" in other for other in env):
            text = f"what {key} names is used without a checksum"
            yield unit.finding("advice", "checksum", (*trail, key), text, "add CM_DOWNLOAD_CHECKSUM beside it")


def documentation(unit: Unit) -> Iterator[Finding]:
    """What `--help` and the reference pages have nothing to say about."""
    if not unit.raw.get("name") and not unit.raw.get("desc"):
        yield unit.finding("advice", "docs", (), "nothing says what the script is", "add name: one line")
    for section in ("inputs", "outputs"):
        named = unit.raw.get(section)
        for key, spec in named.items() if isinstance(named, Mapping) else ():
            if section == "inputs" and not (isinstance(spec, Mapping) and spec.get("help")):
                yield unit.finding("advice", "docs", (section, key), f"--{key} has no help", "add help: one line")


RULES = (words, identity, variations, sources, documentation)
