"""Secrets kept out of what is written down: by the names of keys, and by the look of values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["REDACTED", "names_secret", "recognised", "redacted_paths", "scrub", "secret_values", "without_values"]

REDACTED = "<redacted>"
_KEY_PARTS = ("token", "passw", "passphrase", "secret", "credential", "_auth_", "_pat_", "_pwd_")
_KINDS_OF_KEY = ("apikey", "api_key", "accesskey", "access_key", "privatekey", "private_key")
# Plain texts, compiled by `re` when first needed: this module is on the way of every command.
# prefixes that issuers give to their tokens so that they can be found
_SECRET_VALUE = (
    r"\b(gh[pousr]_\w{20,}|github_pat_\w{20,}|hf_\w{20,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|"
    r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
)
_SECRET_PREFIXES = ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "hf_", "sk-", "xox", "AKIA", "eyJ")
_URL_LOGIN = r"(?<=://)[^/\s@]+(?=@)"
_URL_QUERY = r"(?i)(?<=[?&])([\w-]*(?:token|key|signature|sig|password|secret)=)[^&\s]+"
_SHORTEST_SECRET = 6
# What every shell calls its working folders. In lower case it may be the flag of a password.
_FOLDERS = ("PWD", "OLDPWD")


def scrub(value: Any, key: str = "") -> Any:
    """A copy of plain data in which secrets read `<redacted>`. Numbers of tokens and flags are no secrets."""
    if isinstance(value, Mapping):
        return {name: scrub(item, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(item, key) for item in value]
    if not isinstance(value, str):
        return value
    return REDACTED if key and names_secret(key) and not _is_harmless(value) else _scrub_text(value)


def names_secret(key: str) -> bool:
    """Does a key say that its value is a secret?"""
    if key in _FOLDERS:
        return False
    # a tokenizer is no token; and no regular expression, which would take a command a millisecond to compile
    name = f"_{key.lower()}_".replace("tokeniz", " ")
    return any(part in name for part in (*_KEY_PARTS, *_KINDS_OF_KEY))


def _scrub_text(text: str) -> str:
    if any(prefix in text for prefix in _SECRET_PREFIXES):
        text = re.sub(_SECRET_VALUE, REDACTED, text)
    if "=" in text:
        text = re.sub(_URL_QUERY, rf"\1{REDACTED}", text)
    return re.sub(_URL_LOGIN, REDACTED, text) if "@" in text else text


def _is_harmless(value: str) -> bool:
    """Nobody's secret is empty, a small number or yes or no: `max_new_tokens=1024`, `use_auth_token=yes`."""
    return value.lower() in ("", "yes", "no", "true", "false", "on", "off") or bool(re.fullmatch(r"\d{1,6}", value))


def recognised(text: str) -> set[str]:
    """The parts of a text that are secrets by their look."""
    return {found[0] for pattern in (_SECRET_VALUE, _URL_LOGIN) for found in re.finditer(pattern, text)}


def redacted_paths(data: Any, prefix: str = "") -> list[str]:
    """Dotted names of values of which something was taken away by `scrub`."""
    if isinstance(data, Mapping):
        found = [redacted_paths(item, f"{prefix}.{name}".lstrip(".")) for name, item in data.items()]
        return [path for paths in found for path in paths]
    if isinstance(data, list):
        return sorted({path for item in data for path in redacted_paths(item, prefix)})
    return [prefix] if isinstance(data, str) and REDACTED in data else []


def secret_values(data: Any, key: str = "") -> set[str]:
    """The values that `scrub` takes away because of their keys, long enough to be recognised elsewhere."""
    if isinstance(data, Mapping):
        return set().union(*(secret_values(item, str(name)) for name, item in data.items()))
    if isinstance(data, (list, tuple)):
        return set().union(*(secret_values(item, key) for item in data))
    is_secret = isinstance(data, str) and len(data) >= _SHORTEST_SECRET and scrub(data, key) == REDACTED
    return {data} if is_secret else set()


def without_values(data: Any, secrets: Collection[str]) -> Any:
    """A copy of plain data in which these values are redacted wherever they occur, also as a part of a text."""
    if isinstance(data, Mapping):
        return {name: without_values(item, secrets) for name, item in data.items()}
    if isinstance(data, (list, tuple)):
        return [without_values(item, secrets) for item in data]
    if isinstance(data, str):
        for secret in secrets:
            data = data.replace(secret, REDACTED)
    return data
