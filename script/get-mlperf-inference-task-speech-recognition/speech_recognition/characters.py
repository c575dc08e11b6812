"""Responses as the reference implementations send them: one int64 per character, its place in a fixed alphabet."""

from __future__ import annotations

import string

from harness.arrays import Array
from harness.errors import HarnessError

RNNT = " " + string.ascii_lowercase + "'"
WHISPER = RNNT + string.digits + "$%+-"
DTYPE = "int64"


def encode(text: str, alphabet: str) -> Array:
    """The places of the text's characters; those that the alphabet lacks are left out, as in the reference."""
    import numpy as np

    places = [place for character in text if (place := alphabet.find(character)) >= 0]
    return np.array(places, dtype=DTYPE)


def decode(payload: bytes, alphabet: str) -> str:
    """The text of one response.

    Raises:
        HarnessError: kind `accuracy`, when the bytes are no int64 places in the alphabet.
    """
    import numpy as np

    try:
        return "".join(alphabet[place] for place in np.frombuffer(payload, dtype=DTYPE).tolist() if _known(place))
    except (ValueError, IndexError):
        raise HarnessError("accuracy", f"a response of {len(payload)} bytes is no text in int64 characters") from None


def _known(place: int) -> bool:
    if place < 0:
        raise IndexError
    return True


def known(text: str, alphabet: str) -> str:
    """The text without the characters that the alphabet lacks: what a recogniser could answer at best."""
    return "".join(character for character in text if character in alphabet)
