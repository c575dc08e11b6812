"""Replaying a lock: name every drift before anything runs, run exactly what is locked, compare what came out."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..engine import Engine, Report, Request
from ..errors import CMBenchError
from ..redact import redacted_paths
from .difference import KINDS, Difference, compare_locks, package_difference
from .lock import lock_plan, lock_run, request_of
from .lockdata import installed_package
from .lockfile import Lock
from .roots import Roots

__all__ = ["Drifted", "Replay", "check", "parse_accepted", "replay"]

EVERYTHING = frozenset(KINDS)


class Drifted(CMBenchError):
    """The present differs from the lock; `differences` says where."""

    def __init__(self, cause: str, differences: list[Difference], *, hint: str) -> None:
        super().__init__(cause, hint=hint, code=3)
        self.differences = differences


class Replay(NamedTuple):
    """A finished replay: what ran, its own lock, and what came out differently (accepted kinds only)."""

    report: Report
    lock: Lock
    drift: list[Difference]
    outcome: list[Difference]


def parse_accepted(text: str) -> frozenset[str]:
    """`host,package` → kinds of drift to accept.

    Raises:
        CMBenchError: a word that is no kind of drift.
    """
    words = frozenset(word.strip() for word in text.split(",") if word.strip())
    unknown = sorted(words - EVERYTHING)
    if unknown:
        raise CMBenchError(f"--accept={unknown[0]}: no such kind of drift", hint=f"one of {', '.join(KINDS[:-1])}")
    return words


def check(engine: Engine, lock: Lock, given: Request) -> tuple[Request, list[Difference]]:
    """The request of the lock with what the user gave on top, and how the present differs. Runs nothing.

    Raises:
        CMBenchError: a repository or a secret is missing, or the request can no longer be planned at all.
    """
    _refuse_missing_repositories(engine, lock)
    roots = Roots(engine.home, engine.repos, Path.cwd())
    _refuse_missing_secrets(lock, given)
    request = _joined(request_of(lock.request, roots), given)
    try:
        now = lock_plan(engine, request)
    except CMBenchError as error:
        raise CMBenchError(
            f"what is locked can no longer be planned: {error.cause}", hint=error.hint or "cm lint script shows why"
        ).through(error.chain) from None
    told = {str(value) for value in roots.portable_data([*given.options.values(), *given.env.values()])}
    found = [one for one in compare_locks(lock, now) if not _was_told(one, told)]
    found += [one for one in _changed_packages(lock, now, roots) if one not in found]
    return request, sorted(found, key=lambda one: KINDS.index(one.kind))


def replay(
    make_engine: Callable[[], Engine],
    lock: Lock,
    given: Request,
    accepted: Collection[str] = (),
    tell: Callable[[list[Difference]], None] = lambda _: None,
) -> Replay:
    """Check, run, compare. `tell` gets the accepted drift before anything runs.

    Raises:
        Drifted: before the run, for drift of a kind that is not accepted; after it, when other data or versions
            came out than the lock holds.
        CMBenchError: from the check or from a step.
    """
    engine = make_engine()
    request, drift = check(engine, lock, given)
    _refuse(drift, accepted)
    tell(drift)
    with _pinned(lock):
        report = engine.run(request)
    after = lock_run(make_engine(), request, report)
    outcome = _outcome(lock, after, drift)
    unexpected = [one for one in outcome if one.kind not in accepted]
    if unexpected:
        lines = "\n".join(f"  {one}" for one in unexpected)
        raise Drifted(
            f"it ran, and what came out differs from the lock\n{lines}",
            unexpected,
            hint=f"--accept={','.join(dict.fromkeys(one.kind for one in unexpected))} takes it as it is",
        )
    return Replay(report, after, drift, outcome)


def _refuse(drift: list[Difference], accepted: Collection[str]) -> None:
    blocking = [one for one in drift if one.kind != "note" and one.kind not in accepted]
    if blocking:
        lines = "\n".join(f"  {one}" for one in blocking)
        kinds = ",".join(dict.fromkeys(one.kind for one in blocking))
        raise Drifted(
            f"not as locked; nothing was run\n{lines}",
            blocking,
            hint=f"restore it, or add --accept={kinds} (--replay_anyway accepts all)",
        )


def _outcome(lock: Lock, after: Lock, drift: list[Difference]) -> list[Difference]:
    """What the run made otherwise; a lock made from a plan has nothing to compare with but the plan."""
    of_results = {"data", "package", "tool", "step", "recipe"}
    return [one for one in compare_locks(lock, after) if one.kind in of_results and lock.ran and one not in drift]


def _joined(locked: Request, given: Request) -> Request:
    return given._replace(
        tags=locked.tags,
        options={**locked.options, **given.options},
        env={**locked.env, **given.env},
        state={**locked.state, **given.state},
        const={**locked.const, **given.const},
        adr={**locked.adr, **given.adr},
        ad={**locked.ad, **given.ad},
        version=given.version.over(locked.version),
    )


def _refuse_missing_repositories(engine: Engine, lock: Lock) -> None:
    known = {word for repo in engine.repos for word in (repo.uid, repo.alias) if word}
    missing = [repo for repo in lock.repositories if (repo.uid or repo.alias) not in known and repo.alias not in known]
    if missing:
        names = ", ".join(repo.alias for repo in missing)
        at = f" --checkout={missing[0].commit}" if missing[0].commit else ""
        raise CMBenchError(
            f"the lock needs the repository {names}, which is not registered here; nothing was run",
            hint=f"cm pull repo {missing[0].alias}{at}, or cm add repo --path=FOLDER",
        )


def _refuse_missing_secrets(lock: Lock, given: Request) -> None:
    """A secret is never in a lock, so whoever replays it brings their own."""
    parts = {name: getattr(lock.request, name) for name in ("options", "env")}
    for path in redacted_paths(parts):
        part, _, key = path.partition(".")
        if key not in getattr(given, part):
            flag = f"--{key}" if part == "options" else f"--env.{key}"
            raise CMBenchError(
                f"{flag} was given when the lock was made, and is not in it because it looks like a secret",
                hint=f"give it again: {flag}=…",
            )


def _was_told(one: Difference, told: Collection[str]) -> bool:
    """A difference that the user asked for in this very call."""
    return one.kind in ("request", "input") and any(one.text.endswith(f"is {value}") for value in told)


def _changed_packages(lock: Lock, now: Lock, roots: Roots) -> Iterator[Difference]:
    """Locked packages that are installed otherwise; one that is not installed will be, in the locked version."""
    known = {package.name for step in now.steps for package in step.packages}
    for package in {p.name: p for step in lock.steps for p in step.packages if p.name not in known}.values():
        found = installed_package(package.name, roots.local(package.folder))
        if found:
            yield from package_difference(package, found)


@contextlib.contextmanager
def _pinned(lock: Lock) -> Iterator[None]:
    """pip installs locked packages in the locked version, wherever a step calls it."""
    versions: dict[str, set[str]] = {}
    for package in (p for step in lock.steps for p in step.packages):
        versions.setdefault(package.name, set()).add(package.version.partition("+")[0])
    lines = [f"{name}=={next(iter(found))}" for name, found in sorted(versions.items()) if len(found) == 1]
    with tempfile.TemporaryDirectory(prefix="cm4bench-replay-") as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with _environment({"PIP_CONSTRAINT": " ".join(filter(None, [os.environ.get("PIP_CONSTRAINT"), str(file)]))}):
            yield


@contextlib.contextmanager
def _environment(values: Mapping[str, Any]) -> Iterator[None]:
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
