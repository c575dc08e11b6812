"""A model on other hosts, reached over HTTP: the query dispatch library of MLPerf's network division.

What the division asks of it (inference rules, network division): each query travels with its data, is not batched with
others, not padded, not cached, and keeps the precision and layout in which the task prepared it; answers are not
reduced here. So samples wait in this host's memory only, as loadgen's library does it, requests hold one query (or a
piece of one, in Offline), and batching and argmax are the server's (`network/batcher.py`). The task still packs the
outputs into loadgen's response bytes on this side.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.backends.base import Execution
from harness.backends.staging import is_run
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.hashing import sha256_of
from harness.network import frame as frames
from harness.network.client import Pending, Server, Servers
from harness.network.messages import Description
from harness.tasks.base import Column, Reduction, Samples

_PATIENCE = 0.8  # of hang_timeout_s: the client's diagnosis names the server, the watcher's cannot


class NetworkBackend:
    """Sends staged samples to the servers in turn. Threads may call at the same time."""

    def __init__(self, config: RunConfig, reduction: Reduction) -> None:
        self._config, self._reduction = config, reduction
        self._servers = Servers(config.sut_servers, config.load_timeout_s)
        self._columns: tuple[Column, ...] = ()
        self._samples: list[Any] = []

    def load(self) -> dict[str, Any]:
        """Ask every server what it is; raises HarnessError of kind `network` where that is not what the run wants."""
        descriptions = [server.describe() for server in self._servers.all]
        for server, description in zip(self._servers.all, descriptions, strict=True):
            self._require(server, description)
        facts = dict(descriptions[0].model_facts)
        facts["servers"] = [
            {"address": str(server.address), "name": one.name, **msgspec.to_builtins(one.host)}
            for server, one in zip(self._servers.all, descriptions, strict=True)
        ]
        return facts

    def _require(self, server: Server, description: Description) -> None:
        asked = self._config.model
        wanted, given = (asked.name, asked.architecture), (description.model, description.architecture)
        if wanted != given:
            cause = (
                f"{server.address} serves the model {given[0]} ({given[1]}), the run asks for {wanted[0]} ({wanted[1]})"
            )
            raise HarnessError("network", cause, f"start a server with --model={asked.name}, or give another address")
        if asked.weights and description.weights_sha256 not in (None, here := sha256_of(Path(asked.weights))):
            cause = (
                f"{server.address} serves {asked.name} with weights {description.weights_sha256}, the run's are {here}"
            )
            raise HarnessError("network", cause, "give both sides the same weights (sha256)")

    def sut_name(self) -> str:
        """For loadgen's log; a round trip to every server."""
        return self._servers.name()

    def stage(self, count: int, columns: tuple[Column, ...], chunks: Iterable[tuple[Samples, ...]]) -> None:
        """Keep the samples in this host's memory."""
        import numpy as np

        parts: list[list[Any]] = [[] for _ in columns]
        for chunk in chunks:
            for part, values in zip(parts, chunk, strict=True):
                part.append(values)
        self._columns = columns
        self._samples = [
            [one for values in part for one in values] if column.join in ("concat", "single") else np.concatenate(part)
            for part, column in zip(parts, columns, strict=True)
        ]

    def unstage(self) -> None:
        """Forget the samples."""
        self._samples = []

    def submit(self, rows: list[int], longest: int | None = None) -> Pending:
        """Send one request."""
        values = [
            _picked(samples, column, rows, longest)
            for samples, column in zip(self._samples, self._columns, strict=True)
        ]
        parts = tuple(
            frames.part_of(value, column.name, column.join) for value, column in zip(values, self._columns, strict=True)
        )
        return self._servers.next().send(*frames.encode(frames.Header(len(rows), parts, self._reduction), values))

    def collect(self, ticket: Pending) -> tuple[Array, ...]:
        """Wait for its answer."""
        return ticket.server.receive(ticket).values

    def execution(self) -> Execution:
        """As the servers found it; raises HarnessError of kind `network` where they differ."""
        self._servers.be_patient_for(_PATIENCE * self._config.hang_timeout_s)
        found = [(server, server.describe().execution) for server in self._servers.all]
        # A server without one has had no batch: there are more servers than batches in the warm-up.
        known = [(server, execution) for server, execution in found if execution is not None]
        if not known:
            raise HarnessError("network", "no SUT server has answered a batch yet")
        _require_alike(known)
        first = known[0][1]
        hosts = ", ".join(f"{server.address.host}:{server.address.port}" for server in self._servers.all)
        # gpu_uuid stays empty: this host's NVML cannot see the server's GPU.
        return msgspec.structs.replace(
            first, executed=f"network SUT {hosts}: {first.executed}", residency="sent with each query", gpu_uuid=None
        )


def _picked(samples: Any, column: Column, rows: list[int], longest: int | None) -> Any:
    if isinstance(samples, list):
        return [samples[row] for row in rows]
    chosen = samples[rows[0] : rows[0] + len(rows)] if is_run(rows) else samples[rows]
    return chosen[:, :longest] if longest is not None and column.join == "trim" else chosen


def _require_alike(found: list[tuple[Server, Execution]]) -> None:
    ways = [f"{server.address} runs {one.executed} in {one.precision} on {one.used}" for server, one in found]
    if len({(one.used, one.precision, one.executed) for _, one in found}) > 1:
        raise HarnessError("network", "the SUT servers are not alike: " + "; ".join(ways), "start them alike")
