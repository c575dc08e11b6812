"""Vocabularies: BERT's WordPiece in vocab.txt, byte-level BPE in tokenizer.json; read with checks, or trained.

``python -m language_training.vocabulary wordpiece|bpe SIZE TEXT... --out FOLDER`` trains one on plain text files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCAB = "vocab.txt"
TOKENIZER = "tokenizer.json"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
END_OF_TEXT = "<|endoftext|>"


def read_wordpiece(folder: Path) -> Tokenizer:
    """BERT's uncased tokeniser from ``vocab.txt``, one piece per line.

    Raises:
        TrainingError: kind `data`, naming the file, when it is missing or lacks one of BERT's special pieces.
    """
    from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

    path = _present(folder / VOCAB)
    pieces = path.read_text(encoding="utf-8").split("\n")
    missing = [piece for piece in SPECIAL if piece not in pieces]
    if missing:
        raise TrainingError("data", f"{path}: not a BERT vocabulary, it lacks {', '.join(missing)}", "")
    reader: Any = BertWordPieceTokenizer(str(path), lowercase=True)
    tokenizer: Tokenizer = reader._tokenizer
    return tokenizer


def read_tokenizer(folder: Path) -> Tokenizer:
    """Any tokeniser in ``tokenizer.json``; TrainingError of kind `data`, naming it, when it is missing or damaged."""
    from tokenizers import Tokenizer

    path = _present(folder / TOKENIZER)
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise TrainingError("data", f"{path}: not a tokeniser: {str(error)[:120]}", "") from error


def train_wordpiece(texts: Iterable[str], size: int, folder: Path) -> None:
    """Write ``vocab.txt`` of at most ``size`` pieces, learnt from ``texts``; the same at every call."""
    from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

    kept = list(texts)
    learner: Any = BertWordPieceTokenizer(lowercase=True)
    # The library numbers single letters in no fixed order and decides ties by these numbers: they are given here.
    letters = sorted({one for text in kept for one in learner.normalize(text) if not one.isspace()})
    first = [*SPECIAL, *letters, *(f"##{one}" for one in letters if one.isalnum())]
    learner.train_from_iterator(kept, vocab_size=size, min_frequency=2, special_tokens=first, show_progress=False)
    numbered = sorted(learner.get_vocab().items(), key=lambda entry: entry[1])
    (folder / VOCAB).write_text("".join(f"{piece}\n" for piece, _ in numbered), encoding="utf-8")


def train_bpe(texts: Iterable[str], size: int, folder: Path, special: tuple[str, ...] = (END_OF_TEXT,)) -> None:
    """Write ``tokenizer.json``, byte-level BPE of at most ``size`` pieces; ``special`` get the first numbers."""
    from tokenizers.implementations.byte_level_bpe import ByteLevelBPETokenizer

    learner: Any = ByteLevelBPETokenizer()
    learner.train_from_iterator(
        texts, vocab_size=size, min_frequency=2, special_tokens=list(special), show_progress=False
    )
    learner.save(str(folder / TOKENIZER))


def _present(path: Path) -> Path:
    if not path.is_file():
        hint = "python -m language_training.vocabulary --help (it trains one)"
        raise TrainingError("data", f"{path} is missing: the data have no vocabulary", hint)
    return path


def main() -> int:
    """Command line entry; 1 with one line on stderr when a text cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["wordpiece", "bpe"])
    parser.add_argument("size", type=int)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    learn = train_wordpiece if options.kind == "wordpiece" else train_bpe
    try:
        learn((path.read_text(encoding="utf-8") for path in options.texts), options.size, options.out)
    except (OSError, UnicodeDecodeError) as error:
        print(f"cannot learn a vocabulary: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
