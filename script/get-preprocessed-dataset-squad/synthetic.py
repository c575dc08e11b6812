"""Span features of the right shape without any text."""

from __future__ import annotations

from typing import Any

VOCABULARY = 30522
_FIRST_ORDINARY = 1000  # below are special and reserved tokens
_CLS, _SEP = 101, 102
_QUESTION = 12  # tokens, the median of SQuAD's
# Deciles of the lengths of SQuAD v1.1 dev's features, in tokens, where the maximum is 384.
_DECILES = (41, 110, 127, 139, 150, 164, 179, 198, 223, 272, 384)


def random_features(count: int, sequence: int, seed: int = 0) -> dict[str, Any]:
    """`count` features whose lengths are spread as SQuAD's are; the same seed gives the same ids."""
    import numpy as np

    random = np.random.default_rng(seed)
    deciles = np.array(_DECILES) * sequence / _DECILES[-1]
    lengths = np.interp(random.random(count), np.linspace(0, 1, len(deciles)), deciles).astype(np.int32)
    start = np.minimum(_QUESTION + 2, lengths // 2).astype(np.int32)
    ids = random.integers(_FIRST_ORDINARY, VOCABULARY, (count, sequence), dtype=np.int32)
    ids[:, 0] = _CLS
    ids[np.arange(count), start - 1] = ids[np.arange(count), lengths - 1] = _SEP
    ids[np.arange(sequence)[None, :] >= lengths[:, None]] = 0
    window = {"context_start": start, "window_start": np.zeros_like(start), "window_length": lengths - start - 1}
    return {"input_ids": ids, **window}
