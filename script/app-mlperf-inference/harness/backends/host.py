"""What backends share that take numpy arrays in host memory: staging, joining, reduction, checks.

A backend derives from `HostBackend` and gives `open`, `ports` and `infer`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.backends.base import Execution
from harness.backends.outputs import OutputCheck
from harness.backends.ports import Feed, Port, feeds
from harness.backends.staging import is_run
from harness.config import RunConfig
from harness.device import allowed_cores
from harness.errors import HarnessError
from harness.hashing import sha256_of
from harness.tasks.base import Column, Reduction, Samples

CONVERSION = "conversion.json"  # beside a converted file: how it was made, and how it compares with the original


class HostBackend:
    """Staged numpy samples in front of a framework that computes in `submit`."""

    def __init__(self, config: RunConfig, reduction: Reduction) -> None:
        self.config, self._reduction = config, reduction
        self.threads = config.threads or max(1, len(allowed_cores()) // config.workers)
        self._stores: list[ArrayStore | ListStore] = []
        self._check = OutputCheck(config)

    def open(self, path: Path) -> None:
        """Load the model file; raises HarnessError of kind `weights` or `device`."""
        raise NotImplementedError

    def ports(self) -> list[Port]:
        """Inputs of the model, in its own order."""
        raise NotImplementedError

    def infer(self, batch: list[Array]) -> list[Array]:
        """Outputs for one array per port."""
        raise NotImplementedError

    def execution(self) -> Execution:
        """Read from the framework's own objects."""
        raise NotImplementedError

    def load(self) -> dict[str, Any]:
        """Open the model file and return its facts."""
        model = self.config.model
        if model.weights is None:
            cause = f"backend {self.config.backend!r} runs a model file, but none was given"
            raise HarnessError("weights", cause, 'convert the model first: cmr "convert ml-model"')
        path = Path(model.weights)
        if not path.exists():
            raise HarnessError("weights", f"model file {path} does not exist", f"ls -l {path.parent}")
        self.open(path)
        size = path.stat().st_size if path.is_file() else None
        facts = {"name": model.name, "weights": str(path), "bytes": size, "weights_sha256": sha256_of(path)}
        conversion = path.with_name(CONVERSION)
        return {**facts, "conversion": msgspec.json.decode(conversion.read_bytes())} if conversion.is_file() else facts

    def stage(self, count: int, columns: tuple[Column, ...], chunks: Iterable[tuple[Samples, ...]]) -> None:
        """Cast and lay out the samples as the model takes them."""
        pairs = feeds(columns, self.ports(), str(self.config.model.weights))
        self._require_batch(pairs)
        places = [columns.index(feed.column) for feed in pairs]
        stores = [self._store(count, feed) for feed in pairs]
        for chunk in chunks:
            for store, place in zip(stores, places, strict=True):
                store.take(chunk[place])
        self._stores = stores

    def _store(self, count: int, feed: Feed) -> ArrayStore | ListStore:
        return ListStore(feed) if feed.column.join in ("concat", "single") else ArrayStore(count, feed)

    def unstage(self) -> None:
        """Free the staged samples."""
        self._stores = []

    def submit(self, rows: list[int], longest: int | None = None) -> tuple[Array, ...]:
        """Compute one batch."""
        return self.reduced(self.infer(self.batch(rows, longest)))

    def collect(self, ticket: Any) -> tuple[Array, ...]:
        """The ticket is the outputs."""
        outputs: tuple[Array, ...] = ticket
        return outputs

    def batch(self, rows: list[int], longest: int | None) -> list[Array]:
        """One joined array per port."""
        if not self._stores:
            raise HarnessError("raised", "a query arrived although no samples are staged")
        return [store.batch(rows, longest) for store in self._stores]

    def reduced(self, outputs: Sequence[Array]) -> tuple[Array, ...]:
        """Outputs after the checks and the task's reduction."""
        self._check(outputs)
        if self._reduction == "argmax":
            return (outputs[0].argmax(axis=1),)
        return tuple(outputs)

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the model's outputs, known after the first batch."""
        return self._check.shapes

    def _require_batch(self, pairs: Sequence[Feed]) -> None:
        """A fixed batch of one can serve; other fixed sizes would need padding, which would be counted as work."""
        fixed = next((feed for feed in pairs if feed.batch is not None and feed.batch != self.config.batch_size), None)
        if fixed is not None:
            cause = f"{self.config.model.weights} takes batches of {fixed.batch} only, asked: {self.config.batch_size}"
            raise HarnessError("weights", cause, f"--batch_size={fixed.batch}, or convert it with a free batch axis")


class ArrayStore:
    """Samples of one shape in one array."""

    def __init__(self, count: int, feed: Feed) -> None:
        import numpy as np

        axes = feed.axes or tuple(range(len(feed.column.shape)))
        shape = [feed.column.shape[axis] or 0 for axis in axes]
        self._order = (0, *(axis + 1 for axis in axes))
        self._trim = feed.column.join == "trim"
        self.samples: Array = np.empty((count, *shape), dtype=feed.port.dtype)
        self._filled = 0

    def take(self, chunk: Any) -> None:
        """Copy the next samples in."""
        self.samples[self._filled : self._filled + len(chunk)] = chunk.transpose(self._order)
        self._filled += len(chunk)

    def batch(self, rows: list[int], longest: int | None) -> Array:
        """A view for consecutive rows, otherwise a gathered copy; contiguous in any case."""
        import numpy as np

        part = self.samples[:, :longest] if self._trim and longest is not None else self.samples
        picked = part[rows[0] : rows[0] + len(rows)] if is_run(rows) else part[rows]
        return np.ascontiguousarray(picked)


class ListStore:
    """Samples that differ in shape."""

    def __init__(self, feed: Feed) -> None:
        self._concatenate, self._dtype = feed.column.join == "concat", feed.port.dtype
        self._samples: list[Array] = []

    def take(self, chunk: Any) -> None:
        """Keep the next samples."""
        self._samples.extend(one.astype(self._dtype, copy=False) for one in chunk)

    def batch(self, rows: list[int], longest: int | None) -> Array:
        """The samples one after the other (concat), or one sample with a batch axis (single)."""
        import numpy as np

        if self._concatenate:
            return np.concatenate([self._samples[row] for row in rows])
        (row,) = rows
        return self._samples[row][None]


class PerThread(threading.local):
    """Values that each calling thread has for itself, such as a framework's request objects."""

    made: Any = None
