"""Making a capsule: run the request here, then take along all that it was seen to need."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..engine import Engine, Report, Request
from ..errors import CMBenchError
from ..plan import Step
from ..redact import redacted_paths
from ..store import Entry
from ..tools.lock import lock_run, locked_request
from ..tools.lockfile import Lock
from ..tools.roots import Roots
from .contents import engine_repository, involved_repositories, repository_files
from .entries import Names, entry_files, folders_of, traveller, travelling
from .mounts import GivenPath, given_paths, replaced
from .packing import Packer
from .recipe import folder_of, python_packages
from .standalone.index import KIND, PACKAGE_LISTS, SCHEMA, machine
from .wheels import LeftOut, canonical, collect_wheels, cpu_index

__all__ = ["Made", "WheelSource", "make_capsule"]

WheelSource = Callable[[str, Sequence[Sequence[str]], Path, "int | None"], "tuple[list[Path], list[LeftOut]]"]
_VERSION_FLAGS = ("version", "version_min", "version_max", "version_max_usable")


class Made(NamedTuple):
    """A finished capsule: its identity, what is in it, what was left out for its size. `size` in bytes."""

    id: str
    size: int
    wheels: int
    entries: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def make_capsule(
    make_engine: Callable[[], Engine],
    request: Request,
    folder: Path,
    limit: int | None,
    wheel_source: WheelSource = collect_wheels,
) -> Made:
    """Run the request, then fill the empty `folder`. `limit`: bytes of the largest wheel, entry or given file.

    Raises:
        CMBenchError: the run failed, pip could not get a wheel, or data that the request names is over the limit.
    """
    report = make_engine().run(request)
    return _Making(make_engine(), request, report, folder, limit).make(wheel_source)


class _Making:
    """One capsule in the making."""

    def __init__(self, engine: Engine, request: Request, report: Report, folder: Path, limit: int | None) -> None:
        self.engine, self.request, self.limit = engine, request, limit
        self.plan = engine.plan(request, report.done)
        self.steps = self.plan.all_steps(supposed=True)
        self.lock = lock_run(engine, request, report)
        self.packer = Packer(folder)
        self.repos = involved_repositories(self.plan, engine.repos)
        self.given = [one for one in given_paths(request.options, request.env) if not one.written]

    def make(self, wheel_source: WheelSource) -> Made:
        left_out: list[LeftOut] = []
        for repo in self.repos:
            self._add_files(repo.path, repository_files(repo.path), f"repos/{folder_of(repo)}")
        self._add_given()
        entries = self._add_entries(left_out)
        wheels, large = self._add_wheels(wheel_source)
        left_out += large
        self.packer.add_bytes("lock.json", msgspec.json.format(msgspec.json.encode(self.lock), indent=1))
        identity = self.packer.finish(self._head(left_out))
        return Made(identity, self.packer.size(), wheels, tuple(e.label for e in entries), tuple(left_out))

    def _add_wheels(self, source: WheelSource) -> tuple[int, list[LeftOut]]:
        root = self.repos[0].path
        packages = planned_packages((root / "constraints.txt").read_text(encoding="utf-8"), self.steps, self.lock)
        for name, lines in zip(PACKAGE_LISTS, packages, strict=True):
            self.packer.add_bytes(f"packages/{name}", "".join(f"{line}\n" for line in lines).encode())
        arguments = pip_arguments(root, packages)
        with tempfile.TemporaryDirectory(prefix="cm4bench-wheels-") as temporary:
            wheels, large = source(sys.executable, arguments, Path(temporary), self.limit)
            for wheel in wheels:
                self.packer.add(f"wheels/{wheel.name}", wheel)
        return len(wheels), large

    def _add_files(self, root: Path, names: list[Path], place: str) -> None:
        for name in names:
            self.packer.add(f"{place}/{name.as_posix()}", root / name)

    def _add_given(self) -> None:
        for number, one in enumerate(self.given):
            files = [p for p in sorted(one.path.rglob("*")) if p.is_file()] if one.path.is_dir() else [one.path]
            size = sum(path.stat().st_size for path in files)
            if self.limit is not None and size > self.limit:
                raise CMBenchError(
                    f"{one.name}={one.typed} has {size / 1e6:.0f} MB; up to {self.limit / 1e6:.0f} MB go unasked",
                    hint="--large takes everything along",
                )
            for path in files:
                inner = f"/{path.relative_to(one.path).as_posix()}" if path != one.path else ""
                self.packer.add(f"{_place(number, one)}{inner}", path)

    def _add_entries(self, left_out: list[LeftOut]) -> list[Entry]:
        used = {step.id for step in self.steps if step.caches}
        store = self.engine.store
        candidates = [entry for entry in store.entries() if entry.id in used]
        small = []
        for entry in candidates:
            size = sum((entry.folder / name).stat().st_size for name in entry_files(entry))
            if self.limit is None or size <= self.limit:
                small.append(entry)
            else:
                left_out.append(LeftOut(entry.label, size))
        entries = travelling(small, store.root, self.steps)
        names = self._names(entries)
        listed = [self._add_entry(entry, names) for entry in entries]
        self.packer.add_bytes("entries.json", json.dumps(listed, indent=1, default=str).encode())
        return entries

    def _names(self, entries: list[Entry]) -> Names:
        given = {str(number): one.path for number, one in enumerate(self.given)}
        folders = folders_of(self.engine.home, self.engine.repos, Path(sys.prefix), given)
        return Names({**folders, **{f"entry:{entry.folder.name}": entry.folder for entry in entries}})

    def _add_entry(self, entry: Entry, names: Names) -> dict[str, Any]:
        files = []
        for name in entry_files(entry):
            path, place = entry.folder / name, f"entries/{entry.folder.name}/{name.as_posix()}"
            executable = bool(path.stat().st_mode & 0o100)
            if path.stat().st_size > 1 << 20:
                digest = self.packer.add(place, path)
            else:
                digest = self.packer.add_bytes(place, names.named_bytes(path.read_bytes()), executable=executable)
            files.append({"path": name.as_posix(), "sha256": digest, "executable": executable})
        return {**traveller(entry, names)._asdict(), "files": files}

    def _head(self, left_out: list[LeftOut]) -> dict[str, Any]:
        portable, redacted = self._portable_request()
        return {
            "kind": KIND,
            "schema": SCHEMA,
            "machine": machine(),
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "engine": folder_of(engine_repository(self.engine.repos)),
            "repositories": [folder_of(repo) for repo in self.repos],
            "request": portable,
            "redacted": redacted,
            "left_out": [one._asdict() for one in left_out],
        }

    def _portable_request(self) -> tuple[dict[str, Any], list[str]]:
        """The request as input of `cmr`, with folders by name; where its results go is said again at the run."""
        paths = {one.name: "{given}" + _place(number, one)[5:] for number, one in enumerate(self.given)}
        written = {one.name for one in given_paths(self.request.options, self.request.env) if one.written}
        options = {k: v for k, v in self.request.options.items() if k not in written}
        env = {k: v for k, v in self.request.env.items() if k not in written}
        request = self.request._replace(options=replaced(options, paths), env=replaced(env, paths))
        locked = locked_request(request, Roots(self.engine.home, self.engine.repos, Path.cwd()))
        named = {
            name: getattr(locked, name) for name in ("env", "state", "const", "adr", "ad") if getattr(locked, name)
        }
        versions = {flag: text for flag, text in zip(_VERSION_FLAGS, locked.version, strict=True) if text}
        data = {**locked.options, **versions, **named, "tags": locked.tags}
        redacted = redacted_paths(data)
        return _without_redacted(data), redacted


def _place(number: int, one: GivenPath) -> str:
    return f"given/{number}/{one.path.name}"


def _without_redacted(data: Mapping[str, Any]) -> dict[str, Any]:
    clean = {k: _without_redacted(v) if isinstance(v, Mapping) else v for k, v in data.items()}
    return {k: v for k, v in clean.items() if not redacted_paths({k: v})}


class Packages(NamedTuple):
    """Requirements of the plan's Python packages: those with what they depend on, and those without."""

    whole: tuple[str, ...]
    alone: tuple[str, ...]


