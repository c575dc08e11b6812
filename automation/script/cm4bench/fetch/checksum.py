"""Promised digests, and files held against them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import CMBenchError

__all__ = ["CHUNK", "Checksum", "ChecksumMismatch", "Digest", "require_match", "verify"]

CHUNK = 1 << 20
"""Bytes read or written at a time."""

_HEX_DIGITS = {"md5": 32, "sha256": 64}


class ChecksumMismatch(CMBenchError):
    """All bytes are here, and they are not the promised ones."""


@dataclass(frozen=True)
class Checksum:
    """A promised digest. md5 only where upstream publishes nothing better."""

    algorithm: str
    digest: str

    def __post_init__(self) -> None:
        digits = _HEX_DIGITS.get(self.algorithm)
        if digits is None or len(self.digest) != digits or set(self.digest) - set("0123456789abcdef"):
            raise CMBenchError(
                f"not a {self.algorithm} checksum: {self.digest!r}", hint="give the hexadecimal digest and nothing else"
            )

    @classmethod
    def of(cls, *, sha256: str = "", md5: str = "") -> Checksum | None:
        """The stronger of the given digests; None when neither is given."""
        if sha256.strip():
            return cls("sha256", sha256.strip().lower())
        return cls("md5", md5.strip().lower()) if md5.strip() else None

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digest}"


class Digest:
    """A running digest: sha256 always, for the record; md5 too when that is what was promised."""

    def __init__(self, promised: Checksum | None = None) -> None:
        self._promised = promised
        names = {"sha256", promised.algorithm} if promised else {"sha256"}
        self._hashes = {name: hashlib.new(name) for name in names}
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """Add the next bytes."""
        for running in self._hashes.values():
            running.update(chunk)
        self.size += len(chunk)

    def update_from(self, path: Path) -> Digest:
        """Add all bytes of a file."""
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                self.update(chunk)
        return self

    @property
    def sha256(self) -> str:
        """The sha256 of the bytes so far, as hexadecimal digits."""
        return self._hashes["sha256"].hexdigest()

    def found(self) -> Checksum:
        """The digest of the bytes so far, in the promised algorithm."""
        name = self._promised.algorithm if self._promised else "sha256"
        return Checksum(name, self._hashes[name].hexdigest())

    def matches(self) -> bool:
        """Do the bytes so far keep the promise? Without a promise they do."""
        return self._promised is None or self.found() == self._promised


def require_match(digest: Digest, checksum: Checksum, source: str) -> None:
    """Raises ChecksumMismatch, with both digests, when the bytes of `source` are not the promised ones."""
    if digest.found() != checksum:
        raise ChecksumMismatch(
            f"checksum mismatch: {source} has {digest.found()} ({digest.size} bytes), expected {checksum}",
            hint="the file was damaged on its way or replaced by its owner: try again, or get it from another source",
        )


def verify(path: Path, checksum: Checksum | None = None) -> Digest:
    """Digest a file that is already there. Raises ChecksumMismatch, or CMBenchError when there is no such file."""
    if not path.is_file():
        raise CMBenchError(f"no such file: {path}", hint="check the path that was given")
    digest = Digest(checksum).update_from(path)
    if checksum:
        require_match(digest, checksum, str(path))
    return digest
