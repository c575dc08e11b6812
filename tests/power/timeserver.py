"""An NTP server for tests, on a free port or the given one; its clock can be wrong on purpose."""

import socket
import struct
import sys
import threading
import time

EPOCH = 2208988800  # of NTP, in seconds before that of Unix


class TimeServer:
    """Answers on `address` until closed. `skew` in seconds; `stratum` 0 refuses; `silent` never answers."""

    def __init__(self, *, skew=0.0, stratum=2, silent=False, short=False, port=0):
        self.skew, self.stratum, self.silent, self.short = skew, stratum, silent, short
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        # a socket that a thread waits on keeps its port even when it is closed
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            request, client = self._socket.recvfrom(1024)
            if not request:
                return
            if not self.silent:
                self._socket.sendto(self._reply(request), client)

    def _reply(self, request):
        now = time.time() + self.skew + EPOCH
        stamp = struct.pack(">II", int(now), int(now % 1 * 2**32))
        head = struct.pack(">BBbb", 0b00_100_100, self.stratum, 0, -20) + bytes(8) + b"TEST"
        reply = head + stamp + request[40:48] + stamp + stamp
        return reply[:20] if self.short else reply


if __name__ == "__main__":
    print(TimeServer(port=int(sys.argv[1])).address, flush=True)
    threading.Event().wait()
