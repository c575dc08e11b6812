"""The description of a system: which keys systems/<system>.json must have, and what may stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mlperf_checker import roundfiles

STATUSES = ("available", "preview", "rdi")
SYSTEM_TYPES = ("datacenter", "edge", "datacenter,edge", "edge,datacenter")
IS_NETWORK = "is_network"
COUNTS = ("number_of_nodes", "accelerators_per_node")


class Needed(Enum):
    """When a key must be there."""

    ALWAYS = "always"
    NETWORK = "network"
    POWER = "power"


@dataclass(frozen=True)
class Key:
    """One key of a description.

    Attributes:
        name: as in the file.
        needed: when it must be there.
        may_be_empty: an empty text is an answer.
        is_count: a whole number, as number or as text.
        allowed: the values it may have, in lower case; empty for any.
    """

    name: str
    needed: Needed = Needed.ALWAYS
    may_be_empty: bool = False
    is_count: bool = False
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Objection:
    """What is wrong with one key, and what to do about it."""

    key: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}"


def keys(round_version: str, *, network: bool = False, power: bool = False) -> tuple[Key, ...]:
    """The keys that a round's descriptions must have.

    Args:
        round_version: as `v6.1`.
        network: the system is measured over a network; adds the keys about it.
        power: the system has power results; adds the keys about power supplies and firmware.

    Raises:
        HarnessError: kind `config`, for an unknown round.
    """
    rules = roundfiles.load(round_version).submission
    always = tuple(_key(name, name not in rules.filled_system_keys) for name in rules.system_keys)
    of_network = tuple(Key(name, Needed.NETWORK, may_be_empty=True) for name in rules.network_system_keys)
    of_power = tuple(Key(name, Needed.POWER, may_be_empty=True) for name in rules.power_system_keys)
    return always + of_network * network + of_power * power


def _key(name: str, may_be_empty: bool) -> Key:
    allowed = {"status": STATUSES, "system_type": SYSTEM_TYPES}.get(name, ())
    return Key(name, may_be_empty=may_be_empty, is_count=name in COUNTS, allowed=allowed)


def is_network(description: Mapping[str, Any]) -> bool:
    """Whether the description says that the system is measured over a network."""
    return str(description.get(IS_NETWORK, "")).lower() == "true"


def objections(
    description: Mapping[str, Any],
    round_version: str = "v6.1",
    *,
    division: str | None = None,
    submitter: str | None = None,
    power: bool = False,
) -> list[Objection]:
    """What a checker would say about a description; an empty list for a good one.

    Args:
        description: the JSON file's content.
        round_version: as `v6.1`.
        division, submitter: folders that the file lies under; None for a file that lies nowhere yet.
        power: the system has power results.
    """
    network = is_network(description)
    found = [one for key in keys(round_version, network=network, power=power) for one in _of_key(key, description)]
    found += _of_folder("division", division, description)
    found += _of_folder("submitter", submitter, description)
    found += _of_network(division, network)
    return found


def _of_key(key: Key, description: Mapping[str, Any]) -> Iterator[Objection]:
    if key.name not in description:
        yield Objection(key.name, f"the key {key.name!r} is missing", f'add "{key.name}": {_example(key)}')
        return
    value = "" if description[key.name] is None else description[key.name]
    if isinstance(value, (list, dict)) and (key.allowed or key.is_count or not value):
        yield Objection(key.name, f"{key.name!r} is {_kind(value)}, not a text or number", "write it as text")
    elif not key.may_be_empty and value is not False and value == 0:
        # upstream's checker takes the number 0 for an empty answer
        yield Objection(key.name, f"{key.name!r} is the number 0, which counts as empty", f'write "{key.name}": "0"')
    elif not key.may_be_empty and not str(value).strip():
        yield Objection(key.name, f"{key.name!r} is empty", f'write what the system has, or "N/A": {_example(key)}')
    elif key.is_count and not str(value).strip().isdecimal():
        yield Objection(key.name, f"{key.name!r} is {value!r}, not a whole number", f'as "{key.name}": "1"')
    elif key.allowed and str(value).lower() not in key.allowed:
        yield Objection(key.name, f"{key.name!r} is {value!r}", f"allowed: {', '.join(key.allowed)}")


def _of_folder(key: str, folder: str | None, description: Mapping[str, Any]) -> list[Objection]:
    said = description.get(key)
    if folder is None or said is None or str(said).lower() == folder.lower():
        return []
    cause = f"{key!r} is {said!r}, but the file lies under {folder!r}"
    return [Objection(key, cause, f'set "{key}": "{folder}", or move the folder')]


def _of_network(division: str | None, network: bool) -> list[Objection]:
    if division == "network" and not network:
        cause = "the network division is for systems that are measured over a network"
        return [Objection(IS_NETWORK, cause, f'set "{IS_NETWORK}": "true", or submit in closed or open')]
    if division == "closed" and network:
        cause = "a system that is measured over a network cannot be in the closed division"
        return [Objection(IS_NETWORK, cause, "submit it in the network division, or in open")]
    return []


def _example(key: Key) -> str:
    if key.allowed:
        return f'"{key.allowed[0]}"'
    return '"0"' if key.is_count else ('""' if key.may_be_empty else '"…"')


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else "an object"
