"""Lines over a socket: what both the power protocol and PTDaemon's are made of."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import BinaryIO

from mlperf_power.errors import ConnectionLost

LONGEST_LINE = 1 << 20
_CHUNK = 1 << 16
_FILE_CHUNK = 1 << 20
# A peer that has gone is noticed after about 22 s, even while nothing is said.
_KEEPALIVE = (("TCP_KEEPIDLE", 2), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 10))


class Lines:
    """A connection that carries lines, ended by CRLF when sent and by LF or CRLF when received.

    `peer` is what error messages call the other side; `patience` the seconds an answer may take, None for ever.
    """

    def __init__(self, connection: socket.socket, peer: str, patience: float | None) -> None:
        self.peer = peer
        self._socket = connection
        self._patience = patience
        self._buffer = b""
        tune(connection)

    def send(self, text: str) -> None:
        """Raises ConnectionLost."""
        self._send(f"{text}\r\n".encode())

    def receive(self, patience: float | None = None) -> str:
        """The next line, without its end. Raises ConnectionLost: closed, nothing in time, or no line at all."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_LINE:
                raise self._lost(f"sent more than {LONGEST_LINE} bytes without a line end")
            self._buffer += self._read(_CHUNK, patience)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r").decode(errors="replace")

    def ask(self, text: str, patience: float | None = None) -> str:
        self.send(text)
        return self.receive(patience)

    def send_file(self, path: Path) -> None:
        """The file in chunks: a decimal length, that many bytes, and 0 at the end."""
        with path.open("rb") as file:
            while chunk := file.read(_FILE_CHUNK):
                self.send(str(len(chunk)))
                self._send(chunk)
        self.send("0")

    def receive_file(self, path: Path) -> None:
        """What `send_file` sends; the file is there only once it is complete. Raises ConnectionLost."""
        unfinished = path.with_name(f"{path.name}.part")
        with unfinished.open("wb") as file:
            while length := self._length():
                self._copy(length, file)
        unfinished.replace(path)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()

    def _length(self) -> int:
        line = self.receive()
        if not line.isdecimal():
            raise self._lost(f"sent {line[:80]!r} where the length of a part of a file belongs")
        return int(line)

    def _copy(self, length: int, file: BinaryIO) -> None:
        while length:
            if not self._buffer:
                self._buffer = self._read(_CHUNK)
            part, self._buffer = self._buffer[:length], self._buffer[length:]
            file.write(part)
            length -= len(part)

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._patience)
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost("cannot be reached any more") from error

    def _read(self, most: int, patience: float | None = None) -> bytes:
        waits = self._patience if patience is None else patience
        try:
            self._socket.settimeout(waits)
            data = self._socket.recv(most)
        except TimeoutError as error:
            raise self._lost(f"did not answer within {waits:g} s") from error
        except OSError as error:
            raise self._lost("cannot be reached any more") from error
        if not data:
            raise self._lost("closed the connection")
        return data

    def _lost(self, what: str) -> ConnectionLost:
        return ConnectionLost(f"{self.peer} {what}")


def tune(connection: socket.socket) -> None:
    """Send at once; let the operating system notice a peer that has gone without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small messages, each waited for
    for name, value in _KEEPALIVE:
        if option := getattr(socket, name, None):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def connect(host: str, port: int, peer: str, patience: float | None) -> Lines:
    """A connection to a host and port.

    Raises:
        OSError: nobody listens there, or the host is not known.
    """
    return Lines(socket.create_connection((host, port), timeout=10), peer, patience)
