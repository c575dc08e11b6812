"""Promised outputs: checked when a step ends, fingerprinted when cached, re-checked at every reuse."""

import os
from pathlib import Path

import pytest

from cm4bench import outputs as module
from cm4bench.errors import OutputMissing
from cm4bench.manifest import Output
from cm4bench.outputs import Fingerprint, check_outputs, fingerprint_outputs, first_damage, verify_content


@pytest.mark.parametrize(
    ("kind", "value"),
    [("str", "x"), ("int", "3"), ("int", 3), ("float", "1e-3"), ("bool", "yes"), ("file", __file__), ("dir", "/")],
)
def test_kept_promises(kind: str, value: object):
    check_outputs([Output("K", kind)], {"K": value}, "step")


@pytest.mark.parametrize(
    ("kind", "env", "problem"),
    [
        ("file", {}, "did not set K"),
        ("file", {"K": ""}, "did not set K"),
        ("file", {"K": "/nowhere/x"}, "'/nowhere/x', which is not a file"),
        ("file", {"K": "/"}, "not a file"),
        ("dir", {"K": __file__}, "not a folder"),
        ("int", {"K": "three"}, "not a number"),
        ("float", {"K": "x"}, "not a number"),
    ],
)
def test_broken_promises(kind: str, env: dict[str, str], problem: str):
    with pytest.raises(OutputMissing, match=problem) as caught:
        check_outputs([Output("K", kind)], env, "get-x _v")
    assert caught.value.cause.startswith("get-x _v ")


@pytest.mark.parametrize("kind", ["file", "dir"])
def test_a_place_that_may_not_be_looked_at_is_a_broken_promise(monkeypatch: pytest.MonkeyPatch, kind: str):
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refused)
    with pytest.raises(OutputMissing):
        check_outputs([Output("K", kind)], {"K": "/locked/x"}, "step")


def test_an_optional_output_may_be_unset_but_not_wrong():
    check_outputs([Output("K", "file", optional=True)], {}, "step")
    with pytest.raises(OutputMissing):
        check_outputs([Output("K", "file", optional=True)], {"K": "/nowhere/x"}, "step")


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_text("a")
    (tmp_path / "model.bin").write_text("weights")
    return tmp_path


@pytest.fixture
def marks(entry: Path) -> tuple[Fingerprint, ...]:
    env = {"MODEL": str(entry / "model.bin"), "DATA": str(entry / "data"), "NAME": "x", "+PATH": ["/bin"]}
    return fingerprint_outputs([Output("MODEL", "file")], env, entry)


def test_what_is_fingerprinted(entry: Path, marks: tuple[Fingerprint, ...]):
    """Promised paths, and unpromised values that name something inside the entry."""
    assert [(m.key, m.kind, m.size) for m in marks] == [("MODEL", "file", 7), ("DATA", "dir", 1)]
    assert len(marks[0].sha256) == 64
    assert first_damage(marks) == verify_content(marks) == ""


def test_promised_paths_outside_the_entry_count_too(entry: Path):
    env = {"TOOL": "/bin/sh", "OTHER": "/bin/ls"}
    assert [m.key for m in fingerprint_outputs([Output("TOOL", "file")], env, entry)] == ["TOOL"]


def test_a_missing_file(entry: Path, marks: tuple[Fingerprint, ...]):
    (entry / "model.bin").unlink()
    assert first_damage(marks).startswith("MODEL is gone")


def test_a_file_of_another_size(entry: Path, marks: tuple[Fingerprint, ...]):
    (entry / "model.bin").write_text("weights!")
    assert first_damage(marks).startswith("MODEL was changed since")


def test_other_content_of_the_same_size(entry: Path, marks: tuple[Fingerprint, ...]):
    (entry / "model.bin").write_text("WEIGHTS")
    assert first_damage(marks).startswith("MODEL was changed since")


def test_a_touched_file_with_the_same_content_is_fine(entry: Path, marks: tuple[Fingerprint, ...]):
    os.utime(entry / "model.bin", ns=(1, 1))
    assert first_damage(marks) == ""


def test_other_content_behind_an_equal_time_is_found_by_the_thorough_check(entry: Path, marks: tuple[Fingerprint, ...]):
    (entry / "model.bin").write_text("WEIGHTS")
    os.utime(entry / "model.bin", ns=(marks[0].mtime_ns, marks[0].mtime_ns))
    assert first_damage(marks) == ""
    assert verify_content(marks).startswith("MODEL does not have the content it had")


def test_folders_that_vanish_or_are_emptied(entry: Path, marks: tuple[Fingerprint, ...]):
    (entry / "data" / "a").unlink()
    assert first_damage(marks).startswith("DATA is empty now")
    (entry / "data").rmdir()
    assert first_damage(marks).startswith("DATA is gone")


def test_large_files_are_known_by_size_and_time(entry: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_HASHED_BYTES", 3)
    marks = fingerprint_outputs([Output("MODEL", "file")], {"MODEL": str(entry / "model.bin")}, entry)
    assert marks[0].sha256 == ""
    assert first_damage(marks) == ""
    os.utime(entry / "model.bin", ns=(1, 1))
    assert first_damage(marks).startswith("MODEL was changed since")
