"""Put recordings into one array of 16-bit samples, cut or joined as a benchmark wants them.

Writes `audio.npy` (int16, all clips one after the other), `offsets.npy` (int64, clip k is offsets[k]:offsets[k+1]),
`transcripts.json` and `dataset.json` into a folder that appears only when all are complete. For whisper also
`spelling.json`. The samples are LibriSpeech's own 16 bits: nothing is resampled or rounded.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
else:
    Array = Any

RATE = 16000
LONGEST_WHISPER = 30 * RATE
LONGEST_RNNT = 15 * RATE
SILENCE = RATE // 2


@dataclass(frozen=True)
class Utterance:
    """One recording, as get-dataset-librispeech lists it. Only those of one named chapter may be joined."""

    audio: str
    transcript: str
    chapter: str


@dataclass(frozen=True)
class Clip:
    """One sample of the benchmark: recordings to be joined, and what is said in them. `samples` counts the silences."""

    utterances: tuple[Utterance, ...]
    samples: int

    @property
    def transcript(self) -> str:
        """The words of all recordings, with a space between them."""
        return " ".join(utterance.transcript for utterance in self.utterances)


Sized: TypeAlias = "tuple[Utterance, int]"
Preprocessing: TypeAlias = "Callable[[list[Sized]], Iterator[Clip]]"


def joined_to_30_s(sized: list[Sized]) -> Iterator[Clip]:
    """MLPerf's re-packing: fill a clip with a chapter's next recordings, half a second apart, as long as they fit.

    Recordings without a chapter are clips already. One that is itself longer than 30 s is left out, as there.
    """
    for chapter, group in groupby((one for one in sized if one[1] <= LONGEST_WHISPER), key=lambda one: one[0].chapter):
        if chapter:
            yield from _packed(list(group))
        else:
            yield from (Clip((utterance,), samples) for utterance, samples in group)


def _packed(sized: list[Sized]) -> Iterator[Clip]:
    clip = Clip((), -SILENCE)
    for utterance, samples in sized:
        if clip.utterances and clip.samples + SILENCE + samples > LONGEST_WHISPER:
            yield clip
            clip = Clip((), -SILENCE)
        clip = Clip((*clip.utterances, utterance), clip.samples + SILENCE + samples)
    yield clip


def up_to_30_s(sized: list[Sized]) -> Iterator[Clip]:
    """Each recording of at most 30 s by itself: too few are packaged to be joined."""
    yield from (Clip((utterance,), samples) for utterance, samples in sized if samples <= LONGEST_WHISPER)


def up_to_15_s(sized: list[Sized]) -> Iterator[Clip]:
    """Each recording of at most 15 s by itself, as MLPerf's RNN-T takes them."""
    yield from (Clip((utterance,), samples) for utterance, samples in sized if samples <= LONGEST_RNNT)


def main() -> int:
    """Command line entry; 1 with one line on stderr when an input cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--utterances", type=Path, required=True)
    parser.add_argument("--preprocessing", choices=("whisper", "rnnt"), required=True)
    parser.add_argument("--tier", choices=("full", "embedded", "synthetic"), required=True)
    parser.add_argument("--expect", type=int, default=0, help="clips that there must be; 0: any number")
    parser.add_argument("--spelling", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    try:
        convert(parser.parse_args())
    except (OSError, ValueError) as error:
        print(f"cannot preprocess: {error}", file=sys.stderr)
        return 1
    return 0


def convert(options: argparse.Namespace) -> None:
    """Write the folder `options.out`. Raises OSError or ValueError naming the file."""
    utterances = read_utterances(options.utterances)
    choose = preprocessing_of(options.preprocessing, options.tier)
    clips = list(choose([(one, sample_count(options.folder / one.audio)) for one in utterances]))
    if not clips or options.expect not in (0, len(clips)):
        expected = options.expect or "at least 1"
        raise ValueError(f"{options.folder} gives {len(clips)} clips, {expected} are expected: is the set complete?")
    staging = options.out.with_name(f".{options.out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    write_audio(clips, options.folder, staging)
    _write_json(staging / "transcripts.json", [clip.transcript for clip in clips])
    _write_json(staging / "dataset.json", describe(clips, options.preprocessing, options.tier))
    if options.spelling:
        shutil.copyfile(options.spelling, staging / "spelling.json")
    shutil.rmtree(options.out, ignore_errors=True)
    staging.replace(options.out)


def preprocessing_of(name: str, tier: str) -> Preprocessing:
    """How recordings become clips."""
    if name == "rnnt":
        return up_to_15_s
    return up_to_30_s if tier == "embedded" else joined_to_30_s


def read_utterances(path: Path) -> list[Utterance]:
    """The listed recordings; raises ValueError when the list is of another form."""
    try:
        return [Utterance(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is no list of recordings: {error}") from None


def sample_count(path: Path) -> int:
    """Length of a recording in samples; raises ValueError unless it is mono at 16 kHz."""
    import soundfile

    try:
        info = soundfile.info(path)
    except soundfile.SoundFileError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if (info.samplerate, info.channels) != (RATE, 1):
        raise ValueError(f"{path} has {info.channels} channel(s) at {info.samplerate} Hz, expected 1 at {RATE} Hz")
    return int(info.frames)


def write_audio(clips: list[Clip], folder: Path, out: Path) -> None:
    """Write audio.npy and offsets.npy; a whole development set (1.9 GB) need not fit into memory."""
    import numpy as np

    offsets = np.cumsum([0, *(clip.samples for clip in clips)], dtype=np.int64)
    audio = np.lib.format.open_memmap(out / "audio.npy", mode="w+", dtype=np.int16, shape=(int(offsets[-1]),))
    for clip, start in zip(clips, offsets[:-1].tolist(), strict=True):
        at = start
        for utterance in clip.utterances:
            samples = read_samples(folder / utterance.audio)
            audio[at : at + len(samples)] = samples
            at += len(samples) + SILENCE
    audio.flush()
    np.save(out / "offsets.npy", offsets)


def read_samples(path: Path) -> Array:
    """The recording as int16; raises ValueError naming a file that cannot be decoded to its end."""
    import soundfile

    try:
        samples, _ = soundfile.read(path, dtype="int16")
    except soundfile.SoundFileError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if len(samples) != sample_count(path):
        raise ValueError(f"{path} is cut off: {len(samples)} of {sample_count(path)} samples")
    return samples


def describe(clips: list[Clip], preprocessing: str, tier: str) -> dict[str, Any]:
    """The contents of dataset.json."""
    return {
        "schema": 1,
        "name": f"librispeech {preprocessing}",
        "tier": tier,
        "count": len(clips),
        "sample_rate": RATE,
        "longest": max(clip.samples for clip in clips),
    }


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
