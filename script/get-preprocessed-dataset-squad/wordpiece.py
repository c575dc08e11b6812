"""BERT's uncased WordPiece, by the library `tokenizers`, which uses all processors by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLS, SEP, PAD, UNKNOWN = "[CLS]", "[SEP]", "[PAD]", "[UNK]"
LONGEST_WORD = 100  # characters; a longer word becomes [UNK], as in the original tokenizer


@dataclass(frozen=True)
class Pieces:
    """Token ids, and for each the index of the word it came from."""

    ids: list[int]
    words: list[int]


class WordPiece:
    """Raises ValueError when the vocabulary cannot be read or lacks a special token."""

    def __init__(self, vocabulary: Path) -> None:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        tokens = vocabulary.read_text(encoding="utf-8").splitlines()
        ids = {token: number for number, token in enumerate(tokens)}
        missing = [token for token in (CLS, SEP, PAD, UNKNOWN) if token not in ids]
        if missing:
            raise ValueError(f"{vocabulary} is not BERT's vocabulary: it lacks {', '.join(missing)}")
        model = models.WordPiece(ids, unk_token=UNKNOWN, max_input_chars_per_word=LONGEST_WORD)
        self._tokenizer: Any = Tokenizer(model)
        self._tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self.cls, self.sep = ids[CLS], ids[SEP]
        self.size = len(tokens)

    def texts(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]

    def words(self, texts: list[list[str]]) -> list[Pieces]:
        """Each word of each text is cut by itself, so that every token belongs to one word."""
        encodings = self._tokenizer.encode_batch(texts, is_pretokenized=True)
        return [Pieces(encoding.ids, encoding.word_ids) for encoding in encodings]
