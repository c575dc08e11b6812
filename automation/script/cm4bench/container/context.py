"""The build folder of an image: the repositories, lists of packages, the recipe in both languages."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..errors import CMBenchError
from ..manifest import Repo
from .contents import repository_files
from .recipe import ImageRecipe, apptainer_text, dockerfile_text, folder_of
from .standalone.index import PACKAGE_LISTS

__all__ = ["content_digest", "write_context"]

DOCKERFILE, DEFINITION = "Dockerfile", "cm4bench.def"


def write_context(recipe: ImageRecipe, repos: Sequence[Repo], folder: Path, wheels: Path | None = None) -> str:
    """Fill an empty or new folder; returns the digest of its content, which names the image.

    Raises:
        CMBenchError: the folder holds other things, or there are no wheels where some were announced.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise CMBenchError(f"{folder} is not empty", hint="--output=FOLDER names a new one")
    for repo in repos:
        if folder_of(repo) in recipe.repositories:
            _copy(repo.path, folder / "repos" / folder_of(repo))
    (folder / "packages").mkdir()
    for name, lines in zip(PACKAGE_LISTS, (recipe.python_packages, recipe.lone_packages), strict=True):
        (folder / "packages" / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    if recipe.wheels:
        _copy_wheels(wheels, folder / "wheels")
    (folder / DOCKERFILE).write_text(dockerfile_text(recipe), encoding="utf-8")
    (folder / DEFINITION).write_text(apptainer_text(recipe), encoding="utf-8")
    return content_digest(folder)


def _copy(source: Path, target: Path) -> None:
    for name in repository_files(source):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target / name)


def _copy_wheels(source: Path | None, target: Path) -> None:
    wheels = sorted(source.glob("*.whl")) if source else []
    if not wheels:
        raise CMBenchError(f"{source} holds no wheels", hint="--container_wheels=FOLDER, for example that of a capsule")
    target.mkdir()
    for wheel in wheels:
        shutil.copy(wheel, target / wheel.name)


def content_digest(folder: Path) -> str:
    """sha256 over names, contents and executable bits."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        executable = "x" if path.stat().st_mode & 0o100 else "-"
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder)}\0{executable}\0{content}\n".encode())
    return digest.hexdigest()
