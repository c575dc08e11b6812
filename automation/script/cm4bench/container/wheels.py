"""Wheels for a machine without network: exactly what pip would install from the pinned environment."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from ..errors import CMBenchError

__all__ = ["LeftOut", "Pinned", "WheelError", "canonical", "collect_wheels", "cpu_index", "resolve"]

_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
TORCH_FOR_CPUS = "https://download.pytorch.org/whl/cpu"
_LONGEST_S = 1800


class WheelError(CMBenchError):
    """pip could not resolve or fetch the packages."""


class Pinned(NamedTuple):
    """One distribution that pip chose; `size` in bytes, 0 where the index does not tell."""

    name: str
    version: str
    url: str
    sha256: str
    size: int = 0

    @property
    def file(self) -> str:
        return unquote(urlsplit(self.url).path).rpartition("/")[2]

    @property
    def requirement(self) -> str:
        return f"{self.name} @ {self.url}" + (f"#sha256={self.sha256}" if self.sha256 else "")


class LeftOut(NamedTuple):
    """Something too large to be taken along unasked. `size` in bytes."""

    name: str
    size: int


def collect_wheels(
    python: str, arguments: Sequence[Sequence[str]], folder: Path, limit: int | None
) -> tuple[list[Path], list[LeftOut]]:
    """Wheels of all that each of the argument lists would make `pip install` install; source releases are built.

    `limit`: bytes of the largest wheel to take; None for no limit.

    Raises:
        WheelError: pip found no solution, or a file could not be fetched or built.
    """
    pinned = {one.url: one for given in arguments for one in resolve(python, given)}
    large = [one for one in pinned.values() if limit is not None and one.size > limit]
    wanted = sorted(one.requirement for one in pinned.values() if one not in large)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cm4bench-wheels-") as temporary:
        listing = Path(temporary) / "pinned.txt"
        listing.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        _pip(python, ["wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "-r", str(listing)])
    return sorted(folder.glob("*.whl")), [LeftOut(one.file, one.size) for one in large]


def resolve(python: str, arguments: Sequence[str]) -> list[Pinned]:
    """What pip would install into an empty environment. Raises WheelError."""
    report = _pip(python, ["install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-", *arguments])
    found = []
    for item in json.loads(report)["install"]:
        url, hashes = item["download_info"]["url"], (item["download_info"].get("archive_info") or {}).get("hashes", {})
        found.append(
            Pinned(item["metadata"]["name"], item["metadata"]["version"], url, hashes.get("sha256", ""), _size(url))
        )
    return found


def _size(url: str) -> int:
    """Bytes of a file on an index; only asked for, not fetched."""
    if urlsplit(url).scheme == "file":
        path = Path(url2pathname(urlsplit(url).path))
        return path.stat().st_size if path.is_file() else 0
    import requests

    try:
        answer = requests.head(url, timeout=10, allow_redirects=True)
    except requests.RequestException:
        return 0
    length = answer.headers.get("Content-Length", "")
    return int(length) if answer.ok and length.isdigit() else 0


def canonical(name: str) -> str:
    """A package's name as indexes spell it, without extras."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0].strip()).lower()


def cpu_index() -> list[str]:
    """Arguments for the index of PyTorch builds without CUDA, if reachable: pip would try it for every package."""
    import requests

    try:
        reachable = requests.head(TORCH_FOR_CPUS, timeout=5, allow_redirects=True).status_code < 500
    except requests.RequestException:
        return []
    return ["--extra-index-url", TORCH_FOR_CPUS] if reachable else []


def _pip(python: str, arguments: Sequence[str]) -> str:
    command = [python, *_PIP, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise WheelError("pip did not come to an end", hint=" ".join(command)) from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")][:3]
        cause = "\n  ".join(errors or done.stderr.splitlines()[-3:])
        raise WheelError(f"pip could not get the packages:\n  {cause}", hint="check network and proxy, then run again")
    return done.stdout
