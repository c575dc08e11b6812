"""The folder that get-preprocessed-dataset-squad makes: `features.npz`, `dataset.json` and, for spans, `text.json`."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.arrays import Array
from harness.config import RunConfig, Tier
from harness.errors import HarnessError
from harness.tasks.base import require, require_tier

Form = Literal["spans", "sentences"]


class DatasetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`: `sequence` is the longest sample in tokens, `chance` what a guess would score (sentences)."""

    schema: int
    name: str
    form: Form
    tier: Tier
    count: int
    sequence: int
    chance: float | None = None


class Features:
    """Arrays with one row per sample, opened and checked; `info` describes them.

    Raises:
        HarnessError: kind `dataset`, when a file is missing or unreadable, or counts and shapes differ.
    """

    def __init__(self, config: RunConfig, form: Form, needed: tuple[str, ...]) -> None:
        self.folder = Path(config.dataset)
        self.hint = f'prepare the questions again: cmr "get tokenized squad _{form} _{config.tier}" --new'
        self.info: DatasetInfo = self.read_json("dataset.json", DatasetInfo)
        require(
            self.info.form == form,
            f"{self.folder} was prepared for {self.info.form}, this task needs {form}",
            self.hint,
        )
        require(self.info.count > 0, f"{self.folder}/dataset.json says count {self.info.count}", self.hint)
        require_tier(config, self.info.tier, self.folder)
        self.arrays = self._read_arrays()
        self._check(needed)

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    def _check(self, needed: tuple[str, ...]) -> None:
        place, info = self.folder / "features.npz", self.info
        missing = [name for name in ("input_ids", *needed) if name not in self.arrays]
        require(not missing, f"{place} lacks {', '.join(missing)}", self.hint)
        shape = self["input_ids"].shape
        expected = (info.count, info.sequence)
        require(shape == expected, f"{place} has input_ids of {shape}, dataset.json says {expected}", self.hint)
        short = [name for name in needed if len(self[name]) != info.count]
        require(not short, f"{place}: {', '.join(short)} has not {info.count} rows", self.hint)

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json and the folder."""
        return {**msgspec.to_builtins(self.info), "folder": str(self.folder)}

    def read_json(self, name: str, kind: type[Any]) -> Any:
        """A JSON file of the folder as a value of `kind`; raises HarnessError of kind `dataset`."""
        path = self.folder / name
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except OSError as error:
            raise HarnessError("dataset", f"cannot read {path}: {error.strerror}", self.hint) from error
        except msgspec.MsgspecError as error:
            raise HarnessError("dataset", f"{path}: {error}", self.hint) from error

    def _read_arrays(self) -> dict[str, Array]:
        import numpy as np

        path = self.folder / "features.npz"
        try:
            with np.load(path, allow_pickle=False) as file:
                return dict(file)
        except OSError as error:
            raise HarnessError("dataset", f"cannot read {path}: {error.strerror or error}", self.hint) from error
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise HarnessError("dataset", f"{path} is not a usable .npz file: {error}", self.hint) from error
