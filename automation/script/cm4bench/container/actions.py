"""`cmr … --container=ENGINE`, `cm container script`, `cm capsule script` and `cm run-capsule script`."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import adapter
from ..errors import CMBenchError, StepFailed
from ..manifest import is_yes
from .packing import pack_tar

__all__ = ["OPTIONS", "capsule", "container", "run_capsule", "run_in_container"]

LARGE = 100_000_000  # bytes; what is larger goes into a capsule only with --large

Answer = dict[str, Any]
OPTIONS = ("container", "container_base", "container_wheels", "container_flags")
# what belongs to this call on this host; the rest of the input goes into the container
_NOT_HANDED_OVER = (
    *OPTIONS,
    *("action", "automation", "out", "cmd", "unparsed_cmd", "common", "self", "control", "artifact", "artifacts"),
    *("parsed_automation", "parsed_artifact", "parsed_artifacts", "assume"),
)

_OF_CAPSULES = ("home", "find_links", "network", "verify")


def run_in_container(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Build what `--container` asks for and run the same request in it.

    Raises:
        CMBenchError: the engine is not there, the image cannot be built, or the run inside failed.
    """
    from .engines import find_engine
    from .inside import run_inside

    engine, request = adapter.engine_for(automation), adapter.request_from(i)
    tool = find_engine(str(i["container"]), engine.home / "cm4bench" / "images")
    given = {k: v for k, v in i.items() if k not in _NOT_HANDED_OVER}
    status = run_inside(engine, request, {**given, "tags": request.tags}, tool, _wish(i))
    if status:
        raise StepFailed(
            f"the run in the {tool.name} container ended with exit code {status}; its words are above",
            hint="cm container script … --output=FOLDER writes what the image is made of",
            code=status,
        )
    return {"return": 0}


def container(automation: Any, i: Mapping[str, Any]) -> Answer:
    """`cm container script "…" [--output=FOLDER]`: the build folder of the image, or only its recipes.

    Raises:
        CMBenchError: the plan is impossible, or the folder is not empty.
    """
    from .context import write_context
    from .inside import recipe_for
    from .recipe import apptainer_text, dockerfile_text

    wish, output = _wish(i), i.get("output")
    engine = adapter.engine_for(automation)
    request = adapter.request_from({k: v for k, v in i.items() if k != "output"})
    recipe = recipe_for(engine, request, wish)
    as_definition = str(i.get("container") or "") == "apptainer"
    text = apptainer_text(recipe) if as_definition else dockerfile_text(recipe)
    answer: Answer = {"return": 0, "text": text}
    if output:
        folder = Path(str(output)).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        answer["digest"] = write_context(recipe, engine.repos, folder, wish.wheels)
    if i.get("out") == "con":
        print(f"build folder: {output}" if output else text, end="\n" if output else "")
    return answer


def capsule(automation: Any, i: dict[str, Any]) -> Answer:
    """`cm capsule script "…" --output=FOLDER|FILE.tar [--large]`, and `cm capsule script run FOLDER`.

    Raises:
        CMBenchError: the request failed here, something could not be fetched, or the output is there already.
    """
    if i.get("artifact") == "run":
        return run_capsule(automation, {**i, "artifact": next(iter(i.get("artifacts") or ()), "")})
    from ..events import silent
    from ..progress import Progress
    from .capsule import make_capsule

    target = _new_path(i)
    given = {k: v for k, v in i.items() if k not in ("output", "large")}
    request, listener = adapter.request_from(given), Progress(quiet=is_yes(i.get("quiet")), verbose=False)
    limit = None if is_yes(i.get("large")) else LARGE
    console = i.get("out") == "con"
    with _folder_for(target) as folder:
        made = make_capsule(
            lambda: adapter.engine_for(automation, listener if console else silent), request, folder, limit
        )
    if console:
        for name, size in made.left_out:
            print(f"left out, {size / 1e6:.0f} MB (--large takes it along): {name}")
        print(f"capsule {made.id[:16]}: {target}, {made.size / 1e6:.1f} MB: {made.wheels} wheels, ", end="")
        print(f"{len(made.entries)} cache entries, the repository; it starts by {_start_of(target)}")
    return {"return": 0, "id": made.id, "entries": list(made.entries), "left_out": [o._asdict() for o in made.left_out]}


def _start_of(target: Path) -> str:
    return f"cm run-capsule script {target}" if target.suffix == ".tar" else f"{target}/run"


def _new_path(i: Mapping[str, Any]) -> Path:
    if not i.get("output") or i["output"] is True:
        raise CMBenchError("no --output was given", hint='cm capsule script "…" --output=FOLDER, or FILE.tar')
    target = Path(str(i["output"])).expanduser().absolute()
    if target.exists() and (target.is_file() or any(target.iterdir())):
        raise CMBenchError(f"{target} is there already", hint="--output=FOLDER names a new one")
    return target


@contextlib.contextmanager
def _folder_for(target: Path) -> Iterator[Path]:
    """A folder beside the target, which becomes the target when all went well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        folder = Path(temporary) / "capsule"
        folder.mkdir()
        yield folder
        if target.suffix == ".tar":
            pack_tar(folder, target)
        else:
            folder.replace(target)


def run_capsule(automation: Any, i: Mapping[str, Any]) -> Answer:
    """`cm run-capsule script FOLDER|FILE.tar [--home=FOLDER] [--find_links=FOLDER] [--network] [options]`.

    Raises:
        CMBenchError: damaged, for another machine, or with something left out; nothing was run then.
    """
    from .standalone.index import CapsuleError
    from .standalone.start import run

    if not i.get("artifact"):
        raise CMBenchError("no capsule was named", hint="cm run-capsule script FOLDER")
    folders = {name: Path(str(i[name])) for name in ("home", "find_links") if i.get(name)}
    try:
        status = run(
            Path(str(i["artifact"])),
            folders.get("home"),
            _flags({k: v for k, v in i.items() if k not in (*_NOT_HANDED_OVER, *_OF_CAPSULES)}),
            folders.get("find_links"),
            is_yes(i.get("network")),
            is_yes(i.get("verify")),
        )
    except CapsuleError as error:
        raise CMBenchError(error.cause, hint=error.hint) from None
    if status:
        raise StepFailed(f"the capsule's run ended with exit code {status}; its words are above", code=status)
    return {"return": 0}


def _flags(given: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Input of CM as command line again."""
    flags: list[str] = []
    for name, value in given.items():
        deeper = isinstance(value, Mapping)
        flags += _flags(value, f"{prefix}{name}.") if deeper else [f"--{prefix}{name}={value}"]
    return flags


def _wish(i: Mapping[str, Any]) -> Any:
    from .inside import Wish

    wheels = i.get("container_wheels")
    folder = Path(str(wheels)).expanduser().absolute() if wheels else None
    if folder and not folder.is_dir():
        raise CMBenchError(f"--container_wheels={wheels} is no folder", hint="that of a capsule is FOLDER/home/wheels")
    return Wish(str(i.get("container_base") or ""), folder, tuple(shlex.split(str(i.get("container_flags") or ""))))
