"""What an image for a plan needs, as a Dockerfile and as an Apptainer definition. Equal plans, equal text."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import CMBenchError
from ..manifest import Repo
from ..plan import Plan, Step
from ..variations import layers
from .contents import involved_repositories
from .standalone.index import PACKAGE_LISTS, folder_name
from .wheels import TORCH_FOR_CPUS

__all__ = [
    "ImageRecipe",
    "apptainer_text",
    "dockerfile_text",
    "folder_of",
    "image_recipe",
    "python_packages",
    "uses_cuda",
]

HOME = "/opt/cm4bench-home"
REPOS = "/opt/repos"
USER_ID = 1000
_PACKAGE = "CM_GENERIC_PYTHON_PACKAGE_NAME"
_SAFE_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_\-\[\],=<>!~ ]*")


@dataclass(frozen=True)
class ImageRecipe:
    """`repositories`: folder names in the build folder, the engine's first; `wheels`: take packages from `wheels/`."""

    request: str
    base: str
    repositories: tuple[str, ...]
    python_packages: tuple[str, ...] = ()
    lone_packages: tuple[str, ...] = ()
    system_packages: tuple[str, ...] = ()
    cuda: bool = False
    wheels: bool = False

    @property
    def engine(self) -> str:
        return f"{REPOS}/{self.repositories[0]}"


def image_recipe(plan: Plan, repos: Sequence[Repo], base: str, *, wheels: bool = False) -> ImageRecipe:
    """What the plan's steps need.

    Raises:
        CMBenchError: a package name that is none, or no clone of cm4bench among the repositories.
    """
    steps = plan.all_steps(supposed=True)
    packages = python_packages(steps)
    return ImageRecipe(
        request=plan.request,
        base=base,
        repositories=tuple(folder_of(repo) for repo in involved_repositories(plan, repos)),
        python_packages=tuple(name for name, alone in packages if not alone),
        lone_packages=tuple(name for name, alone in packages if alone),
        system_packages=tuple(sorted({name for step in steps for name in _debian_packages(step)})),
        cuda=uses_cuda(plan),
        wheels=wheels,
    )


def folder_of(repo: Repo) -> str:
    """A repository's folder name inside images and capsules."""
    return folder_name(repo.alias)


def uses_cuda(plan: Plan) -> bool:
    """Was a CUDA device chosen, by name or because there is one?"""
    return any("cuda" in step.variations for step in plan.all_steps(supposed=True))


def python_packages(steps: Sequence[Step]) -> list[tuple[str, bool]]:
    """Python packages that the steps install, as requirements, each with whether it comes without dependencies."""
    found: dict[str, bool] = {}
    for step in steps:
        blocks = [dict(block.get("env") or {}) for _, block in layers(step.script, tuple(step.variations))]
        name = next((str(env[_PACKAGE]) for env in reversed(blocks) if env.get(_PACKAGE)), "")
        if name:
            requirement = _safe(name + str(step.ingredients.get("version") or "").replace(" ", ""), step)
            found[requirement] = found.get(requirement, True) and "no-deps" in step.variations
    return sorted(found.items())


def _debian_packages(step: Step) -> Iterator[str]:
    """What apt-get installs for a step that looks for a system tool."""
    for _, block in layers(step.script, tuple(step.variations)):
        name = str((block.get("env") or {}).get("CM_SYS_UTIL_NAME") or "")
        if name:
            by_manager = (block.get("state") or {}).get(name) or {}
            yield from (_safe(part, step) for part in str(by_manager.get("apt") or name).split())


def _safe(text: str, step: Step) -> str:
    if not _SAFE_PACKAGE.fullmatch(text):
        raise CMBenchError(f"{step.label} names a package that is none: {text!r}", hint="correct its manifest")
    return text


