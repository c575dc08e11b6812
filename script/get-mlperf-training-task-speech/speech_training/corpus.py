"""LibriSpeech's tree: part/speaker/chapter with recordings (.flac or .wav) and one list of transcripts per chapter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch

SUFFIXES = (".flac", ".wav")
LISTING = ".trans.txt"


@dataclass(frozen=True)
class Utterance:
    """A recording and what is said in it, in capitals."""

    audio: Path
    text: str


def training_parts(folder: Path) -> list[Utterance]:
    """All parts whose name begins with `train-`; TrainingError where there is none."""
    parts = sorted(part for part in root(folder).glob("train-*") if part.is_dir())
    if not parts:
        cause = f"{folder} has no folder train-*: it is no LibriSpeech tree"
        raise TrainingError("data", cause, "--librispeech_path=FOLDER with train-clean-100, dev-clean …")
    return [utterance for part in parts for utterance in read_part(part)]


def root(folder: Path) -> Path:
    """The folder of the parts: the archives put a folder LibriSpeech around them."""
    inner = folder / "LibriSpeech"
    return inner if inner.is_dir() else folder


def read_part(folder: Path) -> list[Utterance]:
    """All utterances of one part, in the order of their names.

    Raises:
        TrainingError: kind `data`, naming the part without transcripts, the line that is none, or the file not there.
    """
    listings = sorted(folder.rglob(f"*{LISTING}"))
    if not listings:
        raise TrainingError("data", f"{folder} has no transcripts (*{LISTING})", f"ls {folder}")
    return [utterance for listing in listings for utterance in _chapter(listing)]


def _chapter(listing: Path) -> Iterator[Utterance]:
    try:
        lines = listing.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError("data", f"{listing} cannot be read: {error}", f"ls -l {listing}") from error
    for number, line in enumerate(lines, 1):
        name, _, text = line.strip().partition(" ")
        if not text:
            raise TrainingError("data", f"{listing}, line {number}: {line[:60]!r} has no transcript", f"cat {listing}")
        found = [path for suffix in SUFFIXES if (path := listing.parent / f"{name}{suffix}").is_file()]
        if not found:
            cause = f"{listing.parent / name}{SUFFIXES[0]} is missing: {listing.name} names it"
            raise TrainingError("data", cause, "unpack the archive again")
        yield Utterance(found[0], text.upper())


def read_audio(path: Path, rate: int) -> torch.Tensor:
    """Samples in -1 … 1, float32 (n,). Raises TrainingError naming a file that is damaged, empty or of another rate."""
    import soundfile
    import torch

    try:
        samples, found = soundfile.read(path, dtype="float32", always_2d=True)
        announced = soundfile.info(path).frames
    except (OSError, RuntimeError) as error:
        raise TrainingError("data", f"{path} cannot be read: {error}", f"ls -l {path}") from error
    if found != rate:
        raise TrainingError("data", f"{path} has {found} samples per second, not {rate}", "option rate")
    if not len(samples) or len(samples) != announced:
        raise TrainingError("data", f"{path} is empty or cut off: {len(samples)} of {announced} samples", "")
    return torch.from_numpy(samples.mean(axis=1))
