"""The cache: one folder per step identity, in the layout CM users know.

`<CM home>/repos/local/cache/<uid>/` holds the step's files, `cm-cached-state.json` (what the step gave) and `_cm.json`
(tags, script). The folder is built where it will stay, because steps record absolute paths in what they make; it
becomes an entry only when `_cm.json` is renamed into place, after all else is on disk. A folder without it is debris.
"""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH103, PTH110, PTH120
from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .confidential import holds_secret, is_secret, secrets_of
from .digest import digest
from .errors import StoreError
from .outputs import Fingerprint, fingerprint_outputs, first_damage
from .plan import Outcome, Step
from .redact import scrub, without_values
from .values import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Entry", "Store", "entry_uid"]

CACHE_UID = "541d6f712a6b464e"
STATE_FILE = "cm-cached-state.json"
META_FILE = "_cm.json"
_PARTIAL_MAX_AGE_S = 30 * 86400


class Entry(NamedTuple):
    """A published result of a step. `observed` holds the input values under which it was made."""

    place: str
    id: str
    label: str
    outcome: Outcome
    ingredients: Mapping[str, Any] = MappingProxyType({})
    observed: Mapping[str, Any] = MappingProxyType({})
    outputs: tuple[Fingerprint, ...] = ()
    created: float = 0.0
    seconds: float = 0.0

    @property
    def folder(self) -> Path:
        from pathlib import Path

        return Path(self.place)


def entry_uid(step_id: str) -> str:
    """CM names entries by 16 hex digits; ours are the beginning of the step's identity."""
    return step_id[:16]


