"""Who may write: whoever can read the terminal that the app was started from."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True)
class WriteToken:
    """A secret of one start of the app. It is never part of a page or an address."""

    text: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def admits(self, given: str) -> bool:
        """Whether ``given`` is the token. How long the answer takes does not tell how much of it was right."""
        return hmac.compare_digest(given.strip().encode(), self.text.encode())
