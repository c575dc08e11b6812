"""Unknown manifest keys: found at every level, with the line and the nearest known word."""

from pathlib import Path

import pytest

from cm4bench.manifestfiles import load_raw
from cm4bench.schema import find_unknown_keys, find_wrong_shape


def finding(folder: Path, text: str, name: str = "_cm.yaml") -> str | None:
    (folder / name).write_text(text)
    return find_unknown_keys(load_raw(folder), folder)


@pytest.mark.parametrize(
    ("text", "line", "key", "near"),
    [
        ("alias: a\nnew_env_key: [A]\n", 2, "new_env_key", "new_env_keys"),
        ("alias: a\nvariations:\n  v:\n    alis: w\n", 4, "alis", "alias"),
        ("versions:\n  '1':\n    envv: {}\n", 3, "envv", "env"),
        ("deps:\n- tags: a\n- tags: b\n  force-cache: true\n", 4, "force-cache", "force_cache"),
        ("variations:\n  v:\n    deps:\n    - {tags: a, nmaes: [x]}\n", 4, "nmaes", "names"),
        ("post_deps:\n- {tag: a}\n", 2, "tag", "tags"),
        ("inputs:\n  n: {env: A, typ: int}\n", 2, "typ", "type"),
        ("outputs:\n  A:\n    type: file\n    optionl: true\n", 4, "optionl", "optional"),
        ("sources:\n- {nam: x}\n", 2, "nam", "name"),
    ],
)
def test_every_level(tmp_path: Path, text: str, line: int, key: str, near: str):
    found = finding(tmp_path, text)
    assert found is not None
    assert found.startswith(f"{tmp_path / '_cm.yaml'}:{line}: unknown key {key!r}")
    assert f"did you mean {near!r}" in found or f"{near!r}" in found


def test_where_the_key_stands(tmp_path: Path):
    assert "in variations.v.deps.0" in str(finding(tmp_path, "variations: {v: {deps: [{tagz: a}]}}"))


def test_a_json_manifest(tmp_path: Path):
    found = finding(tmp_path, '{"alias": "a",\n "tagz": []}', "_cm.json")
    assert str(found).startswith(f"{tmp_path / '_cm.json'}:2: unknown key 'tagz'")


def test_the_file_that_has_the_key_is_named(tmp_path: Path):
    (tmp_path / "_cm.json").write_text('{"bogus": 1}')
    assert str(finding(tmp_path, "alias: a\n")).startswith(f"{tmp_path / '_cm.json'}:1")


def test_a_correct_manifest(tmp_path: Path):
    text = "alias: a\nvariations: {v: null, w.#: {group: g, default: true, env: {ANY: x}}}\ndeps: [{tags: a, why: b}]\n"
    assert finding(tmp_path, text) is None


@pytest.mark.parametrize(
    ("text", "line", "place"),
    [
        ("alias: a\ndeps: {tags: x}\n", 2, "deps"),
        ("alias: a\ntags: 5\n", 2, "tags"),
        ("variations:\n  v:\n    env: [A]\n", 3, "variations.v.env"),
        ("variations:\n  v: text\n", 2, "variations.v"),
        ("inputs:\n  n: {type: int}\n", 2, "inputs.n"),
        ("sort: first\n", 1, "sort"),
    ],
)
def test_the_place_of_a_wrong_kind_of_value(tmp_path: Path, text: str, line: int, place: str):
    (tmp_path / "_cm.yaml").write_text(text)
    found = str(find_wrong_shape(load_raw(tmp_path), tmp_path))
    assert found.startswith(f"{tmp_path / '_cm.yaml'}:{line}: {place}")
