"""A Dockerfile for a planned request, from the manifest's `docker:` section and the `--docker_…` flags."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..manifest import Repo
from ..plan import Plan

__all__ = ["dockerfile_lines"]

_BASES = {"ubuntu": "ubuntu:{}", "debian": "debian:{}", "rhel": "registry.access.redhat.com/ubi9"}
_CM_FLAGS = {"quiet", "out", "output", "tags", "artifact", "artifacts", "action", "automation", "cmd", "help", "plan"}


def dockerfile_lines(plan: Plan, repos: Sequence[Repo], i: Mapping[str, Any]) -> Iterator[str]:
    """Base image, CM itself, the repositories of the planned steps, and the request as the image's command."""
    settings = _settings(plan, i)
    yield f"# {plan.request}: {len(plan.steps())} steps planned"
    yield f"FROM {_base(settings)}"
    yield "ENV DEBIAN_FRONTEND=noninteractive PYTHONUNBUFFERED=1 CM_REPOS=/cm"
    packages = "bash ca-certificates git python3 python3-pip python3-venv"
    yield f"RUN apt-get update && apt-get install -y --no-install-recommends {packages}"
    yield "RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir cmind"
    yield "ENV PATH=/venv/bin:$PATH"
    for command in settings.get("pre_run_cmds") or ():
        yield f"RUN {command}"
    for alias in _needed(plan, repos):
        yield f"RUN cm pull repo {shlex.quote(alias)}"
    yield f"CMD {json.dumps(['cmr', f'--tags={plan.request}', '--quiet', *_flags(i)])}"


def _settings(plan: Plan, i: Mapping[str, Any]) -> dict[str, Any]:
    given = {k.removeprefix("docker_"): v for k, v in i.items() if k.startswith("docker_")}
    return {**(plan.root.script.raw.get("docker") or {}), **given}


def _base(settings: Mapping[str, Any]) -> str:
    if settings.get("base_image"):
        return str(settings["base_image"])
    pattern = _BASES.get(str(settings.get("os") or "ubuntu"), "{}")
    return pattern.format(settings.get("os_version") or "22.04")


def _needed(plan: Plan, repos: Sequence[Repo]) -> list[str]:
    """Repositories with a step in the plan, and the first one, which brings the engine."""
    used = {step.script.repo.alias for step in plan.steps()}
    return [
        r.alias for n, r in enumerate(repos) if (r.alias in used or n == 0) and r.alias not in ("local", "internal")
    ]


def _flags(i: Mapping[str, Any]) -> list[str]:
    plain = {k: v for k, v in i.items() if k not in _CM_FLAGS and not k.startswith(("docker_", "parsed_", "save_to"))}
    flags = [f"--{k}={v}" for k, v in plain.items() if isinstance(v, (str, int, float))]
    return flags + [f"--env.{k}={v}" for k, v in (i.get("env") or {}).items()]
