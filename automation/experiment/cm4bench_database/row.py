"""One row of the table ``results``: one figure of one result, our own or an official one."""

from __future__ import annotations

from typing import Any, Literal, get_type_hints

import msgspec

Source = Literal["own", "official"]
# The rules of the database's tables; a database of another number is made anew.
SCHEMA = 2


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with everything that is asked about it. Empty text and None mean: not told.

    Attributes:
        id: of the result; its figures share it. Official: ``round/division/submitter/system/model/scenario``.
        headline: the figure that the result is judged by.
        mode: ``performance``, or ``find-performance`` for what a search found.
        accelerators, cores, processors: of all nodes together. ``accelerators`` is 0 where there are none.
        accuracy: in the unit of ``accuracy_metric``.
        power_w: watts while measuring. joules_per_sample: energy of all that was measured.
        better: ``higher`` or ``lower`` values are.
        created: ISO 8601 in UTC; of official results empty.
        versions: JSON, versions by name of software.
        checked: whether rules said what ``valid`` says, and not the log alone.
        path, sha256: the file that the row was read from. lock: hash of the lock in the table ``locks``.
    """

    id: str
    source: str = "own"
    organization: str = ""
    submitter: str = ""
    division: str = ""
    category: str = ""
    availability: str = ""
    round: str = ""
    system: str = ""
    platform: str = ""
    accelerator: str = ""
    accelerators: int | None = None
    nodes: int | None = None
    processor: str = ""
    processors: int | None = None
    cores: int | None = None
    framework: str = ""
    model: str = ""
    benchmark: str = ""
    scenario: str = ""
    mode: str = "performance"
    tier: str = ""
    device: str = ""
    backend: str = ""
    precision: str = ""
    batch_size: int | None = None
    threads: int | None = None
    workers: int | None = None
    metric: str = ""
    unit: str = ""
    value: float | None = None
    better: str = ""
    headline: bool = True
    accuracy: float | None = None
    accuracy_metric: str = ""
    power_w: float | None = None
    joules_per_sample: float | None = None
    valid: bool | None = None
    checked: bool = False
    inferred: bool = False
    created: str = ""
    host: str = ""
    versions: str = "{}"
    notes: str = ""
    path: str = ""
    sha256: str = ""
    lock_sha256: str = ""


_TYPES = {
    str: "VARCHAR",
    bool: "BOOLEAN",
    bool | None: "BOOLEAN",
    int | None: "BIGINT",
    float | None: "DOUBLE",
}


def columns() -> dict[str, str]:
    """Names of the columns, each with its SQL type."""
    hints: dict[str, Any] = get_type_hints(Row)
    return {name: _TYPES[hints[name]] for name in Row.__struct_fields__}


def better(unit: str) -> str:
    """Which way is better, by the unit: rates shall be high; times, watts and joules low."""
    word = unit.strip().lower()
    if not word:
        return ""
    return "higher" if word.endswith("/s") or word in ("%", "fps", "qps") else "lower"