class Store:
    """Find, claim and publish entries. Safe for several processes: one writer per entry, any number of readers."""

    def __init__(self, home: str | os.PathLike[str]) -> None:
        self._home = os.fspath(home)
        self._cache = f"{self._home}/repos/local/cache"
        self._found: dict[str, tuple[Entry | None, str]] = {}

    @cached_property
    def root(self) -> Path:
        """The folder of all entries."""
        from pathlib import Path

        return Path(self._cache)

    @cached_property
    def _locks(self) -> Path:
        return self.root.parents[2] / "cm4bench" / "locks"

    def find(self, step: Step) -> tuple[Entry | None, str]:
        """The entry of a step if it can be reused, else None and the reason in words."""
        if step.id not in self._found:
            entry = self._read(entry_uid(step.id))
            if entry is None or entry.id != step.id:
                self._found[step.id] = (None, self._why_missing(step))
            else:
                damage = _too_old(entry, step) or _left_alone(entry) or first_damage(entry.outputs)
                self._found[step.id] = (None, damage) if damage else (entry, "")
        return self._found[step.id]

    def forget(self, step_id: str) -> None:
        """Look at the disk again next time: another process may have changed this entry."""
        self._found.pop(step_id, None)

    def forget_misses(self) -> None:
        """Another process has made something: what was missing may be there now."""
        self._found = {step_id: found for step_id, found in self._found.items() if found[0]}

    def recall(self, step: Step) -> tuple[Outcome | None, str]:
        """`find`, for the resolver: only the outcome."""
        entry, miss = self.find(step)
        return (entry.outcome if entry else None), miss

    @contextlib.contextmanager
    def exclusive(self, resource: str, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold a named resource that steps must not use side by side, across processes; empty for none."""
        if not resource:
            yield
            return
        with _storage_errors(self._locks):
            self._locks.mkdir(parents=True, exist_ok=True)
        with _held(self._locks / f"{re.sub(r'[^A-Za-z0-9-]', '_', resource)[:80]}.lock", on_wait):
            yield

    @contextlib.contextmanager
    def claim(self, step: Step, on_wait: Callable[[], None]) -> Iterator[Path]:
        """Hold the one right to make this entry, in a clean folder; partial downloads of an earlier try are kept.

        Raises:
            StoreError: the cache folder cannot be written.
        """
        folder = self.root / entry_uid(step.id)
        with _storage_errors(folder):
            self._locks.mkdir(parents=True, exist_ok=True)
            self.root.mkdir(parents=True, exist_ok=True)
        with _held(self._locks / f"{folder.name}.lock", on_wait):
            self.forget(step.id)
            yield folder

    def clear_for_build(self, step: Step) -> Path:
        """Empty the entry's folder (it is claimed) but for partial downloads."""
        import shutil

        folder = self.root / entry_uid(step.id)
        with _storage_errors(folder):
            (folder / META_FILE).unlink(missing_ok=True)
            folder.mkdir(exist_ok=True)
            for path in folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.suffix != ".part":
                    path.unlink()
        return folder

    def publish(self, step: Step, outcome: Outcome, observed: Mapping[str, Any], seconds: float) -> Entry:
        """Make the claimed folder an entry. Nothing is visible to others before the last rename.

        Raises:
            StoreError: the disk is full, or the folder cannot be written; no entry is left behind.
        """
        folder = self.root / entry_uid(step.id)
        outputs = fingerprint_outputs(step.script.outputs, outcome.new_env, folder)
        entry = Entry(
            str(folder),
            step.id,
            step.label,
            outcome,
            step.ingredients,
            observed,
            outputs,
            time.time(),
            round(seconds, 3),
        )
        entry = _without_secrets(entry)
        try:
            with _storage_errors(folder):
                _write_json(folder / STATE_FILE, _state(entry))
                _write_json(folder / META_FILE, _meta(step, folder.name, outcome))
                self._remember_latest(step)
        except StoreError:
            self.discard(folder)
            raise
        self._found[step.id] = (entry, "")
        return entry

    def discard(self, folder: Path) -> None:
        """Make a folder debris again, best effort."""
        for name in (META_FILE, STATE_FILE):
            with contextlib.suppress(OSError):
                (folder / name).unlink(missing_ok=True)

    def entries(self) -> Iterator[Entry]:
        """All readable entries, in no particular order."""
        for folder in sorted(self.root.iterdir()) if self.root.is_dir() else ():
            entry = self._read(folder.name)
            if entry:
                yield entry

    def sweep(self, keep: set[str]) -> list[Path]:
        """Remove debris that no process holds. Fresh partial downloads stay: their owner may come back."""
        import shutil

        from filelock import FileLock, Timeout

        removed = []
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if folder.name in keep or (folder / META_FILE).exists() or not folder.is_dir() or _resumable(folder):
                continue
            self._locks.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(Timeout, OSError), FileLock(self._locks / f"{folder.name}.lock", timeout=0):
                shutil.rmtree(folder)
                removed.append(folder)
        return removed

    def has_made(self, script_uid: str, tags: Collection[str]) -> bool:
        """Is there an entry of this script with all these tags?"""
        metas = (_read_json(folder / META_FILE) or {} for folder in self.root.iterdir()) if self.root.is_dir() else ()
        return any(
            meta.get("associated_script_artifact_uid") == script_uid and set(tags) <= set(meta.get("tags") or ())
            for meta in metas
        )

    def tags_of(self, folder: Path) -> tuple[str, ...]:
        meta = _read_json(folder / META_FILE) or {}
        return tuple(meta.get("tags") or ())

    def _read(self, uid: str) -> Entry | None:
        folder = f"{self._cache}/{uid}"
        state = _read_json(f"{folder}/{STATE_FILE}")
        if not state or not os.path.exists(f"{folder}/{META_FILE}"):
            return None
        ours = state.get("cm4bench") or {}
        new_env, new_state = state.get("new_env") or {}, state.get("new_state") or {}
        outcome = Outcome(
            new_env,
            new_state,
            str(state.get("version") or ""),
            tuple(state.get("deps") or ()),
            depends_on=str(state.get("dependent_cached_path") or ""),
            withheld=tuple(ours.get("withheld") or ()),
        )
        outputs = tuple(Fingerprint(**item) for item in ours.get("outputs") or ())
        return Entry(
            folder,
            str(ours.get("id", "")),
            str(ours.get("label", "")),
            outcome,
            ours.get("ingredients") or {},
            ours.get("observed") or {},
            outputs,
            float(ours.get("created", 0)),
            float(ours.get("seconds", 0)),
        )

    def _latest_file(self, step: Step) -> str:
        name = f"{step.ingredients['script']}|{'|'.join(sorted(step.variations))}"
        return f"{self._home}/cm4bench/latest/{digest(name)[:16]}"

    def _remember_latest(self, step: Step) -> None:
        path = self._latest_file(step)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(entry_uid(step.id))

    def _why_missing(self, step: Step) -> str:
        try:
            with open(self._latest_file(step), encoding="utf-8") as file:
                uid = file.read().strip()
        except OSError:
            return "never made before"
        before = self._read(uid)
        return (
            explain_difference(before.ingredients, scrub(step.ingredients)) if before else "its earlier entry is gone"
        )


def explain_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why an earlier entry of the same script and variations does not serve, in a few words."""
    if old.get("recipe") != new.get("recipe"):
        return "its recipe was edited"
    if old.get("version") != new.get("version"):
        return f"version asked for was {old.get('version') or 'any'}, is {new.get('version') or 'any'}"
    before, now = old.get("inputs") or {}, new.get("inputs") or {}
    for key in sorted({*before, *now}):
        if before.get(key) != now.get(key):
            return f"{key} {_change(before.get(key), now.get(key))}"
    if old.get("deps") != json.loads(json.dumps(new.get("deps"), default=str)):
        changed = [d[1] for d in new.get("deps") or () if list(d) not in [list(o) for o in old.get("deps") or ()]]
        return f"its dependency {changed[0] if changed else '(one fewer)'} changed"
    if old.get("platform") != new.get("platform"):
        return f"it was made on {old.get('platform')}"
    return "asked for in another way (tags, keys or state)"


def _change(old: str | None, new: str | None) -> str:
    return f"was {_shown(old)}, is {_shown(new)}"


def _shown(provenance: str | None) -> str:
    if provenance is None:
        return "unset"
    return provenance[1:] if provenance.startswith("=") else "made by another step"


def _without_secrets(entry: Entry) -> Entry:
    """The entry as it may lie on a disk; what is left out is named."""
    outcome, secrets = entry.outcome, secrets_of(entry.outcome.new_env)
    new_env = {k: v for k, v in outcome.new_env.items() if not holds_secret(k, v, secrets)}
    new_state = {k: v for k, v in outcome.new_state.items() if without_values(v, set(secrets)) == v}
    withheld = [k for k in outcome.new_env if k not in new_env]
    withheld += [f"state {k}" for k in outcome.new_state if k not in new_state]
    return entry._replace(
        label=scrub(entry.label),
        outcome=outcome._replace(
            new_env=new_env, new_state=new_state, deps=tuple(scrub(outcome.deps)), withheld=tuple(withheld)
        ),
        ingredients=scrub(entry.ingredients),
        observed={k: v for k, v in entry.observed.items() if not is_secret(k, v)},
    )


def _state(entry: Entry) -> dict[str, Any]:
    ours = {
        "id": entry.id,
        "label": entry.label,
        "ingredients": entry.ingredients,
        "observed": entry.observed,
        "outputs": [item._asdict() for item in entry.outputs],
        "created": entry.created,
        "seconds": entry.seconds,
        "withheld": list(entry.outcome.withheld),
    }
    outcome = entry.outcome
    return {
        "new_env": dict(outcome.new_env),
        "new_state": dict(outcome.new_state),
        "deps": list(outcome.deps),
        "version": outcome.version,
        "dependent_cached_path": outcome.depends_on,
        "cm4bench": ours,
    }


def _meta(step: Step, uid: str, outcome: Outcome) -> dict[str, Any]:
    tags = [tag for tag in step.cache_tags if not (outcome.version and tag.startswith("version-"))]
    tags += [f"version-{outcome.version}"] if outcome.version else []
    meta = {
        "alias": "",
        "uid": uid,
        "automation_alias": "cache",
        "automation_uid": CACHE_UID,
        "associated_script_artifact": f"{step.script.alias},{step.script.uid}",
        "associated_script_artifact_uid": step.script.uid,
        "tags": scrub(list(dict.fromkeys([*tags, *outcome.tags]))),
    }
    if outcome.depends_on:
        meta["dependent_cached_path"] = outcome.depends_on
    version = outcome.version or step.version
    return {**meta, "version": version} if version else meta


def _too_old(entry: Entry, step: Step) -> str:
    limit = str(step.ingredients.get("cache_expiration") or "")
    if not limit:
        return ""
    from .validation import has_expired

    return f"older than {limit}" if has_expired(time.time() - entry.created, limit) else ""


def _left_alone(entry: Entry) -> str:
    path = entry.outcome.depends_on
    return f"{path}, on which it depends, is gone" if path and not os.path.exists(path) else ""


def _write_json(path: Path, data: Any) -> None:
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(data, file, indent=1, default=str)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _read_json(path: str | os.PathLike[str]) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def _held(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    with _storage_errors(path.parent):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _resumable(folder: Path) -> bool:
    return any(time.time() - p.stat().st_mtime < _PARTIAL_MAX_AGE_S for p in folder.glob("*.part"))


@contextlib.contextmanager
def _storage_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"the disk is full: {folder} could not be written",
                hint="free some room (cm prune cache lists what can go), then run the same command again",
            ) from None
        raise StoreError(
            f"the cache cannot be written: {error.strerror or error}: {folder}",
            hint="set CM_REPOS to a folder you can write to",
        ) from None
