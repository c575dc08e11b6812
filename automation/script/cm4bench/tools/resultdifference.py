"""What differs between two Result records, in words: the subject, whether it may be believed, then the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import CMBenchError
from .difference import compare_values

__all__ = ["compare_results", "read_result"]

_SCHEMA = 1
# of every record its own; not worth a word
_OWN = {"output_dir", "seed", "log_dir"}

Record = Mapping[str, Any]


def read_result(path: Path) -> Record:
    """A record from its file, or from the folder of its scenario, or of a run of one scenario.

    Raises:
        CMBenchError: there is none, or one of a newer schema.
    """
    import json

    file = _file_of(path) if path.is_dir() else path
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CMBenchError(f"{file} cannot be read: {error.strerror}", hint="name a lock or a result.json") from None
    except ValueError:
        raise CMBenchError(f"{file} is no JSON", hint="name a lock or a result.json") from None
    if not isinstance(record, dict) or not {"subject", "runs"} <= record.keys():
        raise CMBenchError(f"{file} is neither a lock nor a result", hint="cmr … --lock=FILE makes a lock")
    if int(record.get("schema_version") or 0) > _SCHEMA:
        raise CMBenchError(f"{file} has result schema {record['schema_version']}: update cm4bench")
    return record


def _file_of(folder: Path) -> Path:
    """The only record in a folder."""
    inside = sorted(folder.glob("*/result.json"))
    if len(inside) > 1 and not (folder / "result.json").is_file():
        names = ", ".join(path.parent.name for path in inside)
        raise CMBenchError(f"{folder} holds several results: {names}", hint=f"name one: {inside[0].parent}")
    return inside[0] if len(inside) == 1 else folder / "result.json"


def compare_results(old: Record, new: Record) -> list[str]:
    """Differences as lines, most important first."""
    return [*_subject(old, new), *_verdicts(old, new), *_figures(old, new), *_rest(old, new)]


def _subject(old: Record, new: Record) -> Iterator[str]:
    for key, text in compare_values(old["subject"], new["subject"]):
        yield f"measured: {key} {text}"
    for key in ("tier", "division"):
        if old.get(key) != new.get(key):
            yield f"{key}: was {old.get(key)}, is {new.get(key)}"


def _verdicts(old: Record, new: Record) -> Iterator[str]:
    for mode, before, now in _both(old, new):
        for name, was, is_now in (
            ("validity", _validity(before), _validity(now)),
            ("device", _device(before), _device(now)),
        ):
            if was != is_now:
                yield f"{mode} {name}: was {was}, is {is_now}"
    modes = {run["mode"] for run in old["runs"]} ^ {run["mode"] for run in new["runs"]}
    yield from (f"{mode}: only one of them has this run" for mode in sorted(modes))


def _validity(run: Record) -> str:
    verdict = run.get("validity") or {}
    return "valid" if verdict.get("valid") else f"invalid ({'; '.join(verdict.get('reasons') or ())})"


def _device(run: Record) -> str:
    device = run.get("device") or {}
    verdict = device.get("verdict") or {"valid": True}
    doubt = "" if verdict.get("valid") else f", doubted: {'; '.join(verdict.get('reasons') or ())}"
    return f"{device.get('name') or 'not told'} ({device.get('used') or '?'}){doubt}"


def _figures(old: Record, new: Record) -> Iterator[str]:
    """The figure a scenario is judged by comes first in each run; so it does here."""
    for mode, before, now in _both(old, new):
        later = {figure["metric"]: figure for figure in now.get("figures") or ()}
        for figure in before.get("figures") or ():
            other = later.get(figure["metric"])
            if other and other["value"] != figure["value"]:
                yield f"{mode}: {figure['metric']} {_change(figure['value'], other['value'], figure['unit'])}"
    quality, other = old.get("quality"), new.get("quality")
    if quality and other and quality["value"] != other["value"]:
        yield f"quality: {quality['metric']} {_change(quality['value'], other['value'], quality['unit'])}"


def _change(old: float, new: float, unit: str) -> str:
    share = f" ({100 * (new - old) / abs(old):+.1f} %)" if old else ""
    return f"was {old:g} {unit}, is {new:g} {unit}{share}"


def _rest(old: Record, new: Record) -> Iterator[str]:
    for mode, before, now in _both(old, new):
        for part in ("configuration", "settings"):
            settings = (_placeless(_flat(run.get(part) or {}), record) for run, record in ((before, old), (now, new)))
            for key, text in compare_values(*settings):
                if key.rpartition(".")[2] not in _OWN:
                    yield f"{mode} {part}: {key} {text}"
    for part in ("versions", "host"):
        for key, text in compare_values(_flat(old.get(part) or {}), _flat(new.get(part) or {})):
            yield f"{part}: {key} {text}"


def _placeless(values: dict[str, Any], record: Record) -> dict[str, Any]:
    """Paths into the cache or into the record's own folder, without where these lie."""
    own = re.escape(str(record.get("id") or "\0"))
    places = re.compile(rf"^.*/(?:repos/local/cache/[0-9a-f]{{16}}|{own})(?=/|$)")
    return {key: places.sub("…", value) if isinstance(value, str) else value for key, value in values.items()}


def _both(old: Record, new: Record) -> Iterator[tuple[str, Record, Record]]:
    later = {run["mode"]: run for run in new["runs"]}
    for run in old["runs"]:
        if run["mode"] in later:
            yield run["mode"], run, later[run["mode"]]


def _flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value})
    return flat
