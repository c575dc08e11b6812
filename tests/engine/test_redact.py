"""Secrets are recognised by key and by look; ordinary values stay as they are."""

import pytest

from cm4bench.redact import REDACTED, redacted_paths, scrub, secret_values, without_values

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
