"""The vocabulary that both languages share: byte-level BPE in tokenizer.json.

``python -m translation_training.vocabulary SIZE train.en train.de --out FOLDER`` trains one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FILE = "tokenizer.json"
PADDING, START, END = 0, 1, 2
SPECIAL = ["<pad>", "<s>", "</s>"]


def read(folder: Path) -> Tokenizer:
    """TrainingError of kind `data`, naming the file, when it is missing, damaged or numbers other special pieces."""
    from tokenizers import Tokenizer

    path = folder / FILE
    if not path.is_file():
        raise TrainingError("data", f"{path} is missing", "python -m translation_training.vocabulary --help")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise TrainingError("data", f"{path}: not a tokeniser: {str(error)[:120]}", "") from error
    if [tokenizer.token_to_id(piece) for piece in SPECIAL] != [PADDING, START, END]:
        raise TrainingError("data", f"{path}: its first pieces are not {', '.join(SPECIAL)}", "")
    return tokenizer


def train(texts: Sequence[Path], size: int, folder: Path) -> None:
    """Write the tokeniser of at most ``size`` pieces, learnt from the lines of ``texts``. Raises OSError."""
    from tokenizers.implementations.byte_level_bpe import ByteLevelBPETokenizer

    for path in texts:
        path.open().close()  # the library would only say that it cannot
    learner: Any = ByteLevelBPETokenizer(add_prefix_space=True)
    learner.train([str(path) for path in texts], vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    learner.save(str(folder / FILE))


def main() -> int:
    """Command line entry; 1 with one line on stderr when a text cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", type=int)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        train(options.texts, options.size, options.out)
    except OSError as error:
        print(f"cannot learn a vocabulary: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
