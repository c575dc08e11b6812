"""Backends that run out of memory, and one that returns NaN."""

from harness.backends.null import NullBackend


class Hungry(NullBackend):
    """Has room for three samples at a time."""

    room = 3

    def submit(self, rows, longest=None):
        if len(rows) > self.room:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 40 bytes")
        return super().submit(rows, longest)


class Starved(Hungry):
    """Has room for none."""

    room = 0


class OutOfReach(NullBackend):
    """Fails for another reason."""

    def submit(self, rows, longest=None):
        raise RuntimeError("no kernel for this operator")
