"""Every way in which cm4bench can refuse, as exceptions that know the cause, the chain and the next command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "CMBenchError",
    "Conflict",
    "ManifestError",
    "NotFound",
    "OutputMissing",
    "StepFailed",
    "StoreError",
    "did_you_mean",
]


class CMBenchError(Exception):
    """A diagnosed problem. `cause` is one or two lines; `hint` is what to type or do next.

    `chain` lists the steps from the request down to the one that failed; `code` becomes the exit code
    (1 generic, 2 native script failed, 16 nothing matched: CM's own meanings).
    """

    code = 1

    def __init__(self, cause: str, *, hint: str | None = None, code: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint
        self.log: Path | None = None
        self.log_tail: Sequence[str] = ()
        self.chain: tuple[str, ...] = ()
        if code is not None:
            self.code = code

    def through(self, chain: Sequence[str]) -> CMBenchError:
        """Remember the because-chain, unless a deeper frame has set it already."""
        if not self.chain:
            self.chain = tuple(chain)
        return self

    def render(self) -> str:
        """One screen of plain text: cause first, then chain, log and next command."""
        lines = [f"error: {self.cause}"]
        if len(self.chain) > 1:
            lines += ["", "because:"]
            lines += [f"  {'  ' * depth}{'└ ' if depth else ''}{label}" for depth, label in enumerate(self.chain)]
        if self.log_tail:
            lines += ["", "last lines of its output:", *(f"  | {line}" for line in self.log_tail)]
        if self.log:
            lines += ["", f"full log: {self.log}"]
        if self.hint:
            lines += ["", f"next: {self.hint}"]
        return "\n".join(lines)


class ManifestError(CMBenchError):
    """A `_cm.yaml`/`_cm.json` that cannot be read or says something it must not say."""


class NotFound(CMBenchError):
    """No script answers the query."""

    code = 16


class Conflict(CMBenchError):
    """Variations or versions that cannot hold together."""


class StepFailed(CMBenchError):
    """A step ran and failed: its Python hook, its native script or a promised output."""


class OutputMissing(StepFailed):
    """A step ended well but did not deliver what its manifest promises."""


class StoreError(CMBenchError):
    """The cache could not be read or written (disk full, no permission)."""


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """` (did you mean "x"?)` for the nearest known word, or an empty string."""
    import difflib

    near = difflib.get_close_matches(word, list(known), n=2, cutoff=0.6)
    return f" (did you mean {' or '.join(repr(n) for n in near)}?)" if near else ""
