"""Recipes: what a script directory can read and write, and when it counts as edited."""

from pathlib import Path

import pytest

from cm4bench.recipe import Recipe, RecipeBook, read_recipe


def recipe(folder: Path, **files: str) -> Recipe:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return read_recipe(folder, sorted(p.name for p in folder.iterdir()))


def hook(*lines: str) -> str:
    return "def preprocess(i):\n    env = i['env']\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("env['CM_X'] = 1", "CM_X"),
        ("i['env']['CM_X'] = 1", "CM_X"),
        ("env.setdefault('CM_X', 1)", "CM_X"),
        ("env.pop('CM_X', None)", "CM_X"),
        ("del env['CM_X']", "CM_X"),
        ("env.update({'CM_X': 1})", "CM_X"),
        ("env.update(CM_X=1)", "CM_X"),
        ("env['CM_X'] += 'a'", "CM_X"),
    ],
)
def test_writes_of_python(tmp_path: Path, line: str, written: str):
    assert written in recipe(tmp_path, customize__py=hook(line)).writes


def test_reading_is_not_writing(tmp_path: Path):
    read = recipe(tmp_path, customize__py=hook("x = env['CM_X'] + env.get('CM_Y')"))
    assert not {"CM_X", "CM_Y"} & read.writes
    assert read.may_read("CM_X")
    assert read.may_read("CM_Y")


@pytest.mark.parametrize("line", ["env[name()] = 'CM_X'", "env.update(others('CM_X'))", "env.setdefault(k, 'CM_X')"])
def test_a_key_made_at_run_time_may_be_any_mentioned_one(tmp_path: Path, line: str):
    assert "CM_X" in recipe(tmp_path, customize__py=hook(line)).writes


def test_broken_python_may_write_all_it_mentions(tmp_path: Path):
    broken = recipe(tmp_path, customize__py="def preprocess(i:\n  CM_X")
    assert "CM_X" in broken.writes
    assert broken.hooks == {"preprocess", "postprocess"}


def test_writes_of_shell(tmp_path: Path):
    shell = recipe(tmp_path, run__sh='echo "CM_OUT=$CM_IN" >> tmp-run-env.out\n')
    assert "CM_OUT" in shell.writes
    assert "CM_IN" not in shell.writes
    assert shell.may_read("CM_IN")
    assert shell.natives == {"run.sh"}


def test_manifest_keys_are_read_not_written(tmp_path: Path):
    manifest = recipe(tmp_path, _cm__yaml="env: {CM_A: '<<<CM_B>>>'}\n")
    assert manifest.may_read("CM_B")
    assert not manifest.writes
    assert not manifest.has_code


def test_names_built_from_a_beginning(tmp_path: Path):
    built = recipe(tmp_path, customize__py=hook("x = env['CM_DATASET_' + name]"))
    assert built.may_read("CM_DATASET_PATH")
    assert not built.may_read("CM_DATA")


def test_hooks(tmp_path: Path):
    text = "def preprocess(i): pass\ndef detect_version(i): pass\ndef helper(): pass\n"
    assert recipe(tmp_path, customize__py=text).hooks == {"preprocess", "detect_version"}


def test_content_and_names_make_the_hash(tmp_path: Path):
    first = recipe(tmp_path, a__txt="1").sha256
    assert recipe(tmp_path, a__txt="2").sha256 != first
    assert recipe(tmp_path, a__txt="1").sha256 == first
    assert recipe(tmp_path, b__txt="").sha256 != first


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "script"
    (path / "src").mkdir(parents=True)
    (path / "_cm.yaml").write_text("alias: a\n")
    (path / "src" / "x.c").write_text("int x;\n")
    return path


def sha(folder: Path, tmp_path: Path) -> str:
    book = RecipeBook(tmp_path / "recipes.bin")
    found = book[folder].sha256
    book.save()
    return found


@pytest.mark.parametrize("name", ["_cm.yaml", "src/x.c", "new.sh"])
def test_an_edited_file_is_another_recipe(folder: Path, tmp_path: Path, name: str):
    before = sha(folder, tmp_path)
    (folder / name).write_text("something else\n")
    assert sha(folder, tmp_path) != before


@pytest.mark.parametrize("name", ["README.md", "tmp-run.sh", "__pycache__/a.py", "docs/a.txt", "x.pyc", "a.log"])
def test_by_products_do_not_count(folder: Path, tmp_path: Path, name: str):
    before = sha(folder, tmp_path)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("something\n")
    assert sha(folder, tmp_path) == before


def test_unchanged_recipes_are_not_read_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = sha(folder, tmp_path)
    monkeypatch.setattr("cm4bench.recipe.read_recipe", None)
    assert sha(folder, tmp_path) == before


def test_a_spoilt_book_is_made_anew(folder: Path, tmp_path: Path):
    before = sha(folder, tmp_path)
    (tmp_path / "recipes.bin").write_bytes(b"spoilt")
    assert sha(folder, tmp_path) == before
