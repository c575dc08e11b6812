"""Real samples of the task, joined into batches as the harness joins them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness import registry
from harness.arrays import Array
from harness.backends.host import ArrayStore, ListStore
from harness.backends.ports import Feed, Port
from harness.errors import HarnessError
from harness.tasks.base import Column, Task
from model_conversion.request import Conversion


class SampleSource:
    """Batches of the first samples of the data set.

    Raises:
        HarnessError: kind `config` for a task that generates tokens, `dataset` where the data are not usable.
    """

    def __init__(self, conversion: Conversion) -> None:
        registry.add_paths(conversion.task_path)
        task: Any = registry.resolve("task", conversion.task)(conversion.run_config())
        if task.generates:
            cause = f"{conversion.model.name} generates tokens: engines run it, not exported files"
            raise HarnessError("config", cause, "--backend=pytorch")
        self._task: Task = task
        self.count = min(conversion.samples, task.count)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The model's inputs."""
        return self._task.columns

    def batch(self, begin: int, size: int) -> list[Array]:
        """One array per column; columns to be trimmed are cut as in a run."""
        indices = list(range(begin, min(begin + size, self.count)))
        lengths = self._task.lengths(indices)
        longest = max(lengths) if lengths else None
        loaded = self._task.load(indices)
        return [_joined(column, part, len(indices), longest) for column, part in zip(self.columns, loaded, strict=True)]

    def batches(self, size: int) -> Iterator[list[Array]]:
        """All samples; columns that allow one sample per batch only come one by one."""
        step = 1 if any(column.join == "single" for column in self.columns) else size
        for begin in range(0, self.count, step):
            yield self.batch(begin, step)


def _joined(column: Column, part: Any, count: int, longest: int | None) -> Array:
    feed = Feed(column, Port(column.name, column.shape, column.dtype))
    store = ListStore(feed) if column.join in ("concat", "single") else ArrayStore(count, feed)
    store.take(part)
    return store.batch(list(range(count)), longest)
