"""Names that become folders of a submission."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 100
_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def objection(kind: str, name: str) -> str:
    """Why a name cannot be a folder's, with one that can; empty for a good name."""
    if _ALLOWED.fullmatch(name) and len(name) <= LONGEST and not name.endswith("."):
        return ""
    better = cleaned(name)
    advice = f"; for example {better!r}" if better else ""
    rule = f"letters, digits, '.', '_' and '-', at most {LONGEST} of them, a letter or digit first"
    return f"{kind} {name!r} cannot be a folder of a submission ({rule}){advice}"


def cleaned(name: str) -> str:
    """The nearest name that is allowed; empty where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:LONGEST]
