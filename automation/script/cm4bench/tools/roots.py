"""Paths without the machine in them: the folders that differ between hosts, by name."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..manifest import Repo

__all__ = ["Roots"]

_ENTRY = re.compile(r"\{cache\}/[0-9a-f]{16}\b")


class Roots:
    """Translates texts between this host and `{home}`, `{cache}`, `{repo:alias}`, `{cwd}`, `{python}`, `{user}`."""

    def __init__(self, home: Path, repos: Sequence[Repo], cwd: Path) -> None:
        named = [("{home}", home), ("{cache}", home / "repos" / "local" / "cache")]
        named += [*((f"{{repo:{repo.alias}}}", repo.path) for repo in repos)]
        named += [("{python}", Path(sys.prefix)), ("{cwd}", cwd), ("{user}", Path.home())]
        folders: dict[str, str] = {}
        for name, folder in named:
            for spelling in (str(folder.absolute()), str(folder.resolve())):
                if len(spelling) > 1:
                    folders.setdefault(spelling, name)
        self._names = sorted(folders.items(), key=lambda pair: len(pair[0]), reverse=True)
        alternatives = "|".join(re.escape(folder) for folder, _ in self._names)
        self._folder = re.compile(f"(?<![\\w.-])(?:{alternatives})(?![\\w.-])")
        self._local = {name: folder for folder, name in reversed(self._names)}

    def portable(self, text: str) -> str:
        """The text with this host's folders by name; cache entries lose their identity, which hangs on the host."""
        names = dict(self._names)
        return _ENTRY.sub("{cache}/{entry}", self._folder.sub(lambda found: names[found[0]], text))

    def local(self, text: str) -> str:
        """The text with the names of folders replaced by this host's."""
        for name, folder in self._local.items():
            text = text.replace(name, folder)
        return text

    def portable_data(self, data: Any) -> Any:
        """`portable` for every text in plain data."""
        return _each_text(data, self.portable)

    def local_data(self, data: Any) -> Any:
        """`local` for every text in plain data."""
        return _each_text(data, self.local)


def _each_text(data: Any, change: Any) -> Any:
    if isinstance(data, dict):
        return {key: _each_text(item, change) for key, item in data.items()}
    if isinstance(data, (list, tuple)):
        return [_each_text(item, change) for item in data]
    return change(data) if isinstance(data, str) else data
