"""Line-aligned texts in two languages, as WMT's data are after their preparation: train.en, train.de and so on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.errors import TrainingError
from translation_training.vocabulary import END, PADDING, START

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


def read_lines(folder: Path, name: str, languages: tuple[str, str]) -> tuple[list[str], list[str]]:
    """The lines of ``name.SOURCE`` and ``name.TARGET``.

    Raises:
        TrainingError: kind `data`, naming the file that is missing, empty, no text, or shorter than its partner.
    """
    source, target = (_lines(folder / f"{name}.{language}") for language in languages)
    if len(source) != len(target):
        counts = f"{languages[0]} has {len(source)} lines, {languages[1]} {len(target)}"
        raise TrainingError("data", f"{folder / name}.*: {counts}; they must be pairs", "fetch both again")
    return source, target


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError as error:
        raise TrainingError("data", f"{path} is missing", f"ls {path.parent}") from error
    except UnicodeDecodeError as error:
        raise TrainingError("data", f"{path} is no UTF-8 text at byte {error.start}", "") from error
    lines = lines[:-1] if not lines[-1] else lines
    if not lines:
        raise TrainingError("data", f"{path} has no lines", "fetch it again")
    return lines


class Pairs:
    """Pairs as tokens. A batch: ``source`` (n, longest), ``target`` with the start in front, ``labels`` with the end
    behind it, all int64 and padded with 0; and ``reference``, the target lines."""

    def __init__(self, source: Sequence[str], target: Sequence[str], tokenizer: Tokenizer, longest: int) -> None:
        def ids(lines: Sequence[str]) -> list[list[int]]:
            return [one.ids[: longest - 1] for one in tokenizer.encode_batch(list(lines))]

        self._source, self._target, self._reference = ids(source), ids(target), target

    def __len__(self) -> int:
        return len(self._source)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, object]:
        """Nothing is drawn."""
        return {
            "source": _padded([[*self._source[index], END] for index in indices]),
            "target": _padded([[START, *self._target[index]] for index in indices]),
            "labels": _padded([[*self._target[index], END] for index in indices]),
            "reference": [self._reference[index] for index in indices],
        }


def _padded(rows: list[list[int]]) -> torch.Tensor:
    import torch

    longest = max(map(len, rows))
    return torch.tensor([row + [PADDING] * (longest - len(row)) for row in rows])
