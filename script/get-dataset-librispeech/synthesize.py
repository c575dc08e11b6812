"""Write seeded noise as 16-bit wav files at 16 kHz, with transcripts in LibriSpeech's own form."""

from __future__ import annotations

import argparse
import wave
from pathlib import Path

RATE = 16000
SHORTEST_S, LONGEST_S = 2.0, 15.0
WORDS = "a the of and to in that he was it his with had not as on at by her which for be from they".upper().split()
WORDS_PER_SECOND = 2.7  # as in LibriSpeech's dev sets


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.count < 1:
        parser.error(f"--count must be at least 1, not {options.count}")
    synthesize(options.folder, options.count, options.seed)


def synthesize(folder: Path, count: int, seed: int) -> None:
    """`count` recordings of 2 to 15 seconds in chapter 0-0; the same seed gives the same bytes."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    lines = []
    for index in range(count):
        seconds = random.uniform(SHORTEST_S, LONGEST_S)
        noise = random.normal(0.0, 1000.0, int(seconds * RATE)).clip(-32768, 32767).astype("<i2")
        name = f"0-0-{index:04d}"
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, len(noise), "NONE", ""))
            file.writeframes(noise.tobytes())
        lines.append(f"{name} {' '.join(random.choice(WORDS, int(seconds * WORDS_PER_SECOND)))}\n")
    (folder / "0-0.trans.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
