"""Secrets kept out of a crate: by name, by look, and wherever a known secret is repeated in a log."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cm4bench.redact import scrub, secret_values, without_values
from cm4bench_crates.errors import CrateError
from cm4bench_results.record import ResultRecord


@dataclass(frozen=True)
class Cleaner:
    """Takes ``secrets``, and whatever looks like one, out of data and texts."""

    secrets: frozenset[str]

    def data(self, value: Any) -> Any:
        """Plain data without secrets."""
        return without_values(scrub(value), self.secrets)

    def content(self, path: Path) -> bytes:
        """What may be handed on of a file.

        Raises:
            CrateError: a file that is no text holds a secret, or it cannot be read.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CrateError(f"{path} cannot be read: {error.strerror}", "restore it, or run again") from None
        try:
            return str(self.data(content.decode("utf-8"))).encode()
        except UnicodeDecodeError:
            if any(secret.encode() in content for secret in self.secrets):
                raise CrateError(f"{path} is no text and holds a secret", "delete it, or run again") from None
            return content


def cleaner_for(records: Iterable[ResultRecord]) -> Cleaner:
    """One that knows the secrets of this process and those that the runs were given."""
    secrets = secret_values(dict(os.environ))
    for record in records:
        secrets |= secret_values(dict(record.request.options))
        secrets |= secret_values(dict(_typed(record.request.argv)))
    return Cleaner(frozenset(secrets))


def _typed(argv: Iterable[str]) -> Iterable[tuple[str, str]]:
    """`--key=value` and `--env.KEY=value` as they were typed."""
    for word in argv:
        if word.startswith("-") and "=" in word:
            key, _, value = word.lstrip("-").partition("=")
            yield key.rpartition(".")[2], value
