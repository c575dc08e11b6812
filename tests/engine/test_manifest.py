"""Manifests: reading, merging, and the typed values made from them."""

from pathlib import Path

import pytest

from cm4bench.errors import ManifestError
from cm4bench.manifest import Input, Output, Repo, Script, Source, is_yes
from cm4bench.manifestfiles import load_raw


def script(**raw: object) -> Script:
    return Script(Path("/r/script/x"), Repo("r", Path("/r")), raw)


def test_json_wins_over_yaml_key_by_key(tmp_path: Path):
    (tmp_path / "_cm.yaml").write_text("alias: a\ntags: [x]\nenv: {A: 1}\n")
    (tmp_path / "_cm.json").write_text('{"env": {"B": 2}}')
    assert load_raw(tmp_path) == {"alias": "a", "tags": ["x"], "env": {"B": 2}}


def test_keys_become_text_and_dates_too(tmp_path: Path):
    (tmp_path / "_cm.yaml").write_text("versions: {1.0: {env: {on: 2024-01-02}}}\n")
    assert load_raw(tmp_path) == {"versions": {"1.0": {"env": {"True": "2024-01-02"}}}}


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("_cm.yaml", "alias: a\ntags: [x\nenv: 1\n", ":3"),
        ("_cm.yaml", "- a\n", ":1"),
        ("_cm.json", '{\n"alias": "a",\n}', ":"),
        ("_cm.json", "", ":1"),
        ("_cm.yaml", b"alias: \xff\xfe\n", ""),
    ],
)
def test_broken_files_are_named_with_their_line(tmp_path: Path, name: str, content: str | bytes, where: str):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ManifestError) as caught:
        load_raw(tmp_path)
    assert caught.value.cause.startswith(f"{tmp_path / name}{where}")
    assert "Traceback" not in caught.value.render()


def test_identity_falls_back_to_the_folder():
    assert script().alias == "x"
    assert script(alias="y", uid="0" * 16, tags=["a", 28]).tags == ("a", "28")
    assert str(script(alias="y")) == "y"


@pytest.mark.parametrize("value", [True, "yes", "True", " on ", 1, "1"])
def test_yes(value: object):
    assert is_yes(value)
    assert script(cache=value, can_force_cache=value).caches


@pytest.mark.parametrize("value", [False, None, "no", "", 0, "off"])
def test_not_yes(value: object):
    assert not is_yes(value)
    assert not script(cache=value).caches


def test_inputs_and_plain_mappings():
    item = script(
        inputs={"device": {"env": "CM_D", "type": "choice", "choices": ["cpu", "cuda"], "default": "cpu"}, "n": "CM_N"},
        input_mapping={"device": "CM_OTHER", "path": "CM_P"},
    )
    device, number, path = item.inputs
    assert (device.env, device.choices, device.default) == ("CM_D", ("cpu", "cuda"), "cpu")
    assert (number.env, path.env) == ("CM_N", "CM_P")


@pytest.mark.parametrize(
    ("item", "given", "reason"),
    [
        (Input("n", "N", "int"), "x", "an integer"),
        (Input("n", "N", "int"), "1.5", "an integer"),
        (Input("n", "N", "float"), "x", "a number"),
        (Input("n", "N", "int", minimum=1), "0", "at least 1"),
        (Input("d", "D", "choice", choices=("cpu", "cuda")), "tpu", "one of cpu, cuda"),
    ],
)
def test_impossible_values_are_refused(item: Input, given: str, reason: str):
    with pytest.raises(ValueError, match=reason):
        item.parse(given)


def test_possible_values_are_kept_as_given():
    assert Input("n", "N", "int", minimum=1).parse("8") == "8"
    assert Input("q", "Q", "float").parse("1e3") == "1e3"


def test_outputs():
    outputs = script(
        outputs={
            "A": {"type": "file", "help": "it"},
            "B": None,
            "C": "int",
            "D": {"optional": "yes", "fact": "os.type"},
        }
    ).outputs
    assert outputs == (
        Output("A", "file", help="it"),
        Output("B"),
        Output("C", "int"),
        Output("D", optional=True, fact="os.type"),
    )


def test_sources():
    sources = script(sources=[{"name": "w", "url": "u", "size": 3, "when": "_full"}, {"when": ["_a", "b"]}]).sources
    assert sources == (Source("w", "u", 3, when=("full",)), Source("", when=("a", "b")))


def test_a_prefixed_repository():
    assert Repo("r", Path("/r"), prefix="cm").script_root == Path("/r/cm/script")
    assert Repo("r", Path("/r")).script_root == Path("/r/script")
