"""Sentences of film reviews with mean ratings, written as SST-2 or as IMDB: rated clearly, split with a fixed seed.

Like SST-2, sentences that people found neither good nor bad are left out. One in ten is kept for evaluation. The
folder appears only when all of it is there, with the sums of its files.
"""

from __future__ import annotations

import argparse
import random
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from trainer.datafiles import publish, stage

MEMBER = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
CLEAR = 0.5  # on the scale from -4 to 4: nearer to 0 is neutral
HELD_OUT = 10  # one in so many
COUNT = "train.count"


@dataclass(frozen=True)
class Snippet:
    """A sentence and its mean rating, -4 (very negative) to 4."""

    text: str
    rating: float

    @property
    def positive(self) -> bool:
        """SST-2's label."""
        return self.rating > 0

    @property
    def stars(self) -> int:
        """IMDB's scale: 7 to 10 stars are positive, 1 to 4 negative."""
        step = min(3, int(abs(self.rating)))
        return 7 + step if self.positive else 4 - step


def read(archive: Path) -> list[Snippet]:
    """All clearly rated sentences in file order. Raises OSError or ValueError naming what cannot be used."""
    try:
        with tarfile.open(archive) as opened:
            member = opened.extractfile(MEMBER)
            lines = member.read().decode("utf-8").splitlines() if member else []
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise ValueError(f"{archive}: {error}") from error
    snippets = [_snippet(line, f"{MEMBER}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    clear = [one for one in snippets if abs(one.rating) >= CLEAR]
    if len(clear) < 2 * HELD_OUT:
        raise ValueError(f"{archive}: {len(clear)} clearly rated sentences, too few to hold some out")
    return clear


def _snippet(line: str, place: str) -> Snippet:
    try:
        _, rating, text = line.split("\t", 2)
        return Snippet(" ".join(text.split()), float(rating))
    except ValueError as error:
        raise ValueError(f"{place} is not number, rating and sentence: {line[:60]!r}") from error


def split(snippets: list[Snippet], seed: int = 0) -> tuple[list[Snippet], list[Snippet]]:
    """For training and for evaluation."""
    mixed = snippets.copy()
    random.Random(seed).shuffle(mixed)
    cut = len(mixed) // HELD_OUT
    return mixed[cut:], mixed[:cut]


def write_sst2(folder: Path, train: list[Snippet], held_out: list[Snippet]) -> None:
    """train.tsv and dev.tsv: a header, then sentence and label."""
    for name, snippets in (("train.tsv", train), ("dev.tsv", held_out)):
        rows = [f"{one.text}\t{int(one.positive)}\n" for one in snippets]
        (folder / name).write_text("sentence\tlabel\n" + "".join(rows), encoding="utf-8")


def write_imdb(folder: Path, train: list[Snippet], held_out: list[Snippet]) -> None:
    """aclImdb/train/pos/NUMBER_STARS.txt and so on: one file per sentence."""
    for name, snippets in (("train", train), ("test", held_out)):
        for label in ("pos", "neg"):
            (folder / "aclImdb" / name / label).mkdir(parents=True)
        for number, one in enumerate(snippets):
            label = "pos" if one.positive else "neg"
            (folder / "aclImdb" / name / label / f"{number}_{one.stars}.txt").write_text(one.text, encoding="utf-8")


LAYOUTS = {"sst2": write_sst2, "imdb": write_imdb}


def main() -> int:
    """Command line entry; 1 with one line on stderr when the archive cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--layout", choices=sorted(LAYOUTS), required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        train, held_out = split(read(options.archive))
        staging = stage(options.out)
        LAYOUTS[options.layout](staging, train, held_out)
        (staging / COUNT).write_text(f"{len(train)}\n", encoding="utf-8")
        publish(staging, options.out)
    except (OSError, ValueError) as error:
        print(f"cannot sort the sentences: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
