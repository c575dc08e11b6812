"""Base images: known ones by Python version, or any other that is pinned by its digest."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..errors import CMBenchError, did_you_mean

__all__ = ["base_image"]

_PINNED = re.compile(r"(?!.*\.\.)[a-z0-9][\w.:/-]{0,254}@sha256:[0-9a-f]{64}")


def base_image(wanted: str = "") -> str:
    """`name:tag@sha256:…` for a Python version in bases.json (its default when empty), or `wanted` itself if pinned.

    Raises:
        CMBenchError: a tag alone, which may stand for another image tomorrow, or an unknown version.
    """
    known = json.loads(Path(__file__).with_name("bases.json").read_text(encoding="utf-8"))
    bases = known["bases"]
    chosen = bases.get(wanted or known["default"])
    if chosen:
        return f"{chosen['image']}@{chosen['digest']}"
    if _PINNED.fullmatch(wanted):
        return wanted
    near = did_you_mean(wanted, sorted(bases))
    raise CMBenchError(
        f"--container_base={wanted} is neither a known base nor pinned by a digest{near}",
        hint=f"--container_base={' or '.join(sorted(bases))}, or NAME@sha256:… (docker buildx imagetools inspect NAME)",
    )
