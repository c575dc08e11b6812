"""What differs between two locks, in words, what matters most first. Replay judges by the same comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..redact import REDACTED
from ..units import megabytes
from .lockfile import MADE, DataMark, Lock, LockedStep, Package

__all__ = ["KINDS", "Difference", "compare_locks", "compare_values", "same_data"]

KINDS = (
    *("request", "repository", "script", "step", "variation", "version", "recipe", "data", "package", "tool"),
    *("input", "host", "note"),
)
# of another machine of the same make these differ, and results are still comparable
_MINOR_FACTS = {"os.kernel", "os.version", "cpu.count", "cpu.usable", "python.executable"}

Pair = tuple[LockedStep, LockedStep]


class Difference(NamedTuple):
    """One thing that is not as it was. `kind` is one of KINDS; those of kind `note` never stand in the way."""

    kind: str
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}: {self.text}" if self.subject else f"{self.kind}: {self.text}"


def compare_locks(old: Lock, new: Lock) -> list[Difference]:
    """All differences, most important kind first, each said once."""
    pairs, gone, added = _paired(old.steps, new.steps)
    found = [*_requests(old, new), *_repositories(old, new), *_steps(gone, added)]
    for pair in pairs:
        found += [*_choice(*pair), *_recipe(*pair), *_packages(*pair), *_versions(*pair), *_inputs(*pair)]
        found += _data(pair[0].label, pair[0].data, pair[1].data, both=old.ran and new.ran)
        found += [one._replace(kind="tool") for one in _data(pair[0].label, pair[0].tools, pair[1].tools, both=False)]
    found += _data("the request", old.request_data, new.request_data, both=False)
    found += _host(old.host, new.host)
    return sorted(dict.fromkeys(found), key=lambda one: KINDS.index(one.kind))


def _paired(
    old: Sequence[LockedStep], new: Sequence[LockedStep]
) -> tuple[list[Pair], list[LockedStep], list[LockedStep]]:
    """Steps that stand for each other: by script and variations, else by script, else by alias; in order."""
    pairs: list[Pair] = []
    gone, added = list(old), list(new)
    keys: tuple[Any, ...] = (lambda s: s.name, lambda s: s.uid or s.alias, lambda s: s.alias, lambda s: s.tags)
    for key in keys:
        waiting: dict[Any, list[LockedStep]] = {}
        for step in added:
            waiting.setdefault(key(step), []).append(step)
        matched = [(step, waiting[key(step)].pop(0)) for step in gone if waiting.get(key(step))]
        pairs += matched
        gone = [step for step in gone if not any(step is one for one, _ in matched)]
        added = [step for step in added if not any(step is other for _, other in matched)]
    return pairs, gone, added


def _requests(old: Lock, new: Lock) -> Iterator[Difference]:
    if old.request.tags != new.request.tags:
        yield Difference("request", "", f"was “{old.request.tags}”, is “{new.request.tags}”")
    for part in ("options", "env", "const", "adr", "ad", "state"):
        prefix = "--" if part == "options" else f"--{part}."
        for key, text in compare_values(getattr(old.request, part), getattr(new.request, part)):
            yield Difference("request", f"{prefix}{key}", text)
    if old.request.version != new.request.version:
        yield Difference("request", "--version", f"was {_range(old)}, is {_range(new)}")


def _range(lock: Lock) -> str:
    return "/".join(lock.request.version).strip("/") or "any"


def compare_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys whose values differ, each with `was …, is …`. Redacted values are taken for equal."""
    for key in sorted({*old, *new}):
        before, now = old.get(key), new.get(key)
        if before != now and REDACTED not in (before, now):
            yield key, f"was {_shown(before)}, is {_shown(now)}"


def _shown(value: Any) -> str:
    text = "unset" if value is None else str(value) or "empty"
    return text if len(text) <= 80 else f"{text[:77]}…"


def _repositories(old: Lock, new: Lock) -> Iterator[Difference]:
    present = {repo.uid or repo.alias: repo for repo in new.repositories}
    for repo in old.repositories:
        now = present.get(repo.uid or repo.alias)
        if now and repo.commit and now.commit and now.commit != repo.commit:
            yield Difference("note", f"repository {repo.alias}", f"was at {repo.commit[:10]}, is at {now.commit[:10]}")


def _steps(gone: Sequence[LockedStep], added: Sequence[LockedStep]) -> Iterator[Difference]:
    yield from (Difference("step", step.label, "is no longer part of it") for step in gone)
    yield from (Difference("step", step.label, "is new") for step in added)


