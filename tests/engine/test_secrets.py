"""A token given to a run reaches the code that needs it, and no file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.workbench import Bench, RepoBuilder, uid_of

from cm4bench import CMBenchError
from cm4bench.confidential import Censor, masked, secrets_of

SECRET = "s3cr3t-of-the-house"
TOKEN = "ghp_" + "0123456789abcdefghij" * 2
URL = f"https://robot:{SECRET}@example.org/data.git"
GIVEN = {
    "CM_GH_TOKEN": TOKEN,
    "GH_TOKEN": TOKEN,
    "CM_DB_PASSWORD": SECRET,
    "CM_API_KEY": SECRET,
    "CM_DATA_URL": URL,
    "CM_AUTH": f"bearer {SECRET}",
}
SHOWS = 'echo "it is $CM_DB_PASSWORD"; set -x; : "$CM_GH_TOKEN" "$CM_DATA_URL"; printf "%s" "$CM_API_KEY"; env; '


def traces(folder: Path, *secrets: str) -> list[str]:
    """Files below a folder that hold one of the secrets."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(p) for p in files if any(s.encode() in p.read_bytes() for s in secrets)]


@pytest.fixture
def vault(repo: RepoBuilder) -> RepoBuilder:
    proof = 'test "$CM_DB_PASSWORD" = {secret} && test "$CM_GH_TOKEN" = {token} && touch proof; '
    run = SHOWS + proof.format(secret=SECRET, token=TOKEN) + "echo CM_PROOF=$PWD/proof >> tmp-run-env.out"
    repo.script("user", cache=True, run=run, new_env_keys=["CM_*"], outputs={"CM_PROOF": {"type": "file"}})
    repo.script("other", cache=True, run=SHOWS)
    repo.script("top", deps=[{"tags": "user"}, {"tags": "other"}], new_env_keys=["CM_*"])
    return repo


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_secret_is_used_and_not_kept(bench: Bench, vault: RepoBuilder, tmp_path: Path, jobs: int):
    report = bench.run("top", env=GIVEN, options={"gh_token": TOKEN}, jobs=jobs)
    assert sorted(report.made) == ["other", "user"]
    assert Path(report.outcome.new_env["CM_PROOF"]).is_file()
    assert report.outcome.new_env["CM_DB_PASSWORD"] == SECRET  # the caller has it anyway
    assert traces(tmp_path, SECRET, TOKEN) == [str(vault.folder("user") / "run.sh")]
    log = next(bench.home.rglob("logs/user-*.log")).read_text()
    assert "it is <redacted>" in log
    assert "https://<redacted>@example.org" in log


def test_a_renewed_token_makes_nothing_anew(bench: Bench, vault: RepoBuilder, tmp_path: Path):
    bench.run("top", env=GIVEN)
    again = bench.run("top", env=GIVEN | {"CM_GH_TOKEN": TOKEN[::-1], "CM_DB_PASSWORD": SECRET.upper()})
    assert again.made == ()
    assert again.outcome.new_env["CM_DB_PASSWORD"] == SECRET.upper()
    without = {k: v for k, v in GIVEN.items() if k != "CM_API_KEY"}
    assert [s.label for s in bench.plan("top", env=without).to_run() if s.caches] == ["user", "other"]
    assert traces(bench.home, SECRET.upper(), TOKEN[::-1]) == []


def test_a_secret_that_a_step_makes_is_made_each_time(bench: Bench, repo: RepoBuilder):
    code = f"def preprocess(i):\n    i['env']['CM_SESSION_TOKEN'] = '{SECRET}'\n    return {{'return': 0}}\n"
    repo.script("login", cache=True, customize=code, new_env_keys=["CM_SESSION_TOKEN", "CM_B"], env={"CM_B": "1"})
    for _ in range(2):
        report = bench.run("login")
        assert report.made == ("login",)
        assert report.outcome.new_env == {"CM_SESSION_TOKEN": SECRET, "CM_B": "1"}
    [entry] = bench.entries()
    state = json.loads((entry / "cm-cached-state.json").read_text())
    assert state["new_env"] == {"CM_B": "1"}
    assert state["cm4bench"]["withheld"] == ["CM_SESSION_TOKEN"]
    assert traces(bench.home, SECRET) == []


