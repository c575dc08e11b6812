"""What the owner of a system says: a YAML or JSON file of keys and values."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from system_description.values import Origin, Value, Values


class DescriptionError(Exception):
    """A description that cannot be used: cause, and what to do next."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause, self.hint = cause, hint


def read(path: Path, known: tuple[str, ...]) -> Values:
    """The values of a file; empty ones count as not given.

    Args:
        path: YAML, of which JSON is a part.
        known: the keys that a description may have.

    Raises:
        DescriptionError: for a file that cannot be read, is no list of keys and values, or has an unknown key.
    """
    content = _load(path)
    unknown = [key for key in content if key not in known]
    if unknown:
        raise DescriptionError(f"{path}: {', '.join(_unknown(key, known) for key in unknown)}", f"edit {path}")
    texts = {key: _text(path, key, value) for key, value in content.items()}
    return {key: Value(text, Origin.GIVEN, str(path)) for key, text in texts.items() if text}


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DescriptionError(f"{path} cannot be read: {error.strerror}", "--description=FILE") from None
    except (yaml.YAMLError, ValueError) as error:
        cause = " ".join(str(error).split())
        raise DescriptionError(f"{path} is neither YAML nor JSON: {cause}", f"edit {path}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise DescriptionError(f"{path} must have lines of the form `key: value`", f"edit {path}")
    return {str(key): value for key, value in content.items()}


def _unknown(key: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(key, known, n=1)
    return f"unknown key {key!r}" + (f" (did you mean {close[0]!r}?)" if close else "")


def _text(path: Path, key: str, value: Any) -> str:
    """Numbers become text: for the number 0 upstream's checker says that the key is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value).strip()
    raise DescriptionError(f"{path}: {key!r} must be a text or a number", f"edit {path}")
