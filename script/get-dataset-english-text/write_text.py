"""Write Python's language reference as C4 and as MLPerf's Wikipedia are laid out, each with a vocabulary and sums.

Paragraphs that occur under several topics are kept once, so that no held-out text is also trained on. A document is a
run of paragraphs of one topic; every tenth is held out. The folder appears only when all of it is there.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from language_training.vocabulary import train_bpe, train_wordpiece

from trainer.datafiles import seal

DOCUMENT = 1500  # characters, at least
HELD_OUT = 10  # one document in so many
BPE_PIECES, WORDPIECES = 2000, 1000
_UNDERLINE = re.compile(r"^[*=\-~^]{3,}\n?", re.MULTILINE)  # of headings: dozens of equal characters, easily guessed
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"(])")


def documents() -> list[str]:
    """Runs of paragraphs from the topics of Python's help(), in alphabetic order of the topics."""
    from pydoc_data.topics import topics

    seen: set[str] = set()
    return [document for name in sorted(topics) for document in _documents(topics[name], seen)]


def _documents(topic: str, seen: set[str]) -> Iterator[str]:
    kept: list[str] = []
    for paragraph in re.split(r"\n\s*\n", _UNDERLINE.sub("", topic).strip()):
        text = paragraph.strip("\n")
        if text.strip() and text not in seen:
            seen.add(text)
            kept.append(text)
        if sum(map(len, kept)) >= DOCUMENT:
            yield "\n\n".join(kept)
            kept = []
    if kept:
        yield "\n\n".join(kept)


def write_c4(folder: Path, train: list[str], held_out: list[str]) -> None:
    """Lines of JSON, packed, and a byte-level BPE."""
    folder.mkdir(parents=True)
    for part, texts in (("train", train), ("validation", held_out)):
        lines = "".join(json.dumps({"text": text, "timestamp": "", "url": ""}) + "\n" for text in texts)
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed:  # no time, so that the sums repeat
            packed.write(lines.encode())
        (folder / f"c4-{part}.00000-of-00001.json.gz").write_bytes(buffer.getvalue())
    train_bpe(train, BPE_PIECES, folder)
    seal(folder)


def write_wikipedia(folder: Path, train: list[str], held_out: list[str]) -> None:
    """One sentence a line, a blank line between documents, and a WordPiece vocabulary."""
    folder.mkdir(parents=True)
    for name, texts in (("part-00000-of-00001", train), ("eval.txt", held_out)):
        (folder / name).write_text("\n".join(_sentences(text) for text in texts), encoding="utf-8")
    train_wordpiece(train, WORDPIECES, folder)
    seal(folder)


def _sentences(text: str) -> str:
    return "".join(f"{one}\n" for one in _SENTENCE.split(" ".join(text.split())) if one)


def main() -> int:
    """Command line entry; 1 with one line on stderr when the text cannot be written."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        texts = documents()
        held_out = texts[::HELD_OUT]
        train = [text for number, text in enumerate(texts) if number % HELD_OUT]
        write_c4(staging / "c4", train, held_out)
        write_wikipedia(staging / "wikipedia", train, held_out)
        shutil.rmtree(out, ignore_errors=True)
        staging.replace(out)
    except (OSError, ImportError) as error:
        print(f"cannot write the text: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