def planned_packages(constraints: str, steps: Sequence[Step], lock: Lock) -> Packages:
    """Packages that a step installs, in the version that it found or installed where the constraints name none."""
    pinned = {canonical(line.partition("==")[0]) for line in constraints.splitlines() if "==" in line}
    delivered = {canonical(package.name): package.version for s in lock.steps for package in s.packages}
    kinds: dict[bool, list[str]] = {True: [], False: []}
    for requirement, without_dependencies in python_packages(steps):
        name = re.split(r"[=<>!~]", requirement, maxsplit=1)[0]
        version = delivered.get(canonical(name), "")
        exact = version and ("+" in version or canonical(name) not in pinned)
        kinds[without_dependencies].append(f"{name}=={version}" if exact else requirement)
    return Packages(tuple(kinds[False]), tuple(kinds[True]))


def pip_arguments(root: Path, packages: Packages) -> list[list[str]]:
    """For `pip install`: the launcher's environment together with the plan's packages."""
    limits = ["-c", str(root / "constraints.txt")]
    index = cpu_index() if any(one.endswith("+cpu") for one in packages.whole) else []
    arguments = [[*limits, *index, "-r", str(root / "requirements.txt"), *packages.whole]]
    return [*arguments, *([[*limits, "--no-deps", *packages.alone]] if packages.alone else [])]
