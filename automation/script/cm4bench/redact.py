"""Secrets kept out of what is written down: by the names of keys, and by the look of values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["REDACTED", "redacted_paths", "scrub"]

REDACTED = "<redacted>"
_SECRET_KEY = re.compile(
    r"token(?!iz)|passw|passphrase|secret|credential|api_?key|access_?key|private_?key|(^|_)(auth|pat|pwd)($|_)", re.I
)
# prefixes that issuers give to their tokens so that they can be found
_SECRET_VALUE = re.compile(
    r"\b(gh[pousr]_\w{20,}|github_pat_\w{20,}|hf_\w{20,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|"
    r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
)
_URL_LOGIN = re.compile(r"(?<=://)[^/\s@]+(?=@)")


def scrub(value: Any, key: str = "") -> Any:
    """A copy of plain data in which secrets read `<redacted>`. Numbers of tokens and flags are no secrets."""
    if isinstance(value, Mapping):
        return {name: scrub(item, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(item, key) for item in value]
    if not isinstance(value, str):
        return value
    if key and _SECRET_KEY.search(key) and not _is_harmless(value):
        return REDACTED
    return _URL_LOGIN.sub(REDACTED, _SECRET_VALUE.sub(REDACTED, value))


def _is_harmless(value: str) -> bool:
    """Nobody's secret is empty, a small number or yes or no: `max_new_tokens=1024`, `use_auth_token=yes`."""
    return value.lower() in ("", "yes", "no", "true", "false", "on", "off") or bool(re.fullmatch(r"\d{1,6}", value))


def redacted_paths(data: Any, prefix: str = "") -> list[str]:
    """Dotted names of values of which something was taken away by `scrub`."""
    if isinstance(data, Mapping):
        found = [redacted_paths(item, f"{prefix}.{name}".lstrip(".")) for name, item in data.items()]
        return [path for paths in found for path in paths]
    if isinstance(data, list):
        return sorted({path for item in data for path in redacted_paths(item, prefix)})
    return [prefix] if isinstance(data, str) and REDACTED in data else []
