"""Version requests and their comparison. Versions here are whatever tools print: `3.10.2`, `master`, `1.1.1w`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import Conflict
from .values import NamedTuple

__all__ = ["VersionRange", "compare"]

_PART = r"\d+|[a-z]+"


def compare(left: str, right: str) -> int:
    """-1, 0 or 1: `1.9` < `1.10`, `1.0rc1` < `1.0` = `1` < `1.0.1` < `1.0.1w`, and `master` before any number."""
    a, b = _key(left), _key(right)
    return (a > b) - (a < b)


_PRE_RELEASES = {"a", "alpha", "b", "beta", "c", "rc", "pre", "preview", "dev"}
_END = (1, 0, "")


def _key(version: str) -> list[tuple[int, int, str]]:
    """Parts with ranks: words of a coming release, then the end, then other words, then numbers."""
    key: list[tuple[int, int, str]] = []
    for part in [*re.findall(_PART, version.lower()), ""]:
        if part.isdigit():
            digits = part.lstrip("0")  # compared as text of a length: Python reads no number of 5000 digits
            key.append((3, len(digits), digits))
            continue
        while key and key[-1] == (3, 0, ""):
            key.pop()  # zeros before a word or the end say nothing
        key.append((0 if part in _PRE_RELEASES else 2, 0, part) if part else _END)
    return key


class VersionRange(NamedTuple):
    """What is asked of a tool's version; empty strings mean "not asked"."""

    exact: str = ""
    minimum: str = ""
    maximum: str = ""
    usable_maximum: str = ""

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any], prefix: str = "version") -> VersionRange:
        """Read `version`, `version_min`, `version_max`, `version_max_usable` (or `CM_VERSION…` keys)."""
        low, high, usable = ("_min", "_max", "_max_usable") if prefix.islower() else ("_MIN", "_MAX", "_MAX_USABLE")
        return cls(*(str(raw.get(prefix + suffix) or "") for suffix in ("", low, high, usable)))

    def over(self, other: VersionRange) -> VersionRange:
        """This range, with gaps filled from `other`."""
        return VersionRange(
            self.exact or other.exact,
            self.minimum or other.minimum,
            self.maximum or other.maximum,
            self.usable_maximum or other.usable_maximum,
        )

    def check(self) -> None:
        """Raises Conflict when nothing can satisfy the range."""
        if self.minimum and self.maximum and compare(self.minimum, self.maximum) > 0:
            raise Conflict(f"no version is both >= {self.minimum} and <= {self.maximum}")
        if self.exact and not self.admits(self.exact):
            raise Conflict(f"version {self.exact} is outside {self._replace(exact='')}")

    def admits(self, version: str) -> bool:
        """Does a produced version satisfy the range? An empty (unknown) version does, as in CM."""
        if not version:
            return True
        if self.exact and compare(version, self.exact) != 0:
            return False
        if self.minimum and compare(version, self.minimum) < 0:
            return False
        return not (self.maximum and compare(version, self.maximum) > 0)

    def meet(self, other: VersionRange) -> VersionRange:
        """The range that satisfies both. It may be impossible: see `is_possible`."""
        exact = self.exact or other.exact
        if self.exact and other.exact and compare(self.exact, other.exact) != 0:
            # two exact versions leave nothing: say so as bounds that cannot hold together
            low, high = sorted((self.exact, other.exact), key=_key)
            return VersionRange("", high, low)
        return VersionRange(
            exact,
            max(self.minimum, other.minimum, key=_key),
            min(filter(None, (self.maximum, other.maximum)), key=_key, default=""),
            self.usable_maximum or other.usable_maximum,
        )

    def is_possible(self) -> bool:
        """Can any version satisfy the range?"""
        try:
            self.check()
        except Conflict:
            return False
        return True

    def clamp(self, default: str) -> str:
        """The version to make when only a default is known: raised to the minimum, lowered to the (usable) maximum."""
        if not default:
            return ""
        if self.minimum and compare(default, self.minimum) < 0:
            return self.minimum
        if self.maximum and compare(default, self.maximum) > 0:
            return self.usable_maximum or self.maximum
        return default

    def env_suffixes(self) -> list[tuple[str, str]]:
        """What is asked, as suffixes of `CM_VERSION` and their values."""
        bounds = (self.exact, self.minimum, self.maximum, self.usable_maximum)
        return [(s, v) for s, v in zip(("", "_MIN", "_MAX", "_MAX_USABLE"), bounds, strict=True) if v]

    def pip_string(self) -> str:
        """The range as pip's own text: `==V`, `>=min,<=max`, …"""
        if self.exact:
            return f"=={self.exact}"
        bounds = [f">={self.minimum}" if self.minimum else "", f"<={self.maximum}" if self.maximum else ""]
        return ",".join(bound for bound in bounds if bound)

    def __str__(self) -> str:
        bounds = [f"=={self.exact}"] if self.exact else []
        bounds += [f">={self.minimum}"] if self.minimum else []
        bounds += [f"<={self.maximum}"] if self.maximum else []
        return ", ".join(bounds)
