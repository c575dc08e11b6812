"""Names made of contents."""

import hashlib

from cm4bench.digest import digest


def test_it_is_the_public_algorithm_whatever_module_it_comes_from() -> None:
    assert digest("a text") == hashlib.blake2b(b"a text", digest_size=16).hexdigest()


def test_any_file_name_has_one() -> None:
    assert len(digest("caf\udce9")) == 32 and digest("caf\udce9") != digest("caf")
