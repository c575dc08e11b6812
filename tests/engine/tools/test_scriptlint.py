"""Every rule of the linter finds its fault, at its line, and is silent about good scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbench import ROOT, RepoBuilder

from cm4bench import Repo
from cm4bench.catalog import Catalog
from cm4bench.tools.lintunit import Finding
from cm4bench.tools.scriptlint import findings_data, lint, summary, units_of

HEAD = 'alias: it\nuid: "0123456789abcdef"\nautomation_alias: script\nautomation_uid: 5b4e0237da074764\nname: it\n'


def findings(repo: Repo, home: Path, *only: str) -> list[Finding]:
    return lint(units_of(repo), Catalog.open([repo], home), only)


@pytest.fixture
def finds(repo: RepoBuilder, tmp_path: Path):
    """Lint one manifest among two good scripts: (level, rule, line, text) of each finding in it."""

    def run(body: str, head: str = HEAD, files: dict[str, str] = {}, folder: str = "it") -> list[tuple]:
        repo.script("get-a", tags="get,thing", name="a", variations={"v": {}, "n.#": {}}, new_env_keys=["CM_SET"])
        repo.script("get-b", tags="get,thing,special", name="b")
        place = repo.folder(folder)
        (place / "_cm.yaml").write_text(head + ("" if "tags: [" in head + body else "tags: [it]\n") + body)
        for name, text in files.items():
            (place / name).write_text(text)
        found = findings(repo.value, tmp_path, folder, "it")
        return [(one.level, one.rule, one.line, one.text) for one in found]

    return run


def only(found: list[tuple]) -> tuple:
    assert len(found) == 1, found
    return found[0]


def test_a_good_script(finds):
    deps = "deps:\n- tags: get,thing,special\n- tags: get,thing,_v\n"
    deps += "- tags: get,thing,_n.5\n  enable_if_env: {CM_SET: [yes]}\n"
    assert finds(deps, files={"run.sh": "echo $CM_SET\n", "customize.py": "def preprocess(i):\n    print(i)\n"}) == []


def test_our_own_scripts_have_no_errors_and_no_dangling_or_dead_ends(tmp_path: Path):
    found = findings(Repo("cm4bench", ROOT, "c4be0c1d2f7a4e63", "", True), tmp_path)
    assert [
        str(one) for one in found if one.level == "error" or one.rule in ("ambiguous", "unknown-key", "dead-code")
    ] == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("new_env_key: [A]\n", ("warning", "unknown-key", 7, "unknown key 'new_env_key'")),
        ("deps:\n- tags: get,nothing\n", ("error", "dangling", 8, "nothing answers “get,nothing”")),
        ("deps:\n- tags: get,thing,_w\n", ("error", "dangling", 8, "get-a has no variation w")),
        ("variations:\n  x:\n    deps:\n    - {tags: 'get,thng'}\n", ("error", "dangling", 10, "did you mean 'thing'")),
        (
            "deps:\n- tags: get,thing\n",
            ("warning", "ambiguous", 8, "answered by 2 scripts (get-a, get-b); get-a is taken"),
        ),
        ("deps:\n- names: [a]\n", ("warning", "dependency", 8, "without tags does nothing")),
        ("deps:\n- tags: get,-get\n", ("error", "dependency", 8, "'get' is both asked for and excluded")),
        (
            "deps:\n- tags: get,thing,_v\n  enable_if_env:\n    CM_SETT: [yes]\n",
            ("warning", "env-key", 10, "nothing sets CM_SETT (did you mean 'CM_SET'"),
        ),
        ("env:\n  CM_X: <<<CM_NOBODY>>>\n", ("warning", "env-key", 8, "nothing sets CM_NOBODY")),
        ("variations:\n  a: {base: [bb]}\n  b: {}\n", ("error", "variation", 8, "there is no variation 'bb'")),
        ("default_variation: c\nvariations:\n  b: {}\n", ("error", "variation", 7, "there is no variation 'c'")),
        (
            "variations:\n  a: {group: g, default: true}\n  b: {group: g, default: true}\n",
            ("warning", "variation", 9, "group 'g' has 2 defaults"),
        ),
        (
            "sources:\n- {url: https://x, license: MIT, size: 1}\n",
            ("warning", "checksum", 8, "https://x has no sha256"),
        ),
        ("sources:\n- {url: u, sha256: aa, size: 1}\n", ("warning", "licence", 8, "u has no licence")),
        ("sources:\n- {url: u, sha256: aa, license: MIT}\n", ("advice", "size", 8, "u has no size")),
        ("env:\n  CM_DOWNLOAD_URL: https://x\n", ("advice", "checksum", 8, "CM_DOWNLOAD_URL names is used without")),
        ("inputs:\n  n: {env: CM_N}\n", ("advice", "docs", 8, "--n has no help")),
    ],
)
def test_manifests(finds, body: str, expected: tuple):
    level, rule, line, text = only(finds(body))
    assert (level, rule, line) == expected[:3]
    assert expected[3] in text


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (HEAD.replace('"0123456789abcdef"', "1234567890123456"), ("error", "uid", 2, "as the number 1234567890123456")),
        (HEAD.replace('uid: "0123456789abcdef"\n', ""), ("error", "uid", 1, "there is no uid")),
        (HEAD.replace("0123456789abcdef", "short"), ("warning", "uid", 2, "'short' is not 16 hexadecimal digits")),
        (HEAD.replace("alias: it", "alias: other"), ("warning", "alias", 1, "is not the folder's name 'it'")),
        (HEAD.replace("name: it\n", ""), ("advice", "docs", 1, "nothing says what the script is")),
        (HEAD + "tags: []\n", ("error", "tags", 1, "there are no tags")),
        (HEAD + "tags: [it]\nx: [\n", ("error", "manifest", 8, "broken YAML")),
    ],
)
def test_identity(finds, head: str, expected: tuple):
    level, rule, line, text = only(finds("", head=head))
    assert (level, rule, line) == expected[:3] and expected[3] in text


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("customize.py", "def preprocess(i):\n    x = \n", ("error", "syntax", 2, "does not compile")),
        ("customize.py", "def helper(i):\n    pass\n", ("warning", "no-hook", 1, "defines no hook")),
        (
            "customize.py",
            "\ndef preprocess(i):\n    env = i['env']\n    os_info = i['os_info']\n    return {'return': 0}\n",
            ("advice", "dead-code", 2, "preprocess does nothing"),
        ),
        ("run.sh", "if true; then\n  echo\n", ("error", "syntax", 3, "bash cannot read it")),
    ],
)
def test_code(finds, name: str, content: str, expected: tuple):
    level, rule, line, text = only(finds("", files={name: content}))
    assert (level, rule, line) == expected[:3] and expected[3] in text


@pytest.mark.parametrize(
    "body",
    [
        "i['env']['A'] = '1'",
        "i['env'].pop('A', None)",
        "i['meta']['x'] = 1",
        "return {'return': 1, 'error': 'no'}",
        "raise OSError",
    ],
)
def test_hooks_that_do_something(finds, body: str):
    assert finds("", files={"customize.py": f"def preprocess(i):\n    {body}\n    return {{'return': 0}}\n"}) == []


@pytest.mark.parametrize(
    "dep",
    [
        "tags: get,thing\n  update_tags_from_env: [CM_SET]",
        "tags: get,thing,_v,_#",
        "tags: get,thing,special,_<<<CM_SET>>>",
        "tags: it\n  enable_if_env: {CM_TMP_X: [yes], CM_VERSION: ['1'], HOME: [x]}",
    ],
)
def test_what_is_filled_in_later_is_no_fault(finds, dep: str):
    assert finds(f"variations:\n  '#':\n    deps:\n    - {dep.replace(chr(10), chr(10) + '    ')}\n") == []


def test_names_used_twice(finds, repo: RepoBuilder, tmp_path: Path):
    finds("", head=HEAD, folder="one")
    found = [(one.rule, one.path.parent.name) for one in findings(repo.value, tmp_path) if one.level == "error"]
    assert found == []
    finds("", head=HEAD, folder="two")
    found = [(one.rule, one.path.parent.name) for one in findings(repo.value, tmp_path) if one.level == "error"]
    assert found == [("duplicate-alias", "two"), ("duplicate-uid", "two")]


def test_unknown_words_are_errors_where_strictness_was_asked_for(strict_repo: RepoBuilder, tmp_path: Path):
    strict_repo.script("a", name="a", wrong=1)
    assert [(one.level, one.rule) for one in findings(strict_repo.value, tmp_path)] == [("error", "unknown-key")]


def test_mlcflow_manifests(repo: RepoBuilder, tmp_path: Path):
    dep = "deps:\n- tags: it\n  enable_if_env:\n    MLC_NOBODY_SETS: ['yes']\n"
    (repo.folder("it") / "meta.yaml").write_text(HEAD + "tags: [it]\n" + dep)
    (found,) = findings(repo.value, tmp_path)
    assert (found.line, found.text.split(" (")[0]) == (10, "nothing sets MLC_NOBODY_SETS")


def test_worst_first_with_place_and_remedy(finds, repo: RepoBuilder, tmp_path: Path):
    finds("deps:\n- tags: get,thing\n- tags: get,nothing\n", head=HEAD.replace("name: it\n", ""))
    found = findings(repo.value, tmp_path)
    assert [one.level for one in found] == ["error", "warning", "advice"]
    place = repo.folder("it") / "_cm.yaml"
    assert str(found[0]).startswith(f"{place}:8: error: nothing answers") and "[dangling]\n    → " in str(found[0])
    assert summary(found, 3) == "3 scripts: 1 error, 1 warning, 1 piece of advice"
    assert findings_data(found)[0]["path"] == str(place)


def test_an_empty_repository(tmp_path: Path):
    assert units_of(Repo("none", tmp_path / "none")) == []
    assert summary([], 0) == "0 scripts: nothing to complain about"
