"""The child's side of the progress pipe: a thread that reports the counters twice a second."""

from __future__ import annotations

import os
import threading

import msgspec

from harness.recorder import Recorder
from harness.report import Message, Phase

PERIOD_S = 0.5


class Heartbeat:
    """Writes a Message per period and per phase change. Ends the process when nobody reads the pipe any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._phase: Phase = "start"
        self._recorder: Recorder | None = None
        self._gpu_uuid: str | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def enter(self, phase: Phase, recorder: Recorder | None = None, gpu_uuid: str | None = None) -> None:
        """Announce a phase at once; `recorder` gives the counters from now on."""
        self._phase = phase
        self._recorder = recorder or self._recorder
        self._gpu_uuid = gpu_uuid or self._gpu_uuid
        self._send()

    def stop(self) -> None:
        """Announce the end and stop the thread."""
        self.enter("done")
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stopped.wait(PERIOD_S):
            self._send()

    def _send(self) -> None:
        counters = self._recorder
        message = Message(
            phase=self._phase,
            issued=counters.issued if counters else 0,
            completed=counters.completed if counters else 0,
            gpu_uuid=self._gpu_uuid,
        )
        try:
            with self._lock:
                os.write(self._descriptor, msgspec.json.encode(message) + b"\n")
        except OSError:  # the parent is gone: a measurement that nobody watches is not worth going on
            os._exit(1)
