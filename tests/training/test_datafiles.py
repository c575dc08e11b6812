"""Prepared data carry their sums."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer import datafiles
from trainer.errors import TrainingError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.bin").write_bytes(b"one")
    (tmp_path / "labels.csv").write_text("1\n")
    datafiles.seal(tmp_path)
    return tmp_path


def test_sealed_data_pass(folder: Path) -> None:
    assert datafiles.verify(folder) == 2


def test_data_without_sums_are_the_users_own(tmp_path: Path) -> None:
    assert datafiles.verify(tmp_path) == 0


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "train" / "a.bin").unlink(), "a.bin is missing"),
        (lambda folder: (folder / "train" / "a.bin").write_bytes(b"on"), "a.bin is damaged"),
        (lambda folder: (folder / "SHA256SUMS").write_text("rubbish\n"), "line 1 is no checksum line"),
        (lambda folder: (folder / "SHA256SUMS").write_text("0" * 64 + "  ../a\n"), "line 1 is no checksum line"),
    ],
)
def test_damage_is_named(folder: Path, damage, words: str) -> None:
    damage(folder)
    with pytest.raises(TrainingError, match=words) as caught:
        datafiles.verify(folder)
    assert caught.value.kind == "data"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is not there"):
        datafiles.verify(tmp_path / "none")


def test_a_folder_appears_sealed_and_in_one_step(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "set"
    debris = out.with_name(".set.partial")
    debris.mkdir(parents=True)
    (debris / "half").touch()
    out.mkdir()
    (out / "old").touch()
    staging = datafiles.stage(out)
    (staging / "new").write_bytes(b"1")
    assert (out / "old").exists()
    datafiles.publish(staging, out)
    assert sorted(path.name for path in out.iterdir()) == ["SHA256SUMS", "new"]
    assert datafiles.verify(out) == 1
    assert not debris.exists()
