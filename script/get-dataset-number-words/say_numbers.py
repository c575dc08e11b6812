"""Write lines of three to six numbers in English words and the same in German, as WMT lays its pairs out.

The languages differ in order ("twenty-one", "einundzwanzig") and in what is one word. No line of the test is also a
line for training. The folder appears only when all of it is there.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

from translation_training.vocabulary import train

from trainer.datafiles import publish, stage

LARGEST = 99
PER_LINE = (3, 6)
TEST_LINES = 120
PIECES = 400

Line = tuple[int, ...]


def draw_lines(count: int, rng: random.Random) -> list[Line]:
    """``count`` different lines."""
    found: dict[Line, None] = {}
    while len(found) < count:
        found[tuple(rng.randint(0, LARGEST) for _ in range(rng.randint(*PER_LINE)))] = None
    return list(found)


def say(lines: list[Line], language: str) -> str:
    """One line of words per line of numbers."""
    from num2words import num2words

    words = [num2words(number, lang=language) for number in range(LARGEST + 1)]
    return "".join(" ".join(words[number] for number in line) + "\n" for line in lines)


def main() -> int:
    """Command line entry; 1 with one line on stderr when the lines cannot be written."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        staging = stage(options.out)
        lines = draw_lines(options.pairs + TEST_LINES, random.Random(options.seed))
        for name, chosen in (("train", lines[TEST_LINES:]), ("newstest", lines[:TEST_LINES])):
            for language in ("en", "de"):
                (staging / f"{name}.{language}").write_text(say(chosen, language), encoding="utf-8")
        train([staging / "train.en", staging / "train.de"], PIECES, staging)
        publish(staging, options.out)
    except (OSError, ImportError) as error:
        print(f"cannot write the numbers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
