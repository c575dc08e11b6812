"""What describes how a result was measured: measurements.json, user.conf, README.md."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from mlperf_checker.context import ResultFolder
from mlperf_checker.layout import POWER_SETTINGS_FILES
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule

_SETTING = re.compile(r"\s*[\w.*+-]+\.[\w*]+\.\w+\s+=\s+[-+\w.]+\s*")

# loadgen takes these from its own mlperf.conf only, whatever user.conf says
_FIXED = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed", "accuracy_log_probability")


@rule("measurements-missing", ResultFolder)
def measurements_missing(result: ResultFolder) -> Iterable[Objection]:
    """The folder with the measurements' description is there."""
    folder = result.submission.layout.measurements(result.place)
    if result.submission.tree.at(folder) is None:
        yield Objection(folder, "the folder is missing", f"add it, with {', '.join(_wanted(result))}")


@rule("measurements-file", ResultFolder)
def measurements_file(result: ResultFolder) -> Iterable[Objection]:
    """Its files are there and not empty."""
    folder = result.submission.layout.measurements(result.place)
    if result.submission.tree.at(folder) is None:
        return
    for name in result.submission.layout.measurement_files:
        if name == "user.conf" and result.is_endpoints:
            continue
        size = result.submission.tree.size(folder / name)
        if size is None:
            yield Objection(folder / name, "the file is missing", "add the one the run was made with")
        elif size == 0:
            yield Objection(folder / name, "the file is empty", "add the one the run was made with")


@rule("measurements-json", ResultFolder)
def measurements_json(result: ResultFolder) -> Iterable[Objection]:
    """The JSON file is there, can be read, and says all it must."""
    folder = result.submission.layout.measurements(result.place)
    if result.submission.tree.at(folder) is None:
        return
    path = found_file(result)
    keys = result.submission.round.submission.measurement_keys
    remedy = f"write it with the keys {', '.join(keys)}"
    if path is None:
        yield Objection(result.submission.layout.measurements_file(result.place), "the file is missing", remedy)
        return
    said = result.submission.files.object(path)
    if isinstance(said, Unreadable):
        yield Objection(path, said.why, remedy)
        return
    for key in keys:
        if key not in said:
            yield Objection(path, f"the key {key!r} is missing", f'add "{key}": "…"')
        elif not said[key]:
            yield Objection(path, f"{key!r} is empty", 'say what was done, or "N/A" or "no"')


def found_file(result: ResultFolder) -> PurePosixPath | None:
    """The measurements' JSON; up to v5.1 its name may say implementation and scenario."""
    layout, place = result.submission.layout, result.place
    folder = result.submission.tree.at(layout.measurements(place))
    names = [name for name in (folder.files if folder else ()) if layout.is_measurements_file(name, place)]
    names.sort(key=lambda name: (not name.endswith(f"_{place.scenario}.json"), name))
    return layout.measurements(place) / names[0] if names else None


@rule("user-conf-line", ResultFolder)
def user_conf_line(result: ResultFolder) -> Iterable[Objection]:
    """loadgen understands every line of user.conf. It drops the others without a word."""
    path = result.submission.layout.measurements(result.place) / "user.conf"
    if not result.submission.tree.size(path):
        return
    text = result.submission.files.text(path)
    if isinstance(text, Unreadable):
        yield Objection(path, text.why, "write it as UTF-8 text")
        return
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#") and not _SETTING.fullmatch(line):
            cause = f"line {number} is no setting that loadgen reads: {stripped[:60]!r}"
            yield Objection(path, cause, "write MODEL.SCENARIO.KEY = NUMBER, with the spaces", severity="warning")
        elif any(f".{key} " in stripped for key in _FIXED) and not stripped.startswith("#"):
            cause = f"line {number} sets what a submission may not set: {stripped[:60]!r}"
            yield Objection(path, cause, "remove the line", severity="warning")


@rule("power-settings", ResultFolder)
def power_settings(result: ResultFolder) -> Iterable[Objection]:
    """With power: the analyzer's table and settings lie beside the measurements or in a folder above."""
    if not result.has_power:
        return
    folder = result.submission.layout.measurements(result.place)
    places = (folder, *list(folder.parents)[:3])
    for prefix in POWER_SETTINGS_FILES:
        sizes = [
            size
            for one in map(result.submission.tree.at, places)
            for name, size in (one.files.items() if one else ())
            if name.startswith(prefix)
        ]
        if not any(sizes):
            word = "empty" if sizes else "missing"
            remedy = f"add one here or in one of the three folders above, as {prefix}md"
            yield Objection(folder, f"the file {prefix}* of a power result is {word}", remedy)


def _wanted(result: ResultFolder) -> tuple[str, ...]:
    layout = result.submission.layout
    return (*layout.measurement_files, layout.measurements_file(result.place).name)
