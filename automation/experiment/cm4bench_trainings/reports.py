"""Reports on a folder of trainings in the forms that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cm4bench_trainings.folder import Found
from cm4bench_trainings.record import TrainingError

Writer = Callable[[Found, Path, str], Path]
#: names of the files, by form
NAMES = {form: f"trainings.{form}" for form in ("html", "md", "csv", "xlsx", "png")}
_ALSO = {"markdown": "md", "excel": "xlsx"}
DEFAULT = ("html", "md", "csv")


def write(found: Found, folder: Path, forms: Sequence[str] = DEFAULT, title: str = "Training results") -> list[Path]:
    """Write one file per form into ``folder``; the same results give the same files.

    Raises:
        TrainingError: an unknown form, or the folder cannot be written.
    """
    return [write_one(found, folder / NAMES[form], form, title) for form in map(form_of, forms)]


def form_of(name: str) -> str:
    """The form that a word means: html, md (markdown), csv, xlsx (excel), png; TrainingError for another."""
    form = _ALSO.get(name.lower(), name.lower())
    if form not in NAMES:
        raise TrainingError(f"{name!r} is no form of report", f"forms: {', '.join((*NAMES, *_ALSO))}")
    return form


def write_one(found: Found, target: Path, form: str, title: str = "Training results") -> Path:
    """Write one report; TrainingError where that is impossible."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return _WRITERS[form](found, target, title)
    except OSError as error:
        raise TrainingError(f"{target} cannot be written: {error.strerror or error}", "--output=FILE") from None


def _html(found: Found, target: Path, title: str) -> Path:
    from cm4bench_trainings.html import write_report

    return write_report(found, target, title)


def _markdown(found: Found, target: Path, title: str) -> Path:
    from cm4bench_trainings.markdown import write_report

    return write_report(found, target, title)


def _csv(found: Found, target: Path, title: str) -> Path:
    return _exported(found, target, "csv")


def _xlsx(found: Found, target: Path, title: str) -> Path:
    return _exported(found, target, "xlsx")


def _png(found: Found, target: Path, title: str) -> Path:
    from cm4bench_database.errors import DatabaseError
    from cm4bench_database.extras import need
    from cm4bench_trainings.png import write_picture

    try:
        need("matplotlib")
    except DatabaseError as error:
        raise TrainingError(error.cause, error.hint) from None
    return write_picture(found, target, title)


def _exported(found: Found, target: Path, form: str) -> Path:
    from cm4bench_database.errors import DatabaseError
    from cm4bench_database.export import export
    from cm4bench_trainings.table import table

    try:
        return export(table(found.trainings), form, target)
    except DatabaseError as error:
        raise TrainingError(error.cause, error.hint) from None


_WRITERS: dict[str, Writer] = {"html": _html, "md": _markdown, "csv": _csv, "xlsx": _xlsx, "png": _png}
