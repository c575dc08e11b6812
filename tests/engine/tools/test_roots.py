"""Paths by name: there and back again, on another host."""

from pathlib import Path

from cm4bench import Repo
from cm4bench.tools.roots import Roots


def roots(base: Path) -> Roots:
    return Roots(base / "CM", [Repo("mine", base / "clone")], base / "here")


def test_folders_get_names(tmp_path: Path):
    here = roots(tmp_path)
    assert here.portable(f"{tmp_path}/clone/script/x") == "{repo:mine}/script/x"
    assert here.portable(f"--in={tmp_path}/here/a:{tmp_path}/CM/b") == "--in={cwd}/a:{home}/b"


def test_a_longer_name_is_not_taken_for_the_folder(tmp_path: Path):
    assert roots(tmp_path).portable(f"{tmp_path}/clone-2/x").endswith("/clone-2/x")


def test_cache_entries_lose_their_identity(tmp_path: Path):
    path = f"{tmp_path}/CM/repos/local/cache/0123456789abcdef/data.bin"
    assert roots(tmp_path).portable(path) == "{cache}/{entry}/data.bin"


def test_on_another_host(tmp_path: Path):
    there = roots(tmp_path / "elsewhere")
    moved = there.local_data(roots(tmp_path).portable_data({"p": [f"{tmp_path}/here/x.npy"], "n": 1}))
    assert moved == {"p": [f"{tmp_path}/elsewhere/here/x.npy"], "n": 1}


def test_the_root_folder_is_no_name(tmp_path: Path):
    assert Roots(tmp_path, [], Path("/")).portable("/etc/hosts") == "/etc/hosts"
