"""Templates of configurations: one commented file per model and data set, and a data set of your own to begin with."""

from __future__ import annotations

from pathlib import Path

from mlperf_lite.errors import LiteError, nearest

FOLDER = Path(__file__).parent / "templates"
OWN = "own_dataset"


def names() -> list[str]:
    """All templates."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def write(name: str, target: Path | None = None, *, force: bool = False) -> list[Path]:
    """Write a template (by default to NAME.yaml in the working folder), `own_dataset` with its Python file beside it.

    Raises:
        LiteError: there is no such template, or a file would be overwritten or cannot be written.
    """
    if name not in names():
        raise LiteError(f"there is no template {name!r}", nearest(name, names()))
    target = (target or Path(f"{name}.yaml")).expanduser().absolute()
    files = {target: FOLDER / f"{name}.yaml"}
    if name == OWN:
        files[target.parent / f"{OWN}.py"] = FOLDER / f"{OWN}.py.txt"
    for path in files:
        if path.exists() and not force:
            raise LiteError(f"{path} is there already", "--force overwrites it, --output=FILE names another")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for path, source in files.items():
            path.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise LiteError(f"{target} cannot be written: {error.strerror}", "--output=FILE") from None
    return list(files)
