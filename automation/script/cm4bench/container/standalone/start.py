"""Running a capsule: all checks, then its own launcher with its own packages and CM home."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .index import PACKAGE_LISTS, CapsuleError, machine, objects_of, read_index, verify
from .layout import lay_out, localized, open_tar

_OFFLINE = {"PIP_NO_INDEX": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


def main(argv: Sequence[str]) -> int:
    """`run [--home=FOLDER] [--find_links=FOLDER] [--network] [--verify] [options of the request]`."""
    parser = argparse.ArgumentParser(prog="run", description="Run this capsule; other options go to the request.")
    parser.add_argument("capsule", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help="where all is laid out (default: home inside the capsule)")
    parser.add_argument("--find_links", type=Path, help="folder with the wheels that were left out")
    parser.add_argument("--network", action="store_true", help="let the run fetch what was left out")
    parser.add_argument("--verify", action="store_true", help="only check every hash")
    options, rest = parser.parse_known_args(argv)
    try:
        return run(options.capsule, options.home, rest, options.find_links, options.network, options.verify)
    except CapsuleError as error:
        print(f"error: {error.cause}\n\nnext: {error.hint}", file=sys.stderr)
        return 1


def run(
    capsule: Path,
    home: Path | None,
    arguments: Sequence[str] = (),
    find_links: Path | None = None,
    network: bool = False,
    only_verify: bool = False,
) -> int:
    """Check every hash, lay the capsule out in `home`, run its request there; returns the exit code.

    Raises:
        CapsuleError: before anything runs, when something is missing, damaged or not for this machine.
    """
    capsule = capsule.expanduser().absolute()
    home = (home or _default_home(capsule)).expanduser().absolute()
    if capsule.is_file():
        capsule = open_tar(capsule, home)
    index = read_index(capsule)
    verify(capsule, index)
    if only_verify:
        print(f"{len(objects_of(index))} objects are as the index has them: {index['sha256'][:16]}")
        return 0
    _refuse_other_machine(index)
    _refuse_left_out(index, find_links, network)
    lay_out(capsule, index, home)
    command = _prepare(index, home, arguments)
    env = _environment(index, capsule, home, find_links, network)
    return _install(index, home, env) or subprocess.run(command, env=env).returncode


def _default_home(capsule: Path) -> Path:
    return capsule.with_name(capsule.name.removesuffix(".tar") + "-home") if capsule.is_file() else capsule / "home"


def _refuse_other_machine(index: Mapping[str, Any]) -> None:
    made, here = index["machine"], machine()
    if made["system"] != here["system"] or made["machine"] != here["machine"]:
        raise CapsuleError(
            f"the capsule is for {made['system']} on {made['machine']}, this is {here['system']} on {here['machine']}",
            "make it anew on such a machine",
        )
    if made["python"] != here["python"]:
        raise CapsuleError(
            f"the capsule's packages are for Python {made['python']}, this is {here['python']}",
            f"CM4BENCH_PYTHON=python{made['python']} ./run",
        )


def _refuse_left_out(index: Mapping[str, Any], find_links: Path | None, network: bool) -> None:
    there = {path.name for path in find_links.glob("*.whl")} if find_links else set()
    missing = [one["name"] for one in index["left_out"] if one["name"] not in there]
    if missing and not network:
        raise CapsuleError(
            f"left out of the capsule because of their size: {', '.join(missing)}",
            "--find_links=FOLDER with the wheels, --network to fetch them, or a capsule made with --large",
        )


def _prepare(index: Mapping[str, Any], home: Path, arguments: Sequence[str]) -> list[str]:
    request = localized(index["request"], home)
    (home / "request.json").write_text(json.dumps(request, indent=1), encoding="utf-8")
    given = {argument.partition("=")[0].lstrip("-") for argument in arguments}
    missing = [name for name in index["redacted"] if name not in given]
    if missing:
        raise CapsuleError(
            f"secrets are not kept in capsules; this one was made with {', '.join('--' + name for name in missing)}",
            f"give them again: {' '.join(f'--{name}=…' for name in missing)}",
        )
    return ["sh", str(home / "repos" / index["engine"] / "cmr"), f"@{home / 'request.json'}", *arguments]


def _install(index: Mapping[str, Any], home: Path, env: Mapping[str, str]) -> int:
    """Once: the environment, and in it the packages that the plan's steps would install; returns the exit code."""
    stamp = home / "packages-installed"
    if stamp.is_file():
        return 0
    root = home / "repos" / index["engine"]
    # the launcher makes the environment before any command; this one does nothing more
    status = subprocess.run(
        ["sh", str(root / "cm"), "version", "script"], env=env, stdout=subprocess.DEVNULL
    ).returncode
    for name, flags in zip(PACKAGE_LISTS, ([], ["--no-deps"]), strict=True):
        listed = home / "packages" / name
        if status == 0 and listed.read_text().strip():
            pip = [str(home / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", *flags]
            command = [*pip, "-c", str(root / "constraints.txt"), "-r", str(listed)]
            status = subprocess.run(command, env=env, stdout=sys.stderr).returncode
    if status == 0:
        stamp.touch()
    return status


def _environment(
    index: Mapping[str, Any], capsule: Path, home: Path, find_links: Path | None, network: bool
) -> dict[str, str]:
    others = [str(home / "repos" / name) for name in index["repositories"] if name != index["engine"]]
    links = [str(home / "wheels"), *([str(find_links.absolute())] if find_links else [])]
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")}
    ours = {
        "CM4BENCH_HOME": str(home),
        "CM_REPOS": str(home / "CM"),
        "CM4BENCH_REPOS": os.pathsep.join(others),
        "CM4BENCH_CAPSULE": str(capsule),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PIP_FIND_LINKS": " ".join(links),
    }
    kept.setdefault("CM4BENCH_PYTHON", sys.executable)
    return {**kept, **ours, **({} if network else _OFFLINE)}
