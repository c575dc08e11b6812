"""`cmr … --container=ENGINE`, `cm container script`, `cm capsule script` and `cm run-capsule script`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import adapter
from ..errors import CMBenchError, StepFailed

__all__ = ["OPTIONS", "container", "run_in_container"]

Answer = dict[str, Any]
OPTIONS = ("container", "container_base", "container_wheels", "container_flags")
# what belongs to this call on this host; the rest of the input goes into the container
_NOT_HANDED_OVER = (
    *OPTIONS,
    *("action", "automation", "out", "cmd", "unparsed_cmd", "common", "self", "control", "artifact", "artifacts"),
    *("parsed_automation", "parsed_artifact", "parsed_artifacts", "assume"),
)


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


def _wish(i: Mapping[str, Any]) -> Any:
    from .inside import Wish

    wheels = i.get("container_wheels")
    folder = Path(str(wheels)).expanduser().absolute() if wheels else None
    if folder and not folder.is_dir():
        raise CMBenchError(f"--container_wheels={wheels} is no folder", hint="that of a capsule is FOLDER/home/wheels")
    return Wish(str(i.get("container_base") or ""), folder, tuple(shlex.split(str(i.get("container_flags") or ""))))
