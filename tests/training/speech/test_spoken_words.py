"""The data set of spoken words: what is written, that it repeats, and what is said of a damaged recording."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.workbench import ROOT

from trainer.datafiles import SUMS, verify

soundfile = pytest.importorskip("soundfile")

SCRIPT = ROOT / "script" / "get-dataset-spoken-words"
RATE = 8000


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A tone for every word."""
    folder = tmp_path / "sounds"
    for number, name in enumerate(json.loads((SCRIPT / "words.json").read_text())):
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        tone = np.sin(np.arange(RATE // 4) * (0.1 + number / 50))
        soundfile.write(path, np.concatenate([np.zeros(200), tone, np.zeros(300)]), RATE, subtype="PCM_16")
    return folder


def compose(recordings: Path, out: Path, **options: int) -> subprocess.CompletedProcess[str]:
    counts = {"train": 6, "evaluation": 3} | options
    command = [sys.executable, str(SCRIPT / "compose.py"), "--recordings", str(recordings), "--out", str(out)]
    command += [f"--{name}={value}" for name, value in counts.items()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "script" / "app-mlperf-training")}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_a_librispeech_tree_with_sums(recordings: Path, tmp_path: Path) -> None:
    done = compose(recordings, tmp_path / "words")
    assert done.returncode == 0, done.stderr
    words = set(json.loads((SCRIPT / "words.json").read_text()).values())
    for part, count in (("train-words", 6), ("dev-words", 3)):
        chapter = tmp_path / "words" / part / "1" / "0"
        lines = (chapter / "1-0.trans.txt").read_text().splitlines()
        assert len(lines) == count
        for line in lines:
            name, *said = line.split()
            assert 1 <= len(said) <= 3 and set(said) <= words
            samples, rate = soundfile.read(chapter / f"{name}.wav")
            assert rate == RATE and 0.2 < len(samples) / RATE < 3
    assert verify(tmp_path / "words") == 11


def test_a_seed_gives_the_same_bytes(recordings: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert compose(recordings, tmp_path / name, seed=seed).returncode == 0
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert files(tmp_path / "a")[SUMS] != files(tmp_path / "c")[SUMS]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "digits/7.wav"),
        (lambda path: os.truncate(path, 0), "digits/7.wav"),
        (lambda path: os.truncate(path, 1000), "digits/7.wav"),
        (lambda path: soundfile.write(path, np.zeros(9), 16000, subtype="PCM_16"), "digits/7.wav has (channels"),
        (lambda path: soundfile.write(path, np.zeros(900), RATE, subtype="PCM_16"), "digits/7.wav is silent"),
    ],
)
def test_a_damaged_recording_is_named_in_one_line(
    recordings: Path, tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(recordings / "digits" / "7.wav")
    done = compose(recordings, tmp_path / "words")
    assert done.returncode == 1
    assert done.stderr.startswith("cannot make the utterances: ") and done.stderr.count("\n") == 1
    assert words in done.stderr
    assert not (tmp_path / "words").exists()


def test_every_word_is_spoken_and_spelt_with_librispeechs_letters() -> None:
    assert importlib.util.find_spec("speech_training")
    from speech_training.alphabet import CHARACTERS

    table = json.loads((SCRIPT / "words.json").read_text())
    assert len(set(table.values())) == len(table) == 35
    assert set("".join(table.values())) <= set(CHARACTERS)
