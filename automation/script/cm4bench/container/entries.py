"""Cache entries that travel: taken from the store with this machine's folders by name, put into another store."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..manifest import Repo
from ..plan import Step
from ..store import META_FILE, STATE_FILE, Entry
from .recipe import python_packages

__all__ = ["Names", "Traveller", "is_twin", "portable_ingredients", "travelling"]

_TEXT_BYTES = 1 << 20
_MARK = "@cm4bench-capsule:{}@"
_FOUND = re.compile(r"@cm4bench-capsule:([^@\n]{1,200})@")
# of the interpreter and the system the capsule's index itself demands what matters
_OF_THE_HOST = ("CM_PYTHON_", "CM_HOST_OS_", "CM_HOST_PYTHON_")


class Traveller(NamedTuple):
    """An entry on its way: what identifies it, what it gave, all with folders by name."""

    uid: str
    label: str
    ingredients: Mapping[str, Any]
    state: Mapping[str, Any]


class Names:
    """This machine's folders by name, in both directions."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        spelt: dict[str, str] = {}
        for name, folder in folders.items():
            for text in (str(folder.absolute()), str(folder.resolve())):
                if len(text) > 1:
                    spelt.setdefault(text, name)
        self._spelt = spelt
        self._folders = {name: str(folder.absolute()) for name, folder in folders.items()}
        ordered = sorted(spelt, key=len, reverse=True)
        self._pattern = re.compile(f"(?<![\\w.-])(?:{'|'.join(map(re.escape, ordered))})(?![\\w.-])")

    def named(self, text: str) -> str:
        """Folders → names."""
        return self._pattern.sub(lambda found: _MARK.format(self._spelt[found[0]]), text) if self._spelt else text

    def placed(self, text: str) -> str:
        """Names → folders; unknown names stay."""
        return _FOUND.sub(lambda found: self._folders.get(found[1], found[0]), text)

    def named_data(self, data: Any) -> Any:
        return _each_text(data, self.named)

    def placed_data(self, data: Any) -> Any:
        return _each_text(data, self.placed)

    def named_bytes(self, content: bytes) -> bytes:
        return self._change(content, self.named)

    def placed_bytes(self, content: bytes) -> bytes:
        return self._change(content, self.placed)

    @staticmethod
    def _change(content: bytes, change: Any) -> bytes:
        """Small texts only: in a binary file a folder's name has a length that must not change."""
        if len(content) > _TEXT_BYTES or b"\0" in content:
            return content
        try:
            return str(change(content.decode("utf-8"))).encode()
        except UnicodeDecodeError:
            return content


def _each_text(data: Any, change: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _each_text(item, change) for key, item in data.items()}
    if isinstance(data, (list, tuple)):
        return [_each_text(item, change) for item in data]
    return change(data) if isinstance(data, str) else data


def travelling(entries: Sequence[Entry], root: Path, steps: Sequence[Step]) -> list[Entry]:
    """The entries that are whole in themselves: what they promise lies in the store, in entries that travel too.

    Others speak of this machine (a found tool, data elsewhere) and are made anew over there, with all that contains
    them. An installed Python package holds nobody back: a capsule installs them all beforehand.
    """
    packages = {step.id for step in steps if python_packages([step])}
    inside = [entry for entry in entries if all(Path(m.path).is_relative_to(root) for m in entry.outputs)]
    while True:
        going = {entry.id for entry in inside}
        staying = [entry.folder for entry in entries if entry.id not in going]
        held = {step.id for step in steps if step.caches and _contains(step, going | packages)}
        kept = [e for e in inside if e.id not in held and not any(str(folder) in str(e.outcome) for folder in staying)]
        if len(kept) == len(inside):
            return kept
        inside = kept


def _contains(step: Step, fine: set[str]) -> bool:
    """Is there a cached step inside of this one that is not among those?"""
    inner = [edge.step for edge in step.edges if edge.step is not None and edge.wanted is not False]
    return any((one.caches and one.id not in fine) or _contains(one, fine) for one in inner)


def entry_files(entry: Entry) -> list[Path]:
    """Relative paths of what an entry made; not what the store wrote about it, and no links out of it."""
    found = []
    for path in sorted(entry.folder.rglob("*")):
        name = path.relative_to(entry.folder)
        if path.is_file() and str(name) not in (META_FILE, STATE_FILE) and "__pycache__" not in name.parts:
            found.append(name)
    return found


def traveller(entry: Entry, names: Names) -> Traveller:
    """What must be known of an entry elsewhere."""
    outcome = entry.outcome
    observed = {key: value for key, value in entry.observed.items() if not key.startswith(_OF_THE_HOST)}
    state = {
        "new_env": dict(outcome.new_env),
        "new_state": dict(outcome.new_state),
        "version": outcome.version,
        "deps": list(outcome.deps),
        "observed": observed,
        "seconds": entry.seconds,
    }
    ingredients = portable_ingredients(entry.ingredients, names)
    return Traveller(entry.folder.name, entry.label, ingredients, names.named_data(state))


def portable_ingredients(ingredients: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """What made a step what it is, without what only this machine can know: folders, and identities of other steps."""
    plain = {key: ingredients.get(key) for key in ("script", "recipe", "variations", "version", "platform", "keys")}
    plain["inputs"] = {k: _of_inputs(v) for k, v in (ingredients.get("inputs") or {}).items()}
    plain["state"] = sorted(ingredients.get("state") or {})
    plain["deps"] = [list(dep)[:2] for dep in ingredients.get("deps") or ()]
    plain["extra_cache_tags"] = list(ingredients.get("extra_cache_tags") or ())
    return names.named_data(plain)  # type: ignore[no-any-return]


def _of_inputs(provenance: str) -> str:
    return "@" if provenance.startswith("@") else provenance


def is_twin(travelled: Traveller, ingredients: Mapping[str, Any], names: Names) -> bool:
    """Is the step that is planned here the one that was made there?"""
    import json

    ours = json.dumps(portable_ingredients(ingredients, names), sort_keys=True, default=str)
    return json.dumps(travelled.ingredients, sort_keys=True, default=str) == ours


def folders_of(home: Path, repos: Sequence[Repo], python: Path, given: Mapping[str, Path]) -> dict[str, Path]:
    """The folders that differ between machines. Repositories inside the home folder go before it."""
    folders = {f"repo:{repo.alias}": repo.path for repo in repos}
    return {**folders, **{f"given:{name}": path for name, path in given.items()}, "home": home, "python": python}
