"""Reading the kernel's files, below any root so that tests can have hosts of their own."""

from __future__ import annotations

from pathlib import Path


def text(path: Path) -> str:
    """What a file says, without white space around; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def number(path: Path) -> int | None:
    """A whole number in a file; None where there is none."""
    try:
        return int(text(path))
    except ValueError:
        return None


def size(count: float) -> str:
    """Bytes in binary units with three digits: 23.4 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TiB"


def counted(words: list[str]) -> str:
    """Equal words counted, in the order of their first: `2x 447 GiB, 1x 3.49 TiB`."""
    return ", ".join(f"{words.count(one)}x {one}" for one in dict.fromkeys(words))
