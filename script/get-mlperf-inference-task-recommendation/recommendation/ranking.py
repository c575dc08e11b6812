"""Ranking candidates for a user by history, in the shape of DLRM-v3; performance only."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.config import RunConfig, Tier
from harness.errors import HarnessError
from harness.tasks.base import Column, Samples, TaskDefaults, require, require_tier

HINT = 'make the requests again: cmr "get preprocessed dataset dlrm-v3" --new'
_ARRAYS = ("users", "history", "candidates", "labels", "history_bounds", "candidate_bounds")
_NO_TIME = 0.0  # the reference streams 10 times of day, one after the other; here there is one


class RequestsInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`: mean length of a history, candidates per request."""

    schema: int
    name: str
    tier: Tier
    count: int
    history: int
    candidates: int


class CandidateRanking(TaskDefaults):
    """A sample is one request; a response is laid out as the reference's.

    It is float32: time, request number, predictions, labels and weights of all candidates, and their number.
    """

    response_width = None

    def __init__(self, config: RunConfig) -> None:
        self._folder = Path(config.dataset)
        self._info = _read_info(self._folder / "dataset.json")
        require_tier(config, self._info.tier, self._folder)
        self._requests = _read_arrays(self._folder / "requests.npz")
        self.count = self._info.count
        found = len(self._requests["users"])
        require(found == self.count > 0, f"{self._folder} has {found} requests, dataset.json says {self.count}", HINT)
        self.columns: tuple[Column, ...] = (
            Column("history", (None, 3), "int32", "concat"),
            Column("candidates", (None, 2), "int32", "concat"),
            Column("request", (3,), "int32"),
        )
        self.sample_bytes = 4 * (3 * self._info.history + 2 * self._info.candidates + 3)

    def load(self, indices: list[int]) -> tuple[Samples, ...]:
        """Histories, candidates, and per request the user's number and the two lengths."""
        import numpy as np

        history = [self._part("history", index) for index in indices]
        candidates = [self._part("candidates", index) for index in indices]
        users = self._requests["users"][indices]
        lengths = [[len(one) for one in part] for part in (history, candidates)]
        return history, candidates, np.stack([users, *lengths], axis=1).astype(np.int32)

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> list[Array]:
        """Probabilities of all candidates (candidates,) → a response per request."""
        import numpy as np

        sizes = [len(self._part("candidates", index)) for index in indices]
        if len(outputs[0]) != sum(sizes):
            cause = f"the backend returned {len(outputs[0])} outputs for requests of {sum(sizes)} candidates together"
            raise HarnessError("raised", cause)
        parts = np.split(outputs[0], np.cumsum(sizes)[:-1])
        return [self._response(part, index) for part, index in zip(parts, indices, strict=True)]

    def _response(self, predicted: Array, index: int) -> Array:
        import numpy as np

        labels, weights = self._part("labels", index), np.ones(len(predicted))
        head, tail = [_NO_TIME, index], [len(predicted)]
        return np.concatenate([head, predicted, labels, weights, tail]).astype(np.float32)

    def _part(self, name: str, index: int) -> Array:
        bounds = self._requests["history_bounds" if name == "history" else "candidate_bounds"]
        return self._requests[name][bounds[index] : bounds[index + 1]]

    def facts(self) -> dict[str, Any]:
        """Contents of dataset.json and the folder."""
        return {**msgspec.to_builtins(self._info), "folder": str(self._folder)}


def _read_info(path: Path) -> RequestsInfo:
    try:
        return msgspec.json.decode(path.read_bytes(), type=RequestsInfo)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror}", HINT) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("dataset", f"{path}: {error}", HINT) from error


def _read_arrays(path: Path) -> dict[str, Array]:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror or error}", HINT) from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise HarnessError("dataset", f"{path} is not a usable .npz file: {error}", HINT) from error
    missing = [name for name in _ARRAYS if name not in arrays]
    require(not missing, f"{path} lacks {', '.join(missing)}", HINT)
    return arrays
