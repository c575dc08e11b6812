"""What differs between two Result records, in words: the subject, whether it may be believed, then the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .difference import compare_values
from .errors import CMBenchError

__all__ = ["compare_results", "read_result"]

_SCHEMA = 1
# of every record its own; not worth a word
_OWN = {"output_dir", "seed", "log_dir"}

Record = Mapping[str, Any]


def read_result(path: Path) -> Record:
    """A record from its file, or from the folder that holds `result.json`.

    Raises:
        CMBenchError: there is none, or one of a newer schema.
    """
    import json

    file = path / "result.json" if path.is_dir() else path
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
            for key, text in compare_values(_flat(before.get(part) or {}), _flat(now.get(part) or {})):
                if key.rpartition(".")[2] not in _OWN:
                    yield f"{mode} {part}: {key} {text}"
    for part in ("versions", "host"):
        for key, text in compare_values(_flat(old.get(part) or {}), _flat(new.get(part) or {})):
            yield f"{part}: {key} {text}"


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