def _choice(old: LockedStep, new: LockedStep) -> Iterator[Difference]:
    if old.uid != new.uid or old.repo != new.repo:
        yield Difference(
            "script", old.label, f"was {old.alias} of {old.repo} ({old.uid}), is {new.alias} of {new.repo} ({new.uid})"
        )
    if list(old.variations) != list(new.variations):
        yield Difference("variation", old.alias, f"was {_variations(old)}, is {_variations(new)}")
    if old.version != new.version:
        yield Difference("version", old.label, f"asked for was {old.version or 'any'}, is {new.version or 'any'}")


def _variations(step: LockedStep) -> str:
    return " ".join(f"_{name}" for name in step.variations) or "without variations"


def _recipe(old: LockedStep, new: LockedStep) -> Iterator[Difference]:
    if old.recipe == new.recipe:
        return
    words = {"edited": [], "added": [], "removed": []}  # type: dict[str, list[str]]
    for name in sorted({*old.files, *new.files}):
        if old.files.get(name) != new.files.get(name):
            how = "edited" if name in old.files and name in new.files else "added" if name in new.files else "removed"
            words[how].append(name)
    text = "; ".join(f"{', '.join(names)} {how}" for how, names in words.items() if names)
    yield Difference("recipe", old.alias, text or "files were renamed")


def _packages(old: LockedStep, new: LockedStep) -> Iterator[Difference]:
    now = {package.name: package for package in new.packages}
    for package in old.packages:
        if package.name in now:
            yield from package_difference(package, now[package.name])


def package_difference(old: Package, new: Package) -> Iterator[Difference]:
    """A package that is not the one it was: by version, or by its files where the version is the same."""
    if old.version != new.version:
        yield Difference("package", old.name, f"was {old.version}, is {new.version}")
    elif old.record_sha256 and new.record_sha256 and old.record_sha256 != new.record_sha256:
        yield Difference("package", old.name, f"{old.version} has other files than it had")


def _versions(old: LockedStep, new: LockedStep) -> Iterator[Difference]:
    if old.delivered and new.delivered and old.delivered != new.delivered:
        yield Difference("tool", old.label, f"version was {old.delivered}, is {new.delivered}")
    both = old.versions.keys() & new.versions.keys()
    known = {p.version for p in (*old.packages, *new.packages)} | {old.delivered, new.delivered}
    for key in sorted(both):
        if old.versions[key] != new.versions[key] and not {old.versions[key], new.versions[key]} <= known:
            yield Difference("tool", key, f"was {old.versions[key]}, is {new.versions[key]}")


def _inputs(old: LockedStep, new: LockedStep) -> Iterator[Difference]:
    # a value filled in from another step's is known in a run and not yet in a plan
    known = [
        key for key in old.inputs.keys() | new.inputs.keys() if MADE not in (old.inputs.get(key), new.inputs.get(key))
    ]
    both = ({key: step.inputs[key] for key in known if key in step.inputs} for step in (old, new))
    for key, text in compare_values(*both):
        yield Difference("input", f"{old.label}, {key}", text)


def _data(label: str, old: Sequence[DataMark], new: Sequence[DataMark], *, both: bool) -> Iterator[Difference]:
    """Data is compared where both have it; where `both` were run, what is missing is a difference too."""
    now = {mark.key: mark for mark in new}
    for mark in old:
        other = now.pop(mark.key, None)
        if other is None and both:
            yield Difference("data", f"{label}, {mark.key}", f"was {_mark(mark)}, is not there")
        elif other is not None and not same_data(mark, other):
            yield Difference("data", f"{label}, {mark.key}", f"was {_mark(mark)}, is {_mark(other)}")
    if both:
        yield from (Difference("data", f"{label}, {m.key}", f"is new: {_mark(m)}") for m in now.values())


def same_data(old: DataMark, new: DataMark) -> bool:
    """Equal content, or equal but for the names of this machine's folders."""
    if old.kind != new.kind:
        return False
    return old.sha256 == new.sha256 or _portable(old) == _portable(new)


def _portable(mark: DataMark) -> str:
    return mark.portable_sha256 or mark.sha256


def _mark(mark: DataMark) -> str:
    if mark.sha256 == "missing":
        return "gone"
    size = f"{mark.size} files" if mark.kind == "dir" else megabytes(mark.size)
    return f"{mark.path.rpartition('/')[2]} ({size}, sha256 {mark.sha256[:12]}…)"


def _host(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for key, text in compare_values(old, new):
        yield Difference("note" if key in _MINOR_FACTS else "host", key, text)
