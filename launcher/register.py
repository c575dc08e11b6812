"""Register a repository with cmind ahead of all others: register.py ROOT CM_HOME [--replace-twins].

Runs inside the environment. cmind lets the first repository that brings an automation win, and its own `cm add repo`
can only append; therefore the list is edited here and cmind is asked to index anew.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str]) -> None:
    """Leave ROOT as the first entry of CM_HOME/repos.json. Exits with a message when a twin of it is registered."""
    root, cm_home, replace_twins = argv[0], Path(argv[1]), "--replace-twins" in argv
    cm_home.mkdir(parents=True, exist_ok=True)
    listing = cm_home / "repos.json"
    listed: list[str] = json.loads(listing.read_text()) if listing.exists() else []
    # cmind itself drops vanished repositories, but puts its scratch repository first when it does.
    entries = [entry for entry in listed if (cm_home / "repos" / entry).is_dir()]
    twins = [entry for entry in entries if entry != root and uid_of(entry) == uid_of(root)]
    if twins and not replace_twins:
        sys.exit(f"another copy is registered there: {twins[0]}")
    publish(listing, [root, *(entry for entry in entries if entry not in (root, *twins))])
    reindex(cm_home)


def uid_of(repository: str) -> str:
    """The `uid` in a repository's cmr.yaml; empty when there is none."""
    import yaml

    try:
        meta: Any = yaml.safe_load(Path(repository, "cmr.yaml").read_text())
    except (OSError, yaml.YAMLError):
        return ""
    return str(meta.get("uid", "")) if isinstance(meta, dict) else ""


def publish(listing: Path, entries: Sequence[str]) -> None:
    """Write the list as cmind does, one entry a line: environment.sh reads the first."""
    staging = listing.with_name("repos.json.new")
    staging.write_text(json.dumps(entries, indent=2) + "\n")
    staging.replace(listing)


def reindex(cm_home: Path) -> None:
    """Have cmind look through all registered repositories again."""
    os.environ["CM_REPOS"] = str(cm_home)
    import cmind

    result = cmind.access({"action": "reindex", "automation": "repo"})
    if result["return"] > 0:
        sys.exit(str(result["error"]))


if __name__ == "__main__":
    main(sys.argv[1:])
