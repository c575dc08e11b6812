"""Making a lock: from a plan, or from a plan that a run has settled."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from ..engine import Engine, Report, Request
from ..environment import Pending
from ..manifest import Repo
from ..plan import Outcome, Plan, Step
from ..recipe import recipe_files
from ..redact import redacted_paths, scrub, secret_values, without_values
from ..store import Entry
from ..versions import VersionRange
from .gpus import read_nvidia
from .lockdata import file_hashes, mark_path, package_of, tool_versions
from .lockfile import MADE, DataMark, Lock, LockedRepo, LockedRequest, LockedStep
from .roots import Roots

__all__ = ["host_facts", "lock_plan", "lock_run", "locked_request", "request_of"]

_OF_THE_CALL = ("CM_TMP_", "CM_QUIET", "CM_VERBOSE", "CM_RENEW_CACHE_ENTRY")


def lock_plan(engine: Engine, request: Request) -> Lock:
    """The lock of what would be run now. What is in the store already is locked with its data."""
    return _Locking(engine, request, engine.plan(request), {}).lock(ran=False)


def lock_run(engine: Engine, request: Request, report: Report) -> Lock:
    """The lock of what was run; `engine` must be a new one, whose view of the store is not older than the run."""
    return _Locking(engine, request, engine.plan(request, report.done), report.done).lock(ran=True)


def host_facts(engine: Engine) -> dict[str, Any]:
    """Facts of the host that a result may depend on; folders by name."""
    nvidia = read_nvidia() if engine.facts.values.get("accelerator") == "cuda" else None
    facts = {"platform": engine.facts.platform, **engine.facts.values}
    if nvidia:
        facts["gpu.count"] = len(nvidia.gpus)
        facts["gpu.names"] = ", ".join(sorted({gpu.name for gpu in nvidia.gpus}))
        facts["cuda.newest"] = nvidia.cuda
    return facts


def locked_request(request: Request, roots: Roots) -> LockedRequest:
    """The request without secrets, without the machine's folders, and without what belongs to the single call."""
    plain = {name: dict(getattr(request, name)) for name in ("options", "env", "state", "const", "adr", "ad")}
    plain["env"] = {
        k: v for k, v in plain["env"].items() if not k.startswith(_OF_THE_CALL) and "proxy" not in k.lower()
    }
    clean, v = scrub(roots.portable_data(plain)), request.version
    return LockedRequest(tags=scrub(request.tags), version=(v.exact, v.minimum, v.maximum, v.usable_maximum), **clean)


def request_of(locked: LockedRequest, roots: Roots) -> Request:
    """The request that a lock stands for, on this host."""
    fields = {
        name: roots.local_data(getattr(locked, name)) for name in ("options", "env", "state", "const", "adr", "ad")
    }
    return Request(locked.tags, version=VersionRange(*locked.version), **fields)


