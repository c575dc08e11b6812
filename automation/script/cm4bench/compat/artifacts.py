"""What CM's `find` returns: objects with a folder and a description, on which cmind's own actions go on working."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..frame import merge_values
from ..manifest import Repo, Script

__all__ = ["FoundArtifact", "found_entry", "found_script"]

_LOCAL = {"alias": "local", "uid": "9a3280b14a4285c9"}
_IDENTITY = ("uid", "alias", "automation_uid", "automation_alias")


class FoundArtifact(dict[str, Any]):
    """An artifact with cmind's interface; as a dictionary of `path` and `meta` it can be saved as JSON.

    `meta` has the `_base` manifests merged in; `original_meta` is a copy of its own, which cmind's actions change.
    """

    def __init__(self, path: Path, meta: Mapping[str, Any], repo_path: Path, repo_meta: Mapping[str, Any]) -> None:
        super().__init__(path=str(path), meta=dict(meta))
        self.path = str(path)
        self.meta: dict[str, Any] = self["meta"]
        self.original_meta: dict[str, Any] = merge_values({}, meta)
        self.repo_path = str(repo_path)
        self.repo_meta = dict(repo_meta)

    def load(self, ignore_inheritance: bool = False, base_recursion: int = 0) -> dict[str, Any]:
        """cmind loads what it has found; here it is loaded already."""
        return {"return": 0}

    def update(  # type: ignore[override]
        self, meta: Mapping[str, Any], append_lists: bool = True, replace: bool = False, tags: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Write a changed description to `_cm.json`, as cmind does; identity is never lost."""
        kept = {key: self.original_meta[key] for key in _IDENTITY if key in self.original_meta}
        changed = {**kept, **meta} if replace else _merged(self.original_meta, meta, append_lists=append_lists)
        if tags:
            changed["tags"] = list(dict.fromkeys(tags))
        self.meta, self.original_meta = changed, changed
        text = json.dumps(changed, indent=2, sort_keys=True)
        Path(self.path, "_cm.json").write_text(text + "\n", encoding="utf-8")
        return {"return": 0}


def found_script(script: Script) -> FoundArtifact:
    """A script of the catalogue."""
    repo: Repo = script.repo
    meta = {key: value for key, value in script.raw.items() if not key.startswith("_")}
    return FoundArtifact(script.path, meta, repo.path, {"alias": repo.alias, "uid": repo.uid, "prefix": repo.prefix})


def found_entry(folder: Path) -> FoundArtifact:
    """A cache entry: `meta` is its `_cm.json` (uid, tags, version, the script that made it)."""
    meta = json.loads((folder / "_cm.json").read_text(encoding="utf-8"))
    return FoundArtifact(folder, meta, folder.parents[1], _LOCAL)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any], *, append_lists: bool) -> dict[str, Any]:
    return merge_values(old, new) if append_lists else {**old, **new}
