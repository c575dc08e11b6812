"""Text to fine-tune on: MLPerf's GovReport, tables of tokens in Parquet files, or plain text in C4's layout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from language_training.corpora import c4_documents, c4_files
from language_training.sequences import pack
from language_training.vocabulary import read_tokenizer
from trainer.errors import TrainingError
from trainer.task import Columns

if TYPE_CHECKING:
    import torch

COLUMNS = ("input_ids", "labels")


def read_rows(folder: Path, part: str, checkpoint: Path, length: int) -> Columns:
    """``input_ids`` and ``labels``, int64 (rows, length), of the part train or validation.

    Parquet files have their own length; text is cut into ``length`` tokens of the checkpoint's tokeniser.

    Raises:
        TrainingError: kind `data`, naming the file that is missing, damaged or of another layout.
    """
    tables = sorted((*folder.glob(f"{part}-*.parquet"), *folder.glob(f"data/{part}-*.parquet")))
    if tables:
        return _tables(tables)
    tokenizer = read_tokenizer(checkpoint)
    end = tokenizer.token_to_id("<|endoftext|>")
    rows = pack(c4_documents(c4_files(folder, part)), tokenizer, length, end)
    return Columns(input_ids=rows, labels=rows)


def _tables(paths: list[Path]) -> Columns:
    import torch

    parts = [_table(path) for path in paths]
    columns = {name: torch.cat([part[number] for part in parts]) for number, name in enumerate(COLUMNS)}
    return Columns(**columns)


def _table(path: Path) -> tuple[torch.Tensor, ...]:
    import pyarrow
    import torch
    from pyarrow import parquet

    try:
        table = parquet.read_table(path, columns=list(COLUMNS))
        found = tuple(torch.tensor(table[name].to_pylist(), dtype=torch.int64) for name in COLUMNS)
    except (pyarrow.ArrowException, OSError, KeyError, ValueError, TypeError) as error:
        cause = f"{path}: not a table of input_ids and labels of one length ({str(error).splitlines()[0][:100]})"
        raise TrainingError("data", cause, "fetch it again") from error
    if not table.num_rows:
        raise TrainingError("data", f"{path} has no rows", "fetch it again")
    return found
