"""Private files that may be lost at any time."""

from pathlib import Path

import pytest

from cm4bench.blobfile import read_blob, write_blob


def test_what_is_written_is_read_by_the_same_version(tmp_path: Path):
    file = tmp_path / "new" / "b.bin"
    write_blob(file, 2, {"a": [1, (2.5, "x")]})
    assert read_blob(file, 2) == {"a": [1, (2.5, "x")]}
    assert read_blob(file, 3) is None
    assert [p.name for p in file.parent.iterdir()] == ["b.bin"]


@pytest.mark.parametrize("content", [b"", b"spoilt", b"\x00" * 8, b"i\x01\x00\x00\x00", b"(\x03\x00\x00\x00"])
def test_a_spoilt_file_reads_as_none(tmp_path: Path, content: bytes):
    (tmp_path / "b.bin").write_bytes(content)
    assert read_blob(tmp_path / "b.bin", 1) is None


def test_absence_reads_as_none(tmp_path: Path):
    assert read_blob(tmp_path / "b.bin", 1) is None


def test_a_place_that_cannot_be_written_costs_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("")
    write_blob(tmp_path / "file" / "b.bin", 1, {})


def test_a_full_disk_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    write_blob(tmp_path / "b.bin", 1, {})
    assert list(tmp_path.iterdir()) == []
