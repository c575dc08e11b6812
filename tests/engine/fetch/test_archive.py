"""Archives: real ones are unpacked, hostile ones are refused before anything is written."""

import io
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm4bench.fetch import disk
from cm4bench.fetch.archive import ArchiveError, Member, check_members, is_archive, unpack
from cm4bench.fetch.disk import DiskFull

FILES = {"top.txt": b"top", "data/a.jpg": b"a" * 1000, "data/deep/b.jpg": b"b"}


def make_zip(path, files=FILES, *, modes=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return path


def make_tar(path, files=FILES, *, extra=(), mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return path


def tar_entry(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def make_deb(path, compression="xz"):
    data = make_tar(path.with_suffix(".data"), mode=f"w:{compression}").read_bytes()
    with path.open("wb") as deb:
        deb.write(b"!<arch>\n")
        for name, content in (
            ("debian-binary", b"2.0\n"),
            ("control.tar.xz", b"odd"),
            (f"data.tar.{compression}", data),
        ):
            deb.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
            deb.write(content + b"\n" * (len(content) % 2))
    return path


def content(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.zip", make_zip),
        ("a.whl", make_zip),
        ("a.tar", lambda p: make_tar(p, mode="w")),
        ("a.tar.gz", make_tar),
        ("a.tgz", make_tar),
        ("a.tar.bz2", lambda p: make_tar(p, mode="w:bz2")),
        ("a.tar.xz", lambda p: make_tar(p, mode="w:xz")),
        ("a.deb", make_deb),
        ("b.deb", lambda p: make_deb(p, "gz")),
    ],
)
def test_every_kind(tmp_path, name, make):
    archive = make(tmp_path / name)
    assert is_archive(name)
    assert content(unpack(archive, tmp_path / "out")) == FILES
    assert archive.exists()


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
def test_deb_of_dpkg_itself(tmp_path):
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: m\nDescription: d\n"
    )
    (root / "usr").mkdir()
    (root / "usr" / "file").write_text("x")
    for compression in ("xz", "zstd"):
        target = tmp_path / f"{compression}.deb"
        done = subprocess.run(["dpkg-deb", f"-Z{compression}", "-b", root, target], capture_output=True, check=False)
        if done.returncode == 0:
            assert (unpack(target, tmp_path / compression) / "usr" / "file").read_text() == "x"


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "C:\\evil", "\\evil"])
def test_members_that_leave_the_folder(tmp_path, make, name):
    archive = make(tmp_path / ("a.zip" if make is make_zip else "a.tar.gz"), {**FILES, name: b"evil"})
    with pytest.raises(ArchiveError, match="refused") as caught:
        unpack(archive, tmp_path / "in" / "out")
    assert "evil" in caught.value.cause
    assert list((tmp_path / "in").iterdir()) == []
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    "entries",
    [
        [tar_entry("l", tarfile.SYMTYPE, "/etc")],
        [tar_entry("l", tarfile.SYMTYPE, "../x")],
        [tar_entry("d/l", tarfile.SYMTYPE, "../../x")],
        [tar_entry("l", tarfile.SYMTYPE, "l")],
        [tar_entry("d/a", tarfile.SYMTYPE, ".."), tar_entry("l", tarfile.SYMTYPE, "d/a/..")],
        [tar_entry("l", tarfile.LNKTYPE, "../x")],
        [tar_entry("l", tarfile.LNKTYPE, "/etc/passwd")],
        [tar_entry("s", tarfile.SYMTYPE, "data"), tar_entry("s/file", tarfile.REGTYPE)],
        [tar_entry("fifo", tarfile.FIFOTYPE)],
        [tar_entry("null", tarfile.CHRTYPE)],
        [tar_entry("sda", tarfile.BLKTYPE)],
    ],
    ids=lambda entries: entries[-1].name + ":" + entries[-1].linkname,
)
def test_links_and_devices(tmp_path, entries):
    archive = make_tar(tmp_path / "a.tar.gz", extra=entries)
    with pytest.raises(ArchiveError, match="refused"):
        unpack(archive, tmp_path / "in" / "out")
    assert list((tmp_path / "in").iterdir()) == []


def test_links_inside_are_kept(tmp_path):
    links = [tar_entry("l", tarfile.SYMTYPE, "data/a.jpg"), tar_entry("data/up", tarfile.SYMTYPE, "../top.txt")]
    out = unpack(make_tar(tmp_path / "a.tar.gz", extra=links), tmp_path / "out")
    assert (out / "l").read_bytes() == FILES["data/a.jpg"]
    assert (out / "data" / "up").read_bytes() == b"top"


def test_zip_links_are_judged_too(tmp_path):
    modes = {"l": stat.S_IFLNK | 0o777}
    out = unpack(make_zip(tmp_path / "a.zip", {**FILES, "l": b"top.txt"}, modes=modes), tmp_path / "out")
    assert (out / "l").is_symlink()
    assert (out / "l").read_bytes() == b"top"
    hostile = make_zip(tmp_path / "b.zip", {"l": b"../../etc"}, modes=modes)
    with pytest.raises(ArchiveError, match="refused"):
        unpack(hostile, tmp_path / "out2")