@pytest.mark.parametrize(
    "files",
    [
        {"run": SHOWS + "exit 1"},
        {"customize": "def preprocess(i):\n    raise ValueError(f'{i[\"env\"]}')\n"},
        {"customize": "def preprocess(i):\n    return {'return': 1, 'error': 'no ' + i['env']['CM_DB_PASSWORD']}\n"},
    ],
)
@pytest.mark.parametrize("cache", [True, False])
def test_a_failure_tells_no_secret(bench: Bench, repo: RepoBuilder, tmp_path: Path, files: dict, cache: bool):
    repo.script("bad", cache=cache, **files)
    with pytest.raises(CMBenchError) as caught:
        bench.run("bad", env=GIVEN)
    screen = caught.value.render()
    assert SECRET not in screen
    assert TOKEN not in screen
    assert "<redacted>" in screen or caught.value.log
    assert traces(tmp_path, SECRET, TOKEN) == []


def test_a_hook_that_prints_beside_others(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    """Entries made side by side print to a log of their own."""
    code = "import os\ndef preprocess(i):\n    os.write(1, i['env']['CM_DB_PASSWORD'].encode())\n"
    repo.script("one", cache=True, customize=code)
    repo.script("two", cache=True, customize=code)
    repo.script("top", deps=[{"tags": "one"}, {"tags": "two"}])
    bench.run("top", env=GIVEN, jobs=2)
    printed = [path.read_text() for path in bench.home.rglob("ahead-*.log")]
    assert printed == ["<redacted>"] * 2
    assert traces(tmp_path, SECRET) == []


def test_state_and_words_of_the_request(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    repo.script("user", cache=True, run="true", variations={"v.#": {}}, new_state_keys=["made"])
    tags = f"user,_v.{TOKEN}"
    bench.run(tags, env=GIVEN, state={"note": f"login with {SECRET}"}, options={"extra_cache_tags": TOKEN})
    bench.run(tags, env=GIVEN | {"CM_USER": "1"})
    assert traces(bench.home, SECRET, TOKEN) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CM_TOKEN_PATH", "/home/me/token"),
        ("CM_GOOGLE_AUTH_OAUTHLIB_VERSION", "1.10.12"),
        ("CM_MAX_TOKENS", "1024"),
        ("CM_TOKENIZER", "a-long-name"),
        ("CM_USE_AUTH_TOKEN", "yes"),
        ("CM_DATASET_URL", "https://example.org/x"),
        ("CM_NUMBERS", [1, 2]),
    ],
)
def test_what_is_no_secret(key: str, value: object):
    assert masked(key, value) == value


def test_what_is_one():
    hidden = {**GIVEN, "AWS_SECRET_ACCESS_KEY": SECRET, "CM_ANY": TOKEN, "HF_TOKEN": "x"}
    assert [key for key, value in hidden.items() if masked(key, value) == value] == []
    assert secrets_of(GIVEN) == {TOKEN, SECRET, f"robot:{SECRET}", f"bearer {SECRET}"}


@given(st.lists(st.sampled_from(["abcabd", "abc", "ab", "xyz", "", "abcab"]), max_size=12), st.integers(1, 5))
def test_a_stream_cut_anywhere_is_censored_alike(parts: list[str], size: int):
    text = "".join(parts).encode()
    censor = Censor(["abcabd", "xyzxyz"])
    cut = b"".join(censor.feed(text[n : n + size]) for n in range(0, len(text), size)) + censor.rest()
    assert cut == text.replace(b"abcabd", b"<redacted>").replace(b"xyzxyz", b"<redacted>")


def test_uids_are_no_secrets():
    """16 hex digits are everywhere in what is stored."""
    assert masked("uid", uid_of("x")) == uid_of("x")
