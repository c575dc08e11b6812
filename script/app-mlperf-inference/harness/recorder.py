"""Counters and a bounded latency record, cheap enough for the measured path (about 0.2 us per batch)."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from harness.outcome import Latencies

LIMIT = 1 << 17
QUANTILES = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
BINS = 60


class Recorder:
    """Counts samples issued and completed, batch sizes, and keeps at most `LIMIT` latencies.

    When the record is full every second value is dropped and from then on every 2nd, 4th, ... value is kept, so that
    the record stays spread over the whole run. Only one thread writes `issued`, one the rest.
    """

    def __init__(self, batch_size: int, source: str, limit: int = LIMIT) -> None:
        self.issued = 0
        self.completed = 0
        self.batches = [0] * (batch_size + 1)
        self._source, self._limit = source, limit
        self._kept, self._seen, self._stride = array("q"), 0, 1

    def completed_batch(self, samples: int) -> None:
        """One batch of `samples` was completed."""
        self.completed += samples
        self.batches[samples] += 1

    def latency(self, elapsed_ns: int) -> None:
        """Keep one latency if its turn has come."""
        self._seen += 1
        if self._seen % self._stride:
            return
        self._kept.append(elapsed_ns)
        if len(self._kept) >= self._limit:
            self._kept = self._kept[1::2]
            self._stride *= 2

    def histogram(self) -> dict[int, int]:
        """Batches per batch size."""
        return {size: count for size, count in enumerate(self.batches) if count}

    def latencies(self, path: Path) -> Latencies | None:
        """Write the kept values as int64 nanoseconds to `path` (.npy) and return their summary; None without any."""
        import numpy as np

        if not self._kept:
            return None
        values = np.array(self._kept, dtype=np.int64)
        np.save(path, values)
        milliseconds = values / 1e6
        edges = np.geomspace(max(milliseconds.min(), 1e-6), max(milliseconds.max(), 2e-6) * 1.0001, BINS + 1)
        counts, _ = np.histogram(milliseconds, edges)
        return Latencies(
            source=self._source,
            count=self._seen,
            kept=len(values),
            stride=self._stride,
            edges_ms=_rounded(edges.tolist()),
            counts=tuple(counts.tolist()),
            quantiles_ms={f"p{q * 100:g}": float(np.quantile(milliseconds, q)) for q in QUANTILES},
            file=path.name,
        )


class SharedRecorder(Recorder):
    """The same for several threads."""

    def __init__(self, batch_size: int, source: str) -> None:
        super().__init__(batch_size, source)
        self._lock = Lock()

    def completed_batch(self, samples: int) -> None:
        """One batch of `samples` was completed."""
        with self._lock:
            super().completed_batch(samples)

    def latency(self, elapsed_ns: int) -> None:
        """Keep one latency if its turn has come."""
        with self._lock:
            super().latency(elapsed_ns)


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(f"{value:.6g}") for value in values)
