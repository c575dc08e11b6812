"""What a request names of the host: folders it writes into, and files and folders it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import CMBenchError
from ..redact import scrub

__all__ = ["GivenPath", "given_paths", "is_for_output", "replaced"]

_WRITTEN = {"results_dir", "output_dir", "output", "outdirname", "logfile", "path"}
_OF_THE_CALL = "CM_TMP_"


class GivenPath(NamedTuple):
    """A path in a request: the value as typed, where it leads, and whether the run writes there."""

    name: str
    typed: str
    path: Path
    written: bool


def is_for_output(name: str) -> bool:
    """Does an option of this name say where something goes? Environment keys end with the same words."""
    word = name.lower()
    return word in _WRITTEN or word.endswith(("_results_dir", "_output_dir", "_outdirname"))


def given_paths(options: Mapping[str, Any], env: Mapping[str, Any]) -> list[GivenPath]:
    """Options and environment values that name something which exists, or an output folder that will.

    Environment values count only if absolute: a word that happens to be a file's name here is no path.
    """
    return [*_given(options, relative=True), *_given(env, relative=False)]


def _given(values: Mapping[str, Any], *, relative: bool) -> Iterator[GivenPath]:
    for name, value in sorted(values.items()):
        if not isinstance(value, str) or not value or name.startswith(_OF_THE_CALL) or scrub(value, name) != value:
            continue
        path, written = Path(value).expanduser(), is_for_output(name)
        if not (path.is_absolute() or relative) or "\n" in value or "://" in value:
            continue
        path = path.absolute()
        if written or _is_data(path, typed_as_path="/" in value):
            yield GivenPath(name, value, path, written)


def _is_data(path: Path, *, typed_as_path: bool) -> bool:
    """A program is a part of the host, no data."""
    try:
        return path.is_dir() if path.is_dir() else typed_as_path and path.is_file() and not path.stat().st_mode & 0o111
    except OSError as error:
        raise CMBenchError(f"{path} cannot be looked at: {error.strerror}") from None


def replaced(values: Mapping[str, Any], paths: Mapping[str, str]) -> dict[str, Any]:
    """The values with some of them changed by name."""
    return {name: paths.get(name, value) for name, value in values.items()}
