"""Amounts as text for people."""

__all__ = ["megabytes", "seconds"]


def megabytes(size: int) -> str:
    """Bytes for people, in decimal units."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"


def seconds(value: float) -> str:
    """Seconds for people."""
    return f"{value:.1f} s" if value < 90 else f"{value / 60:.0f} min"
