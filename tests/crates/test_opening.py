"""A crate from a stranger: it may not write or read outside, fill the disk, or pass for a crate when it is none."""

import tarfile
from pathlib import Path

import pytest

from cm4bench_crates import opening
from cm4bench_crates.errors import CrateError
from cm4bench_crates.opening import opened

from .forging import tar_with, zip_with


def refused(path: Path) -> str:
    with pytest.raises(CrateError) as caught, opened(path):
        pass
    assert caught.value.hint
    return caught.value.cause


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil-of-a-crate", "a/../../evil", "..\\evil"])
def test_names_that_lead_out(tmp_path: Path, name: str):
    for archive in (zip_with(tmp_path / "c.zip", name), tar_with(tmp_path / "c.tar.gz", tarfile.TarInfo(name))):
        assert "refused to unpack" in refused(archive)
    assert not Path("/tmp/evil-of-a-crate").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"c.zip", "c.tar.gz"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_out_and_pipes(tmp_path: Path, kind: bytes):
    member = tarfile.TarInfo("results")
    member.type, member.linkname = kind, "../../etc"
    assert "refused to unpack" in refused(tar_with(tmp_path / "c.tgz", member))


def test_a_link_out_of_a_folder(tmp_path: Path):
    folder = tmp_path / "crate"
    folder.mkdir()
    (folder / "ro-crate-metadata.json").write_text("{}")
    (folder / "log").symlink_to("/etc/hostname")
    assert refused(folder) == "log is a link that leads out of the crate"


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str):
    monkeypatch.setattr(opening, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(opening, "unpack", lambda *_: pytest.fail("was unpacked"))
    zeros = bytes(2 << 20)
    if form == "zip":
        archive = zip_with(tmp_path / "c.zip", "zeros", zeros)
    else:
        archive = tar_with(tmp_path / "c.tar.gz", tarfile.TarInfo("zeros"), zeros)
    assert archive.stat().st_size < 10_000
    assert "would unpack to more than" in refused(archive)


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opening, "MOST_FILES", 0)
    assert "would unpack to more than" in refused(zip_with(tmp_path / "c.zip", "one"))


@pytest.mark.parametrize("name", ["c.zip", "c.tar.gz", "c.txt"])
def test_what_is_no_archive(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"PK\x03\x04 not really")
    assert name in refused(tmp_path / name)


def test_what_is_no_crate(tmp_path: Path):
    assert "is no RO-Crate" in refused(zip_with(tmp_path / "c.zip", "readme.txt"))
    assert "is not there" in refused(tmp_path / "missing.zip")


def test_a_folder_around_the_crate(tmp_path: Path):
    with opened(zip_with(tmp_path / "c.zip", "around/ro-crate-metadata.json")) as folder:
        assert folder.name == "around"