class _Locking:
    """One lock in the making."""

    def __init__(self, engine: Engine, request: Request, plan: Plan, done: Mapping[str, Outcome]) -> None:
        self.engine = engine
        self.request = request
        self.roots = Roots(engine.home, engine.repos, Path.cwd())
        self.steps = plan.all_steps()
        self.done = done

    def lock(self, *, ran: bool) -> Lock:
        """The lock. A secret of the request, or of the process, is taken out wherever a step repeats it."""
        request = {name: getattr(self.request, name) for name in ("options", "env", "const", "adr", "ad", "state")}
        secrets = secret_values(request) | secret_values(dict(os.environ))
        found = self._lock(ran=ran)
        return msgspec.convert(without_values(msgspec.to_builtins(found), secrets), Lock) if secrets else found

    def _lock(self, *, ran: bool) -> Lock:
        request = locked_request(self.request, self.roots)
        numbers = {step.id: number for number, step in enumerate(self.steps)}
        return Lock(
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            request=request,
            host=scrub(self.roots.portable_data(host_facts(self.engine))),
            repositories=tuple(_locked_repo(repo) for repo in self._repos()),
            steps=tuple(self._step(step, numbers) for step in self.steps),
            ran=ran,
            redacted=tuple(redacted_paths({name: getattr(request, name) for name in request.__struct_fields__})),
            request_data=tuple(self._given_data()),
        )

    def _repos(self) -> list[Repo]:
        used = {step.script.repo for step in self.steps}
        return [repo for repo in self.engine.repos if repo in used]

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return {entry.id: entry for entry in self.engine.store.entries()}

    def _step(self, step: Step, numbers: Mapping[str, int]) -> LockedStep:
        entry = self._entries.get(step.id) if step.caches else None
        outcome = self.done.get(step.id) or (entry.outcome if entry else step.outcome)
        known = {k: v for k, v in outcome.new_env.items() if not isinstance(v, Pending)}
        package = package_of(step.script, step.variations, known)
        needs = [numbers[e.step.id] for e in step.edges if e.step is not None and e.wanted and e.step.id in numbers]
        folder = step.script.path
        return LockedStep(
            label=scrub(step.label),
            alias=step.script.alias,
            uid=step.script.uid,
            repo=step.script.repo.alias,
            id=step.id,
            recipe=str(step.ingredients["recipe"]),
            files=file_hashes(folder, recipe_files(folder)),
            tags=step.script.tags,
            variations=dict(step.variations),
            version=str(step.ingredients["version"]),
            delivered="" if isinstance(outcome.version, Pending) else outcome.version,
            inputs=self._inputs(step),
            needs=tuple(dict.fromkeys(needs)),
            caches=step.caches,
            made=entry is not None,
            data=tuple(self._data(entry)) if entry else (),
            versions=scrub(tool_versions(known)),
            tools=tuple(self._tools(entry)) if entry else (),
            packages=(replace(package, folder=self.roots.portable(package.folder)),) if package else (),
        )

    def _inputs(self, step: Step) -> dict[str, str]:
        """Values that the step can read; of those that other steps make, only that they do."""
        inputs: Mapping[str, str] = step.ingredients["inputs"]
        plain = {key: text[1:].strip("'\"") if text[0] == "=" else MADE for key, text in inputs.items()}
        return scrub(self.roots.portable_data(plain))  # type: ignore[no-any-return]

    def _data(self, entry: Entry) -> Iterable[DataMark]:
        for mark in entry.outputs:
            if _holds_packages(Path(mark.path)):
                continue  # whose versions are locked one by one
            found = mark_path(mark.key, Path(mark.path), self.roots)
            yield found or DataMark(mark.key, self.roots.portable(mark.path), mark.kind, 0, "missing")

    def _tools(self, entry: Entry) -> Iterable[DataMark]:
        """Programs outside of the entry: they may be replaced while the entry still tells their old version."""
        own = {mark.key for mark in entry.outputs}
        for key, value in sorted(entry.outcome.new_env.items()):
            if key.endswith("_BIN_WITH_PATH") and key not in own and isinstance(value, str):
                found = mark_path(key, Path(value), self.roots)
                yield found or DataMark(key, self.roots.portable(value), "file", 0, "missing")

    def _given_data(self) -> Iterable[DataMark]:
        """Files and folders that the request itself names."""
        given = {f"--{k}": v for k, v in self.request.options.items()} | dict(self.request.env)
        for key, value in sorted(given.items()):
            if key.startswith(_OF_THE_CALL) or not isinstance(value, str) or scrub(value, key) != value:
                continue
            path = Path(value).expanduser()
            mark = mark_path(key, path, self.roots) if path.is_absolute() else None
            if mark:
                yield mark


def _holds_packages(folder: Path) -> bool:
    """Is it a site-packages folder, in which others install too?"""
    return folder.is_dir() and next(folder.glob("*.dist-info"), None) is not None


def _locked_repo(repo: Repo) -> LockedRepo:
    commit = _git(repo.path, "rev-parse", "HEAD")
    dirty = bool(commit) and bool(_git(repo.path, "status", "--porcelain", "--", "script"))
    return LockedRepo(repo.alias, repo.uid, commit, dirty)


def _git(folder: Path, *arguments: str) -> str:
    """Output of a git command; empty where there is no git, or no clone of the repository itself."""
    import subprocess

    if not (folder / ".git").exists():
        return ""
    try:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
