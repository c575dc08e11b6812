"""Make utterances of recorded words, in LibriSpeech's layout: train-words and dev-words with speaker/chapter/*.wav.

Each utterance is a random sequence of words; each word is one recording, played faster or slower and louder or softer,
with silence around it and noise over all. There is one recording of each word, by one speaker: the evaluation has other
sequences and other distortions than the training, but the same recordings.
"""

from __future__ import annotations

import argparse
import json
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Samples: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
    Random: TypeAlias = np.random.Generator
else:
    Samples = Random = Any

RATE = 8000
WORDS = Path(__file__).parent / "words.json"
FEWEST, MOST = 1, 3  # words per utterance
SLOWEST, FASTEST = 0.85, 1.15
SOFTEST_DB, LOUDEST_DB = -10.0, 3.0
NOISE_DB = (15.0, 35.0)  # speech over noise
GAP_S = (0.02, 0.15)
SPEAKER = 1
PER_CHAPTER = 100
QUIET = 0.02  # of the peak: less at the ends of a recording is cut off


@dataclass(frozen=True)
class Utterance:
    """Samples in -1 … 1 at RATE, and the words in them."""

    samples: Samples
    words: tuple[str, ...]


def recordings(folder: Path, table: dict[str, str]) -> dict[str, Samples]:
    """Word → samples without the silence at both ends. Raises ValueError naming a file that is not as expected."""
    return {word: _trimmed(folder / f"{name}.wav") for name, word in table.items()}


def _read(path: Path) -> Samples:
    import numpy as np

    try:
        with wave.open(str(path), "rb") as file:
            kind = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            data, frames = file.readframes(file.getnframes()), file.getnframes()
    except (OSError, EOFError, wave.Error) as error:
        raise ValueError(f"{path}: {error or 'ends too early'}") from error
    if kind != (1, 2, RATE):
        raise ValueError(f"{path} has (channels, bytes, rate) {kind}, not {(1, 2, RATE)}")
    if len(data) != 2 * frames or not frames:
        raise ValueError(f"{path} is cut off: {len(data) // 2} of {frames} samples")
    samples: Samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
    return samples


def _trimmed(path: Path) -> Samples:
    import numpy as np

    samples = _read(path)
    loud = np.flatnonzero(np.abs(samples) > QUIET * np.abs(samples).max())
    if not len(loud):
        raise ValueError(f"{path} is silent")
    return samples[loud[0] : loud[-1] + 1]


def utterance(spoken: dict[str, Samples], random: Random) -> Utterance:
    """A new sequence of words, distorted."""
    import numpy as np

    words = tuple(str(word) for word in random.choice(sorted(spoken), random.integers(FEWEST, MOST + 1)))
    parts = [_gap(random)]
    for word in words:
        parts += [_played(spoken[word], random.uniform(SLOWEST, FASTEST)), _gap(random)]
    samples = np.concatenate(parts)
    power = float(np.square(samples).mean())
    noise = random.normal(0.0, np.sqrt(power * 10 ** (-random.uniform(*NOISE_DB) / 10)), len(samples))
    gain = 10 ** (random.uniform(SOFTEST_DB, LOUDEST_DB) / 20)
    return Utterance(((samples + noise) * gain).astype(np.float32).clip(-1, 1), words)


def _gap(random: Random) -> Samples:
    import numpy as np

    return np.zeros(int(RATE * random.uniform(*GAP_S)), np.float32)


def _played(samples: Samples, speed: float) -> Samples:
    """At another speed, which changes the pitch too, as on a tape."""
    import numpy as np

    places = np.arange(0, len(samples) - 1, speed)
    played: Samples = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return played


def write(folder: Path, utterances: list[Utterance]) -> None:
    """One set: chapters of PER_CHAPTER utterances, each with its list of transcripts."""
    for start in range(0, len(utterances), PER_CHAPTER):
        number = start // PER_CHAPTER
        chapter = folder / str(SPEAKER) / str(number)
        chapter.mkdir(parents=True)
        lines = []
        for index, one in enumerate(utterances[start : start + PER_CHAPTER]):
            name = f"{SPEAKER}-{number}-{index:04d}"
            _write_wave(chapter / f"{name}.wav", one.samples)
            lines.append(f"{name} {' '.join(one.words)}\n")
        (chapter / f"{SPEAKER}-{number}.trans.txt").write_text("".join(lines), encoding="utf-8")


def _write_wave(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, len(samples), "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def compose(source: Path, train: int, evaluation: int, seed: int, out: Path) -> None:
    """Write both sets and their sums; ``out`` appears when all is complete. Raises OSError or ValueError."""
    import numpy as np

    from trainer.datafiles import publish, stage

    spoken = recordings(source, json.loads(WORDS.read_text(encoding="utf-8")))
    staging = stage(out)
    for number, (name, count) in enumerate((("train-words", train), ("dev-words", evaluation))):
        random = np.random.default_rng([seed, number])
        write(staging / name, [utterance(spoken, random) for _ in range(count)])
    publish(staging, out)


def main() -> int:
    """Command line entry; 1 with one line on stderr when a recording cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recordings", type=Path, required=True, help="folder with digits/0.wav and so on")
    parser.add_argument("--train", type=int, required=True)
    parser.add_argument("--evaluation", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if min(options.train, options.evaluation) < 1:
        parser.error(f"--train and --evaluation must be at least 1, not {options.train} and {options.evaluation}")
    try:
        compose(options.recordings, options.train, options.evaluation, options.seed, options.out)
    except (OSError, ValueError) as error:
        print(f"cannot make the utterances: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
