"""Documents as rows of tokens, all of one length: what is left over at the end is dropped, nothing is padded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


def pack(documents: Iterable[str], tokenizer: Tokenizer, length: int, end: int | None = None) -> torch.Tensor:
    """int64 (rows, ``length``): the documents one after the other, each followed by the token ``end`` if given.

    Raises:
        TrainingError: kind `data` when the documents are shorter than one row.
    """
    import torch

    ids: list[int] = []
    for document in documents:
        ids += tokenizer.encode(document, add_special_tokens=False).ids
        if end is not None:
            ids.append(end)
    rows = len(ids) // length
    if not rows:
        raise TrainingError("data", f"the text has {len(ids)} tokens, less than one sequence of {length}", "")
    return torch.tensor(ids[: rows * length]).view(rows, length)