def test_executables_stay_executable(tmp_path):
    modes = {"top.txt": stat.S_IFREG | 0o755}
    out = unpack(make_zip(tmp_path / "a.zip", modes=modes), tmp_path / "out")
    assert os.access(out / "top.txt", os.X_OK)
    assert not os.access(out / "data" / "a.jpg", os.X_OK)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_only_some_members(tmp_path, make):
    archive = make(tmp_path / ("a.zip" if make is make_zip else "a.tar.gz"))
    assert set(content(unpack(archive, tmp_path / "out", include=["data/*.jpg"]))) == {"data/a.jpg", "data/deep/b.jpg"}
    with pytest.raises(ArchiveError, match="no member like"):
        unpack(archive, tmp_path / "out2", include=["*.png"])
    assert not (tmp_path / "out2").exists()


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.xz", "a.tar", "a.deb"])
@pytest.mark.parametrize("damage", ["cut", "garbage", "empty"])
def test_damaged_archives(tmp_path, name, damage):
    makers = {"a.zip": make_zip, "a.deb": make_deb, "a.tar": lambda p: make_tar(p, mode="w")}
    make = makers.get(name, lambda p: make_tar(p, mode="w:" + name.rpartition(".")[2]))
    archive = make(tmp_path / name)
    whole = archive.read_bytes()
    cut = 700 if name == "a.tar" else len(whole) // 2
    archive.write_bytes({"cut": whole[:cut], "garbage": b"\x01not an archive" * 99, "empty": b""}[damage])
    with pytest.raises(ArchiveError):
        unpack(archive, tmp_path / "in" / "out")
    assert not (tmp_path / "in" / "out").exists()


def test_encrypted_zip(tmp_path):
    archive = make_zip(tmp_path / "a.zip")
    raw = bytearray(archive.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # the "encrypted" bit in the central directory
    raw[6] |= 1
    archive.write_bytes(bytes(raw))
    with pytest.raises(ArchiveError, match="cannot be read"):
        unpack(archive, tmp_path / "out")


def test_failure_in_the_middle_leaves_nothing(tmp_path, monkeypatch):
    archive, real = make_zip(tmp_path / "a.zip"), zipfile.ZipFile.extract
    done = []

    def extract(self, member, path=None, pwd=None):
        if done:
            raise zipfile.BadZipFile("bad CRC")
        done.append(member)
        return real(self, member, path, pwd)

    monkeypatch.setattr(zipfile.ZipFile, "extract", extract)
    with pytest.raises(ArchiveError, match="bad CRC"):
        unpack(archive, tmp_path / "in" / "out")
    assert done
    assert list((tmp_path / "in").iterdir()) == []


def test_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(DiskFull):
        unpack(make_zip(tmp_path / "a.zip"), tmp_path / "in" / "out")
    assert list((tmp_path / "in").iterdir()) == []


def test_never_into_a_full_folder(tmp_path):
    archive = make_zip(tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match="not empty"):
        unpack(archive, tmp_path)
    (tmp_path / "empty").mkdir()
    assert content(unpack(archive, tmp_path / "empty")) == FILES


def test_unknown_kind_and_missing_file(tmp_path):
    (tmp_path / "a.rar").write_bytes(b"x")
    with pytest.raises(ArchiveError, match="no archive of a known kind"):
        unpack(tmp_path / "a.rar", tmp_path / "out")
    with pytest.raises(ArchiveError, match="no such archive"):
        unpack(tmp_path / "b.zip", tmp_path / "out")


PART = st.sampled_from(["a", "b", "..", ".", "", "c d", "ü"])
NAME = st.builds(
    lambda lead, parts: lead + "/".join(parts), st.sampled_from(["", "/", "\\"]), st.lists(PART, min_size=1)
)


@given(name=NAME)
def test_accepted_names_stay_inside(name):
    """Whatever is accepted is, by the operating system's own reckoning, inside the folder."""
    try:
        check_members([Member(name, "file")], "x")
    except ArchiveError:
        return
    assert not PurePosixPath(name).is_absolute()
    assert os.path.normpath("/root/" + name).startswith("/root")


LINKS = st.dictionaries(
    st.sampled_from(["l", "m", "d/l", "d/m", "d/e/l"]),
    st.lists(st.sampled_from(["l", "m", "d", "e", "..", "."]), min_size=1, max_size=5).map("/".join),
    min_size=1,
)


@given(links=LINKS)
def test_accepted_links_stay_inside(links, tmp_path_factory):
    """Links that are accepted are made for real; following them must end inside the folder."""
    try:
        check_members([Member(name, "link", 0, target) for name, target in links.items()], "x")
    except ArchiveError:
        return
    root = tmp_path_factory.mktemp("root")
    for name, target in links.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    for name in links:
        assert Path(os.path.realpath(root / name)).is_relative_to(os.path.realpath(root))
