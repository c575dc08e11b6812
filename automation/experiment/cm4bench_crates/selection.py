"""Which records a crate is about: one scenario or all scenarios of a run, and the repeats that tell its noise."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cm4bench_crates.errors import CrateError
from cm4bench_results.record import RecordError, ResultRecord
from cm4bench_results.stamp import verdict
from cm4bench_results.store import RESULT_FILE, ResultStore, StoredRecord, load_file

# More would only make the crate larger: the spread is known well enough by then.
MOST_REPEATS = 30
# Options that say where a result goes, not how it is made.
_PLACES = ("results_dir", "output_dir", "submission_dir")


@dataclass(frozen=True)
class Chosen:
    """Records of one run, in the results folder ``root``; ``repeats`` are other runs of the very same experiments."""

    root: Path
    run: str
    records: tuple[StoredRecord, ...]
    repeats: tuple[StoredRecord, ...]

    @property
    def folder(self) -> Path:
        """The run's own folder."""
        return self.root / self.run


def choose(name: str, root: Path) -> Chosen:
    """The records that ``name`` means: an id in the results folder ``root``, or a folder or file.

    Raises:
        CrateError: there are none, or one cannot be read.
    """
    paths = _paths(name, root)
    try:
        records = tuple(StoredRecord(load_file(path), path) for path in paths)
    except RecordError as error:
        raise CrateError(str(error), "cm find experiment lists what can be read") from None
    run = paths[0].parent.parent
    return Chosen(run.parent, run.name, records, tuple(_repeats(run, records)))


def experiment_of(record: ResultRecord) -> tuple[object, ...]:
    """What makes two records repeats of each other: subject, request and host are equal."""
    options = sorted((key, str(value)) for key, value in record.request.options.items() if key not in _PLACES)
    return record.subject, record.tier, record.request.tags, record.request.variations, tuple(options), record.host


def _paths(name: str, root: Path) -> list[Path]:
    if not name:
        raise CrateError("no result was named", "cm capture experiment ID; cm find experiment lists them")
    for place in (Path(name).expanduser().absolute(), _inside(root, name)):
        if place is not None and (found := _records_in(place)):
            return found
    near = difflib.get_close_matches(name, [path.parent.parent.name for path in ResultStore(root).paths()], 1, 0.5)
    hint = f"cm capture experiment {near[0]}" if near else "--results_dir=FOLDER, or the folder of a run"
    raise CrateError(f"no result {name} in {root}", hint)


def _inside(root: Path, name: str) -> Path | None:
    place = (root / name).resolve()
    return place if root.resolve() in place.parents else None


def _records_in(place: Path) -> list[Path]:
    """The record itself, that of a scenario's folder, or those of a run's folder."""
    if place.is_file():
        return [place] if place.name == RESULT_FILE else []
    own = place / RESULT_FILE
    return [own] if own.is_file() else sorted(place.glob(f"*/{RESULT_FILE}"))


def _repeats(run: Path, records: tuple[StoredRecord, ...]) -> Iterator[StoredRecord]:
    """Valid records of other runs; one that cannot be read is no repeat."""
    wanted = {experiment_of(stored.record) for stored in records}
    count = 0
    for path in ResultStore(run.parent).paths():
        if path.parent.parent == run or count == MOST_REPEATS:
            continue
        try:
            record = load_file(path)
        except RecordError:
            continue
        if experiment_of(record) in wanted and verdict(record).valid:
            count += 1
            yield StoredRecord(record, path)
