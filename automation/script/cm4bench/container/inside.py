"""Running a request inside an image built from its plan."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..engine import Engine, Request
from ..errors import CMBenchError
from .bases import base_image
from .context import write_context
from .engines import ContainerEngine, Launch, Mount
from .mounts import given_paths
from .recipe import ImageRecipe, image_recipe

__all__ = ["Wish", "build", "launch_for", "recipe_for", "run_inside"]


class Wish(NamedTuple):
    """What the user said about the container."""

    base: str = ""
    wheels: Path | None = None
    flags: tuple[str, ...] = ()


def recipe_for(engine: Engine, request: Request, wish: Wish) -> ImageRecipe:
    """Plan on this host, then derive the image. Raises CMBenchError."""
    plan = engine.plan(request)
    return image_recipe(plan, engine.repos, base_image(wish.base), wheels=wish.wheels is not None)


def run_inside(engine: Engine, request: Request, given: Mapping[str, Any], tool: ContainerEngine, wish: Wish) -> int:
    """Build the image if it is not there yet, run the request in it; returns the exit code of the run.

    `given` is the CM input that is handed over; the image's `cmr` reads it from a private file.

    Raises:
        CMBenchError: the build failed.
    """
    recipe = recipe_for(engine, request, wish)
    image = build(engine, recipe, tool, wish, engine.find_script(request.tags).alias)
    with _request_file(given) as file:
        launch = launch_for(engine.home, request, image, file, cuda=recipe.cuda, flags=wish.flags)
        return subprocess.run(tool.run_command(launch), stdin=subprocess.DEVNULL).returncode


def build(engine: Engine, recipe: ImageRecipe, tool: ContainerEngine, wish: Wish, alias: str) -> str:
    """The image's name; it is built unless one from the same content is there.

    Raises:
        CMBenchError: the engine could not build it.
    """
    with tempfile.TemporaryDirectory(prefix="cm4bench-image-") as temporary:
        folder = Path(temporary) / "context"
        folder.mkdir()
        image = tool.image(alias, write_context(recipe, engine.repos, folder, wish.wheels))
        if tool.has_image(image):
            return image
        print(f"building {image} from {recipe.base} with {tool.name}", file=sys.stderr, flush=True)
        status = subprocess.run(tool.build_command(folder, image), cwd=folder, stdout=sys.stderr).returncode
    if status:
        raise CMBenchError(
            f"{tool.name} could not build the image (exit code {status}; its words are above)",
            hint="cm container script … --output=FOLDER writes the build folder to look at",
        )
    return image


def launch_for(
    home: Path, request: Request, image: str, file: Path, *, cuda: bool, flags: tuple[str, ...] = ()
) -> Launch:
    """Mounts: a CM home of the image's own that lasts, the working folder, what the request names. Paths stay equal."""
    cm_home = home / "cm4bench" / "containers" / _short(image)
    workdir = Path.cwd()
    if workdir == Path(workdir.anchor):
        raise CMBenchError(f"{workdir} as working folder would be mounted as a whole", hint="cd into a folder of yours")
    written = {cm_home, workdir}
    read = {file}
    for one in given_paths(request.options, request.env):
        (written if one.written else read).add(one.path)
    for folder in written:
        folder.mkdir(parents=True, exist_ok=True)
    mounts = [Mount(path, writable=True) for path in _outermost(written)]
    mounts += [Mount(path) for path in sorted(read) if not any(path.is_relative_to(m.path) for m in mounts)]
    env = {"CM_REPOS": str(cm_home), "HOME": str(cm_home)}
    return Launch(image, (f"@{file}",), tuple(mounts), workdir, env, cuda, flags)


def _outermost(paths: set[Path]) -> list[Path]:
    return [p for p in sorted(paths) if not any(p != q and p.is_relative_to(q) for q in paths)]


def _short(image: str) -> str:
    return Path(image).name.replace(":", "-").removesuffix(".sif")


@contextlib.contextmanager
def _request_file(given: Mapping[str, Any]) -> Iterator[Path]:
    """The request as JSON that only the caller can read: secrets in it reach no command line, image or log."""
    handle, name = tempfile.mkstemp(prefix="cm4bench-request-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(given, file, default=str)
        yield Path(name)
    finally:
        Path(name).unlink()
