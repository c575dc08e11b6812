"""What a measurement left, read into values that the rules can trust the types of."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mlperf_power.errors import PowerError
from mlperf_power.loadgenlogs import Window
from mlperf_power.record import Exchange, PtdExchange
from mlperf_power.rounds import RoundFacts

_T = TypeVar("_T")
MODES = ("ranging", "testing")
_LATEST = 1e11  # seconds since 1970, some thousand years


@dataclass(frozen=True)
class Analyzer:
    """Settings of one analyzer as server.json tells them."""

    device: int
    command: tuple[str, ...]
    channel: tuple[int, ...]


@dataclass(frozen=True)
class Side:
    """client.json or server.json. `phases`: begin times in seconds since 1970, by mode."""

    path: Path
    sources: dict[str, str]
    messages: tuple[Exchange, ...]
    client_uuid: uuid.UUID
    server_uuid: uuid.UUID
    session_name: str
    results: dict[str, str]
    phases: dict[str, tuple[float, ...]]
    ptd_messages: tuple[PtdExchange, ...]
    ptd_config: tuple[Analyzer, ...]
    ptd_config_is_list: bool
    debug: bool


@dataclass(frozen=True)
class Evidence:
    """All a rule may look at. `windows`: the measured parts by folder, `ranging` and `run_1`."""

    folder: Path
    facts: RoundFacts
    client: Side
    server: Side
    windows: dict[str, Window]


def read_side(path: Path) -> Side:
    """Raises PowerError: unreadable, no JSON, or a key that is missing or not what it should be."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PowerError(f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise PowerError(f"is no JSON: {error}") from error
    fields = _Fields(data)
    config = fields.get("ptd_config", (list, dict), [])
    analyzers = config if isinstance(config, list) else [config]  # the client notes that it has none as [null]
    return Side(
        path=path,
        sources=fields.texts("sources"),
        messages=tuple(_exchange(_Fields(one)) for one in fields.get("messages", list)),
        client_uuid=fields.nested("uuid").identity("client"),
        server_uuid=fields.nested("uuid").identity("server"),
        session_name=fields.get("session_name", str),
        results=fields.texts("results"),
        phases={mode: fields.nested("phases").times(mode) for mode in MODES},
        ptd_messages=tuple(_ptd_exchange(_Fields(one)) for one in fields.get("ptd_messages", list, [])),
        ptd_config=tuple(_analyzer(_Fields(one)) for one in analyzers if one is not None),
        ptd_config_is_list=isinstance(config, list),
        debug=fields.get("debug", bool, False),
    )


class _Fields:
    """A JSON object, asked for one key at a time."""

    def __init__(self, data: object) -> None:
        if not isinstance(data, dict):
            raise PowerError(f"holds {_kind(data)} where an object belongs")
        self._data: dict[str, Any] = data

    def get(self, key: str, kind: type[_T] | tuple[type[_T], ...], default: _T | None = None) -> Any:
        value = self._data.get(key, default)
        if key not in self._data and default is None:
            raise PowerError(f"has no {key!r}")
        if not isinstance(value, kind):
            raise PowerError(f"holds {_kind(value)} under {key!r}")
        return value

    def nested(self, key: str) -> _Fields:
        return _Fields(self.get(key, dict))

    def texts(self, key: str) -> dict[str, str]:
        found = self.get(key, dict)
        if not all(isinstance(value, str) for value in found.values()):
            raise PowerError(f"holds something else than text in {key!r}")
        return dict(found)

    def number(self, key: str) -> float:
        return _seconds(self.get(key, (int, float)), key)

    def identity(self, key: str) -> uuid.UUID:
        try:
            return uuid.UUID(self.get(key, str))
        except ValueError as error:
            raise PowerError(f"holds no UUID under {key!r}") from error

    def times(self, key: str) -> tuple[float, ...]:
        pairs = self.get(key, list)
        if not all(isinstance(pair, list) and pair and isinstance(pair[0], int | float) for pair in pairs):
            raise PowerError(f"holds something else than pairs of times in {key!r}")
        return tuple(_seconds(pair[0], key) for pair in pairs)


def _exchange(one: _Fields) -> Exchange:
    return Exchange(one.get("cmd", str), one.number("cmd_time"), one.get("reply", str), one.number("reply_time"))


def _ptd_exchange(one: _Fields) -> PtdExchange:
    return PtdExchange(one.get("cmd", str), one.get("reply", str))


def _analyzer(one: _Fields) -> Analyzer:
    channel = one.get("channel", (list, type(None)), [])
    command = one.get("command", list)
    if not all(isinstance(number, int) for number in channel or ()):
        raise PowerError("holds something else than numbers in 'channel'")
    return Analyzer(one.get("device_type", int), tuple(map(str, command)), tuple(channel or ()))


def _seconds(value: float, key: str) -> float:
    if not -_LATEST < value < _LATEST:  # not true of NaN either
        raise PowerError(f"holds a time that is none in {key!r}")
    return float(value)


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
