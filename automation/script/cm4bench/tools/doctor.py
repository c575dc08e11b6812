"""`cm doctor script`: is this host ready, and what to type where it is not. Looks only; changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..engine import Engine
from ..outputs import first_damage
from ..units import megabytes
from ..versions import compare
from .gpus import Nvidia, read_nvidia

__all__ = ["Check", "check_lines", "checks_data", "diagnose"]

Status = Literal["ok", "note", "bad"]

_PYTHON_MIN = "3.10"
_FREE_BYTES = 10 * 10**9
_TOOLS = {
    "bash": ("bad", "native scripts need it: sudo apt install bash"),
    "git": ("note", "cm pull repo needs it: sudo apt install git"),
    "gcc": ("note", "steps that compile need it: sudo apt install build-essential"),
    "cmake": ("note", "steps that compile need it: sudo apt install cmake"),
    "tar": ("note", "some upstream scripts need it: sudo apt install tar"),
    "wget": ("note", "some upstream scripts need it: sudo apt install wget"),
    "docker": ("note", "only --container=docker needs it"),
}
_SITES = {
    "PyPI": "https://pypi.org/simple/pip/",
    "GitHub": "https://github.com",
    "Zenodo (models)": "https://zenodo.org",
}


class Check(NamedTuple):
    """One line: what was looked at, what was found, and the way out where it is not `ok`."""

    status: Status
    name: str
    found: str
    fix: str = ""


def diagnose(engine: Engine, *, network: bool = False, nvidia: Nvidia | None = None) -> Iterator[Check]:
    """All checks, cheap ones first. Opens connections only with `network`."""
    yield from _host(engine)
    yield from _python()
    yield from _tools(shutil.which)
    yield from _gpu(engine, nvidia)
    yield from _home(engine)
    yield from _repositories(engine)
    yield from _store(engine)
    if network:
        yield from _network()
    else:
        yield Check("note", "network", "not looked at", "cm doctor script --network asks a few sites")


def _host(engine: Engine) -> Iterator[Check]:
    facts = engine.facts.values
    system = f"{facts.get('os.flavor')} {facts.get('os.version')}, {facts.get('cpu.architecture')}"
    if facts.get("os.type") == "linux":
        yield Check("ok", "system", system)
    else:
        yield Check("note", "system", system, "benchmarks run on Linux; elsewhere only planning is tested")
    usable, count = facts.get("cpu.usable"), facts.get("cpu.count")
    fix = "" if usable == count else "taskset, a container or a batch system allows fewer than there are"
    yield Check("note" if fix else "ok", "processors", f"{usable} of {count} may be used", fix)


def _python() -> Iterator[Check]:
    version = ".".join(str(n) for n in sys.version_info[:3])
    if compare(version, _PYTHON_MIN) < 0:
        yield Check("bad", "python", version, f"install Python {_PYTHON_MIN} or newer; CM4BENCH_PYTHON names it")
    else:
        yield Check("ok", "python", f"{version}, {sys.executable}")
    if sys.prefix == sys.base_prefix:
        fix = "./cmr makes its own: packages would go into the system's Python"
        yield Check("note", "environment", "no virtual environment", fix)
    else:
        yield Check("ok", "environment", f"virtual environment {sys.prefix}")
    import importlib.util

    if importlib.util.find_spec("pip") is None:
        yield Check("bad", "pip", "not in this Python", f"{sys.executable} -m ensurepip")
    else:
        yield Check("ok", "pip", "there")


def _tools(which: Callable[[str], str | None]) -> Iterator[Check]:
    for tool, (status, fix) in _TOOLS.items():
        path = which(tool)
        yield Check("ok", tool, path) if path else Check(status, tool, "not found", fix)  # type: ignore[arg-type]


def _gpu(engine: Engine, nvidia: Nvidia | None) -> Iterator[Check]:
    """Does the driver run what is there to use it: the toolkit's nvcc and this Python's torch?"""
    if nvidia is None and engine.facts.values.get("accelerator") != "cuda":
        yield Check("note", "gpu", "no NVIDIA GPU", "everything runs on the CPU; _cuda would be refused")
        return
    nvidia = nvidia or read_nvidia()
    if nvidia.problem:
        yield Check("bad", "gpu", nvidia.problem, "nvidia-smi says more; in a container, start it with --gpus all")
        return
    for gpu in nvidia.gpus:
        yield Check("ok", "gpu", f"{gpu.name}, {megabytes(gpu.memory)}, compute capability {gpu.capability}")
    if not nvidia.gpus:
        yield Check(
            "bad", "gpu", f"driver {nvidia.driver}, and no GPU", "see CUDA_VISIBLE_DEVICES and the container's settings"
        )
    yield Check("ok", "driver", f"{nvidia.driver}, runs CUDA up to {nvidia.cuda}")
    yield from _fit("CUDA toolkit", _toolkit_version(), nvidia)
    yield from _fit("torch", _torch_cuda(), nvidia)


def _fit(name: str, cuda: str, nvidia: Nvidia) -> Iterator[Check]:
    """CUDA runs programs of its own major version and older; a newer major version needs a newer driver."""
    if not cuda:
        return
    if compare(cuda.partition(".")[0], nvidia.cuda.partition(".")[0]) > 0:
        fix = f"update the NVIDIA driver, or take a {name} for CUDA {nvidia.cuda} or older"
        yield Check("bad", name, f"for CUDA {cuda}, the driver runs up to {nvidia.cuda}", fix)
    elif name == "torch" and cuda == "none":
        fix = 'cmr "get generic-python-lib _torch_cuda" --force_install'
        yield Check("bad", name, "a build without CUDA, and there is a GPU", fix)
    else:
        yield Check("ok", name, f"for CUDA {cuda}")


def _toolkit_version() -> str:
    """From the toolkit's own file, without starting nvcc."""
    import json

    root = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH") or "/usr/local/cuda"
    try:
        data = json.loads((Path(root) / "version.json").read_text(encoding="utf-8"))
        return ".".join(str(data["cuda"]["version"]).split(".")[:2])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _torch_cuda() -> str:
    """CUDA version of the installed torch, read from its version file: importing it takes seconds."""
    import importlib.util
    import re

    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.origin:
        return ""
    try:
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"^cuda[^=\n]*=\s*(?:'([\d.]+)'|\"([\d.]+)\"|None)", text, re.MULTILINE)
    return (found[1] or found[2] or "none") if found else ""


