"""Secrets are recognised by key and by look; ordinary values stay as they are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm4bench.redact import REDACTED, names_secret, redacted_paths, scrub, secret_values, without_values

GITHUB = "ghp_" + "a1B2" * 9


@pytest.mark.parametrize(
    "key",
    [
        "gh_token",
        "CM_GH_TOKEN",
        "password",
        "CM_DB_PASSWD",
        "hf_api_key",
        "AWS_SECRET_ACCESS_KEY",
        "CM_GIT_PAT",
        "auth",
    ],
)
def test_by_key(key: str):
    assert scrub({key: "s3cr3t!"}) == {key: REDACTED}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (GITHUB, REDACTED),
        (f"clone with {GITHUB} please", f"clone with {REDACTED} please"),
        ("https://me:pw@host.org/x", f"https://{REDACTED}@host.org/x"),
        ("https://h.org/f?a=1&X-Amz-Signature=abc&b=2", f"https://h.org/f?a=1&X-Amz-Signature={REDACTED}&b=2"),
    ],
)
def test_by_look(value: str, kept: str):
    assert scrub({"url": value}) == {"url": kept}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_new_tokens", "1024"),
        ("CM_TOKENIZER", "bert-base"),
        ("use_auth_token", "yes"),
        ("path", "/data/patients"),
        ("url", "https://host.org/a@b"),
        ("count", 7),
    ],
)
def test_harmless_values_stay(key: str, value):
    assert scrub({key: value}) == {key: value}


def test_names_of_what_is_missing():
    clean = scrub({"options": {"gh_token": "abcdefgh", "n": 1}, "env": {"A": ["x", GITHUB]}})
    assert redacted_paths(clean) == ["options.gh_token", "env.A"]


def test_a_secret_is_taken_out_where_it_is_repeated():
    secrets = secret_values({"gh_token": "abcdefgh", "short_token": "ab", "name": "zzzzzzzz"})
    assert secrets == {"abcdefgh"}
    assert without_values({"log": ["x=abcdefgh;", 3]}, secrets) == {"log": [f"x={REDACTED};", 3]}


NAMED_SECRET = re.compile(
    r"(?i)token(?!iz)|passw|passphrase|secret|credential|(api|access|private)_?key|(^|_)(auth|pat|pwd)($|_)"
)
WORDS = ["CM", "token", "tokenizer", "PATH", "pat", "auth", "author", "api", "key", "KEY", "Access", "privatekey", "x"]


@given(
    st.lists(st.sampled_from([*WORDS, "passwd", "secret", "keys", "pwd", "monkey"]), max_size=5), st.sampled_from("_- ")
)
def test_names_of_secrets_are_those_of_the_rule(words: list[str], gap: str):
    key = gap.join(words)
    assert names_secret(key) == bool(NAMED_SECRET.search(key))
