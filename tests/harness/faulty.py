"""Backends that misbehave in one way each, given to the harness by dotted path."""

import ctypes
import os
import signal
import time
from pathlib import Path

import msgspec

from harness.backends.null import NullBackend


class Faulty(NullBackend):
    """Behaves until the warm-up is over."""

    measured = False

    def unstage(self):
        self.measured = True

    def submit(self, rows, longest=None):
        if self.measured:
            self.misbehave()
        return super().submit(rows, longest)


class Raises(Faulty):
    """Raises while the third batch is computed."""

    calls = 0

    def misbehave(self):
        self.calls += 1
        if self.calls == 3:
            raise RuntimeError("the accelerator fell off")


class Hangs(Faulty):
    def misbehave(self):
        time.sleep(3600)


class KillsItself(Faulty):
    def misbehave(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Segfaults(Faulty):
    def misbehave(self):
        ctypes.string_at(0)


class Exits(Faulty):
    def misbehave(self):
        print("licence server not reachable", flush=True)
        os._exit(42)


class TooFewOutputs(NullBackend):
    def collect(self, ticket):
        return (super().collect(ticket)[0][: ticket - 1],)


class LoadFails(NullBackend):
    def load(self):
        raise OSError("no room for the engine file")


class LoadHangs(NullBackend):
    def load(self):
        time.sleep(3600)


class SpeaksOfGpu(NullBackend):
    """Ran elsewhere than it was told to."""

    def execution(self):
        return msgspec.structs.replace(super().execution(), used="cuda:0", precision="fp32")


class OtherPrecision(NullBackend):
    def execution(self):
        return msgspec.structs.replace(super().execution(), precision="bf16")


def _patch(name, wrapper):
    import mlperf_loadgen

    setattr(mlperf_loadgen, name, wrapper(getattr(mlperf_loadgen, name)))


class CompletesTwice(NullBackend):
    """The first sample of the run is completed a second time, together with a later batch."""

    def load(self):
        def wrapper(complete):
            state = {"done": False}

            def twice(responses):
                if not state["done"]:
                    state["done"] = True
                    complete(responses[:1])
                complete(responses)

            return twice

        _patch("QuerySamplesComplete", wrapper)
        return super().load()


class DropsOne(NullBackend):
    """One sample of the run is never completed."""

    def load(self):
        def wrapper(complete):
            state = {"dropped": False}

            def dropping(responses):
                if state["dropped"]:
                    complete(responses)
                else:
                    state["dropped"] = True
                    complete(responses[1:])

            return dropping

        _patch("QuerySamplesComplete", wrapper)
        return super().load()


class ChangesSettings(NullBackend):
    """Shortens the run behind everybody's back."""

    def load(self):
        def wrapper(start):
            def changed(sut, qsl, settings, logs, audit):
                settings.min_query_count = 7
                start(sut, qsl, settings, logs, audit)

            return changed

        _patch("StartTestWithLogSettings", wrapper)
        return super().load()


class PicksUpAudit(NullBackend):
    """Puts an audit.config where loadgen looks for one by default."""

    def load(self):
        with open("audit.config", "w") as file:
            file.write("*.*.mode = 1\n*.*.min_query_count = 3\n")
        return super().load()


class Slow(NullBackend):
    """1 ms per batch."""

    def submit(self, rows, longest=None):
        time.sleep(0.001)
        return super().submit(rows, longest)


class ReadsPixels(NullBackend):
    """A perfect model for images that are filled with their own label: follows every sample through the run."""

    def stage(self, count, columns, chunks):
        import numpy as np

        self.values = np.concatenate([images[:, 0, -1, -1] for (images,) in chunks])
        assert self.values.shape == (count,)

    def unstage(self):
        del self.values

    def submit(self, rows, longest=None):
        return self.values[rows]

    def collect(self, ticket):
        return (ticket,)


class OtherWeights(NullBackend):
    def load(self):
        return super().load() | {"weights_sha256": "0123"}


class HangsLater(Hangs):
    """After more batches than a warm-up has."""

    calls = 0

    def misbehave(self):
        self.calls += 1
        if self.calls > 8:
            super().misbehave()


class Draws(NullBackend):
    """A package that takes 0.25 J per sample; half a joule more while samples are loaded, which is not measured."""

    def load(self):
        from harness import energy

        self.zone = Path(os.environ["TEST_POWERCAP"])
        energy.POWERCAP = self.zone
        return super().load()

    def stage(self, count, columns, chunks):
        self.draw(500_000)
        super().stage(count, columns, chunks)

    def submit(self, rows, longest=None):
        self.draw(250_000 * len(rows))
        return super().submit(rows, longest)

    def draw(self, microjoules):
        path = self.zone / "intel-rapl:0" / "energy_uj"
        if path.exists():
            path.write_text(str(int(path.read_text()) + microjoules))
