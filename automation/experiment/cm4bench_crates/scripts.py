"""What the folders of a lock's scripts say about licences and the origin of data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cm4bench.tools.lockfile import Lock, LockedStep

_LICENCE_FILES = ("LICENSE*", "LICENCE*", "COPYING*")
# Words that only this licence's text begins with, and its SPDX name.
_LICENCES = (
    (("Apache License", "Version 2.0"), "Apache-2.0"),
    (("MIT License",), "MIT"),
    (("Permission is hereby granted, free of charge",), "MIT"),
    (("Mozilla Public License Version 2.0",), "MPL-2.0"),
    (("GNU GENERAL PUBLIC LICENSE", "Version 3"), "GPL-3.0-only"),
)
_HEAD = 2000


@dataclass(frozen=True)
class Source:
    """A file that a step fetches, as its manifest describes it; ``size`` in bytes, 0 where it is not told.

    ``url`` is an address, or the words `package NAME VERSION`.
    """

    step: LockedStep
    name: str
    url: str
    sha256: str
    size: int
    license: str


class Scripts:
    """The script folders of the repositories that are registered here, by the repository's alias or uid."""

    def __init__(self, repositories: Mapping[str, Path]) -> None:
        self._repositories = repositories

    @classmethod
    def of(cls, cm: Any) -> Scripts:
        """Those that a cmind object knows."""
        found: dict[str, Path] = {}
        for item in cm.repos.lst:
            meta = item.meta or {}
            found |= {str(meta[key]): Path(item.path) for key in ("alias", "uid") if meta.get(key)}
        return cls(found)

    def licence(self, repository: str) -> str:
        """SPDX name of a repository's licence; empty where it has none that is recognised."""
        folder = self._repositories.get(repository)
        files = [path for pattern in _LICENCE_FILES for path in sorted(folder.glob(pattern))] if folder else []
        heads = (path.read_text("utf-8", "replace")[:_HEAD] for path in files if path.is_file())
        return next((name for head in heads for words, name in _LICENCES if all(w in head for w in words)), "")

    def sources(self, lock: Lock) -> list[Source]:
        """What the steps of a lock fetch, in the order of the steps, each once."""
        found = {source.url: source for step in lock.steps for source in self._of_step(step)}
        return list(found.values())

    def _of_step(self, step: LockedStep) -> Iterator[Source]:
        for entry in self._manifest(step).get("sources") or ():
            if isinstance(entry, dict) and (url := _origin(entry)) and _is_on(entry.get("when") or (), step):
                words = {key: str(entry.get(key) or "") for key in ("name", "sha256", "license")}
                yield Source(step, url=url, size=int(entry.get("size") or 0), **words)

    def _manifest(self, step: LockedStep) -> dict[str, Any]:
        import yaml

        folder = self._repositories.get(step.repo, Path("/nonexistent")) / "script" / step.alias
        for name in ("_cm.yaml", "_cm.json"):
            try:
                meta = yaml.safe_load((folder / name).read_text("utf-8"))
            except (OSError, ValueError, yaml.YAMLError):
                continue
            return meta if isinstance(meta, dict) else {}
        return {}


def _origin(entry: Mapping[str, Any]) -> str:
    """An address, or the package (of PyPI or Debian) and its version."""
    if entry.get("url") or not entry.get("package"):
        return str(entry.get("url") or "")
    return f"package {entry['package']} {entry.get('version') or ''}".strip()


def _is_on(when: Iterable[Any], step: LockedStep) -> bool:
    """As in plans: without conditions always, else with one of its variations."""
    names = {when} if isinstance(when, str) else set(when)
    return not names or bool(names & set(step.variations))
