"""loadgen's side of the wire: keep-alive connections to the SUT servers, and what to say when one fails.

Nothing is retried. A connection that breaks in a measurement is a fact about the system under test.
"""

from __future__ import annotations

import http.client
import itertools
import time
from dataclasses import dataclass
from queue import Empty, LifoQueue
from urllib.parse import urlsplit

import msgspec

from harness.errors import HarnessError
from harness.network import frame as frames
from harness.network.messages import DESCRIBE, FRAME_TYPE, INFER, NAME, Description, Refusal

DEFAULT_PORT = 8765
_START = 'is it running there? start it: cmr "serve mlperf inference" --host=0.0.0.0'


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"http://{self.host}:{self.port}"

    @staticmethod
    def parse(text: str) -> Address:
        """Read `host`, `host:port` or `http://host:port`; raises ValueError for anything else."""
        parts = urlsplit(text if "//" in text else f"http://{text}")
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{text!r} is no address of a SUT server, which look like http://host:{DEFAULT_PORT}")
        return Address(parts.hostname, parts.port or DEFAULT_PORT)


@dataclass(frozen=True)
class Pending:
    """A request that was sent and whose answer was not read yet."""

    server: Server
    connection: http.client.HTTPConnection
    sent_at: float


class Server:
    """One SUT server. Threads may call at the same time; each request has a connection of its own while it lasts."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        self.address, self.timeout_s = address, timeout_s
        self._idle: LifoQueue[http.client.HTTPConnection] = LifoQueue()

    def describe(self) -> Description:
        """What the server says about itself."""
        try:
            return msgspec.json.decode(self._get(DESCRIBE), type=Description)
        except msgspec.MsgspecError as error:
            raise HarnessError(
                "network", f"{self.address} is no SUT server of this harness: {error}", _START
            ) from error

    def name(self) -> str:
        """The server's name, by a round trip over the network."""
        return self._get(NAME).decode()

    def send(self, buffers: list[frames.Buffer], size: int) -> Pending:
        """Send a frame; the answer is read by `receive`."""
        connection = self._connection()
        headers = {"Content-Length": str(size), "Content-Type": FRAME_TYPE}
        started = time.monotonic()
        try:
            connection.request("POST", INFER, body=buffers, headers=headers)
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error, started) from error
        return Pending(self, connection, started)

    def receive(self, pending: Pending) -> frames.Frame:
        """Wait for the answer; raises HarnessError of kind `network`, or of the kind that the server reports."""
        return frames.decode(bytearray(self._read(pending.connection, pending.sent_at)))

    def _get(self, path: str) -> bytes:
        connection = self._connection()
        started = time.monotonic()
        try:
            connection.request("GET", path)
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error, started) from error
        return self._read(connection, started)

    def _read(self, connection: http.client.HTTPConnection, started: float) -> bytes:
        try:
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error, started) from error
        if response.status != http.HTTPStatus.OK:
            raise self._refused(response.status, body)
        self._idle.put(connection)
        return body

    def _connection(self) -> http.client.HTTPConnection:
        try:
            connection = self._idle.get_nowait()
        except Empty:
            return http.client.HTTPConnection(self.address.host, self.address.port, timeout=self.timeout_s)
        if connection.sock is not None:
            connection.sock.settimeout(self.timeout_s)
        return connection

    def _broken(self, error: Exception, started: float) -> HarnessError:
        waited = time.monotonic() - started
        if isinstance(error, TimeoutError):
            cause = f"the SUT server {self.address} has not answered for {waited:.1f} s"
            return HarnessError("network", cause, "a slow model needs a larger --hang_timeout (seconds)")
        if isinstance(error, ConnectionRefusedError):
            return HarnessError("network", f"no SUT server answers at {self.address}: connection refused", _START)
        if isinstance(error, ConnectionError | http.client.HTTPException):
            cause = f"the SUT server {self.address} closed the connection before it answered ({type(error).__name__})"
            return HarnessError("network", cause, "its own log says why it ended")
        said = getattr(error, "strerror", None) or error
        return HarnessError("network", f"the SUT server {self.address} cannot be reached: {said}", _START)

    def _refused(self, status: int, body: bytes) -> HarnessError:
        try:
            said = msgspec.json.decode(body, type=Refusal)
        except msgspec.MsgspecError:
            return HarnessError("network", f"{self.address} answered with HTTP {status}: is it a SUT server?", _START)
        return HarnessError(said.kind, f"SUT server {self.address}: {said.cause}", said.hint)


class Servers:
    """The nodes of one SUT, asked in turn."""

    def __init__(self, addresses: tuple[str, ...], timeout_s: float) -> None:
        self.all = [Server(Address.parse(one), timeout_s) for one in addresses]
        self._turn = itertools.cycle(self.all)

    def next(self) -> Server:
        """The node whose turn it is (a step of `cycle` is atomic under the interpreter's lock)."""
        return next(self._turn)

    def be_patient_for(self, seconds: float) -> None:
        """Longest wait for an answer from now on."""
        for server in self.all:
            server.timeout_s = seconds

    def name(self) -> str:
        """Name for loadgen's log: every node is asked for its own, as the network division wants."""
        names = [server.name() for server in self.all]
        if len(set(names)) < len(names):
            raise HarnessError("network", f"two addresses lead to the same SUT server: {', '.join(names)}")
        return f"Network SUT: {', '.join(names)}"