def _home(engine: Engine) -> Iterator[Check]:
    home = engine.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
        yield Check("ok", "CM home", str(home))
    except OSError as error:
        fix = "export CM_REPOS=FOLDER that you can write to"
        yield Check("bad", "CM home", f"{home} cannot be written: {error.strerror}", fix)
    existing = next((p for p in (home, *home.parents) if p.exists()), Path("/"))
    free = shutil.disk_usage(existing).free
    few = free < _FREE_BYTES
    fix = "cm prune cache --older_than=30 lists what can go; CM_REPOS may lie on another disk" if few else ""
    yield Check("note" if few else "ok", "disk", f"{megabytes(free)} free for the cache", fix)


def _repositories(engine: Engine) -> Iterator[Check]:
    if not engine.repos:
        yield Check("bad", "repositories", "none is registered", "cm add repo --path=FOLDER")
    for repo in engine.repos:
        if not repo.path.is_dir():
            yield Check("bad", "repository", f"{repo.alias}: {repo.path} is gone", f"cm rm repo {repo.alias} --force")
    count = len(engine.catalog)
    fix = "" if count else "cm pull repo mlcommons@cm4mlops brings some"
    yield Check("ok" if count else "bad", "scripts", f"{count} in {len(engine.repos)} repositories", fix)
    for aside in engine.catalog.set_aside:
        yield Check("bad", "set aside", aside.cause, f"cm lint script --path={_repo_of(engine, aside.path)}")


def _repo_of(engine: Engine, folder: Path) -> Path:
    return next((repo.path for repo in engine.repos if repo.path in folder.parents), folder)


def _store(engine: Engine) -> Iterator[Check]:
    entries = list(engine.store.entries())
    damaged = [(entry, damage) for entry in entries if (damage := first_damage(entry.outputs))]
    for entry, damage in damaged:
        yield Check(
            "bad", "cache", f"{entry.label}: {damage}", "cm prune cache --damaged -f; the next run makes it anew"
        )
    if not damaged:
        yield Check("ok", "cache", f"{len(entries)} entries, their files are there")
    root = engine.store.root
    folders = [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    debris = len(folders) - len(entries)
    if debris > 0:
        yield Check("note", "cache", f"{debris} unfinished folders", "cm prune cache -f removes them")


def _network() -> Iterator[Check]:
    import requests

    for name, url in _SITES.items():
        try:
            code = requests.head(url, timeout=5, allow_redirects=True).status_code
        except requests.RequestException as error:
            fix = "behind a proxy: export https_proxy=…; without a network, everything cached still works"
            yield Check("note", name, f"not reachable ({type(error).__name__})", fix)
            continue
        yield Check("ok", name, f"answers ({code})")


def check_lines(checks: list[Check]) -> Iterator[str]:
    """One line each, the fix below where there is one; a verdict at the end."""
    marks = {"ok": "✓", "note": "·", "bad": "✗"}
    for check in checks:
        yield f"{marks[check.status]} {check.name}: {check.found}"
        if check.fix:
            yield f"    → {check.fix}"
    bad = sum(check.status == "bad" for check in checks)
    yield ""
    yield f"{bad} thing{'s' * (bad != 1)} to mend" if bad else "nothing to mend"


def checks_data(checks: list[Check]) -> list[dict[str, Any]]:
    """Checks for programs."""
    return [check._asdict() for check in checks]