def dockerfile_text(recipe: ImageRecipe) -> str:
    """A Dockerfile for a build folder that `write_context` made."""
    lines = [f"# {_one_line(recipe.request)}", f"FROM {recipe.base}", *_docker_env(_environment(recipe))]
    lines += ["# hadolint ignore=DL3008" if recipe.system_packages else ""]
    lines += [f"RUN {command}" for command in _as_root(recipe)]
    lines += [f"COPY {name} {place}" for name, place in _copied(recipe)]
    lines += [f"USER {USER_ID}", *(f"RUN {command}" for command in _as_user(recipe))]
    lines += ["WORKDIR /tmp", f"ENTRYPOINT {json.dumps([recipe.engine + '/cmr'])}"]
    return "\n".join(line for line in lines if line) + "\n"


def apptainer_text(recipe: ImageRecipe) -> str:
    """An Apptainer definition for the same folder; everybody runs it under their own user id."""
    user = [f"su cm4bench -s /bin/sh -c {shlex.quote(command)}" for command in _as_user(recipe)]
    sections = {
        "": [f"# {_one_line(recipe.request)}", "Bootstrap: docker", f"From: {recipe.base}"],
        "%files": [f"{name} {place}" for name, place in _copied(recipe)],
        "%environment": [f"export {name}={value}" for name, value in _environment(recipe).items()],
        "%post": [
            "set -e",
            *(f"export {name}={value}" for name, value in _environment(recipe).items()),
            *_as_root(recipe),
            *user,
        ],
        "%runscript": [f'exec {recipe.engine}/cmr "$@"'],
    }
    texts = []
    for title, lines in sections.items():
        indent = "    " if title else ""
        texts.append("\n".join([*([title] if title else []), *(indent + line for line in lines)]))
    return "\n\n".join(texts) + "\n"


def _environment(recipe: ImageRecipe) -> dict[str, str]:
    env = {
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PIP_NO_CACHE_DIR": "1",
        "CM4BENCH_HOME": HOME,
    }
    others = [f"{REPOS}/{name}" for name in recipe.repositories[1:]]
    env |= {"CM4BENCH_REPOS": ":".join(others)} if others else {}
    return env | ({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/opt/wheels"} if recipe.wheels else {})


def _docker_env(env: dict[str, str]) -> list[str]:
    return ["ENV " + " \\\n    ".join(f"{name}={value}" for name, value in env.items())]


def _copied(recipe: ImageRecipe) -> list[tuple[str, str]]:
    copied = [("repos", REPOS), ("packages", "/opt/packages")]
    return [*copied, ("wheels", "/opt/wheels")] if recipe.wheels else copied


def _as_root(recipe: ImageRecipe) -> list[str]:
    user = f"useradd --create-home --uid {USER_ID} cm4bench && install -d -m 0777 -o cm4bench {HOME}"
    if not recipe.system_packages:
        return [user]
    install = f"apt-get install -y --no-install-recommends {' '.join(recipe.system_packages)}"
    return [f"apt-get update && {install} && rm -rf /var/lib/apt/lists/*", user]


def _as_user(recipe: ImageRecipe) -> list[str]:
    """Makes the environment; it stays writable for all, because containers run under their caller's user id."""
    pip = f"{HOME}/venv/bin/pip install -c {recipe.engine}/constraints.txt"
    commands = [f"{recipe.engine}/cm version script"]
    torch = [name for name in recipe.python_packages if re.match(r"torch\b", name)]
    if torch and not recipe.cuda and not recipe.wheels:
        commands.append(f"{pip} --extra-index-url {TORCH_FOR_CPUS} {shlex.quote(torch[0])}")
    if recipe.python_packages:
        commands.append(f"{pip} -r /opt/packages/{PACKAGE_LISTS[0]}")
    if recipe.lone_packages:
        commands.append(f"{pip} --no-deps -r /opt/packages/{PACKAGE_LISTS[1]}")
    return [f"umask 0000 && {command}" for command in commands]


def _one_line(text: str) -> str:
    """For a comment: nothing in a request can end it."""
    from ..redact import scrub

    return str(scrub(" ".join(text.replace(",", " ").split())))
