"""What each round asks of a power measurement, read from rounds.json beside this file."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from mlperf_power.errors import PowerError

NEWEST = "v6.1"


@dataclass(frozen=True)
class RoundFacts:
    """The power rules of one round, as its checker has them.

    Attributes:
        ptd_versions: releases of PTDaemon that may have measured.
        sources: hashes of power-dev's files, one mapping per accepted state of that repository.
        ptd_config_is_list: server.json has a list of analyzers' settings, not those of the only one.
        amps_restored_by: which of the SR,A commands, counted from 1, may be the one that gives the first range back.
    """

    name: str
    ptd_versions: tuple[str, ...]
    sources: tuple[dict[str, str], ...]
    ptd_config_is_list: bool
    amps_restored_by: tuple[int, ...]


def facts(name: str) -> RoundFacts:
    """The facts of a round such as v6.1 or 6.1. Raises PowerError: no such round."""
    wanted = name if name.startswith("v") else f"v{name}"
    known = _all()
    if wanted not in known:
        raise PowerError(f"no power rules of round {name} are known", f"known are {', '.join(known)}")
    return known[wanted]


@functools.cache
def _all() -> dict[str, RoundFacts]:
    data = json.loads(Path(__file__).with_name("rounds.json").read_text(encoding="utf-8"))
    return {
        name: RoundFacts(
            name,
            tuple(rules["ptd_versions"]),
            tuple(rules["sources"]),
            rules["ptd_config_is_list"],
            tuple(rules["amps_restored_by"]),
        )
        for rules in data["rules"]
        for name in rules["rounds"]
    }
