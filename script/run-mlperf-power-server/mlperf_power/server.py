"""The director's side: one client at a time, whose session it leads through the power protocol, version 3."""

from __future__ import annotations

import contextlib
import logging
import shutil
import socket
import string
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mlperf_power import clocks
from mlperf_power.errors import ConnectionLost, PowerError
from mlperf_power.journal import Journal
from mlperf_power.ptdaemon import Ptdaemon
from mlperf_power.record import Exchange, Record, hash_folder
from mlperf_power.session import Session
from mlperf_power.settings import ServerSettings
from mlperf_power.wire import Lines

log = logging.getLogger("mlperf_power")

MAGIC_CLIENT = "mlcommons/power client v3"
MAGIC_SERVER = "mlcommons/power server v3"
# The files of a session that a client may ask for.
OFFERED = ("power/ptd_logs.txt", "ranging/spl.txt", "power/server.json", "power/server.log", "run_1/spl.txt")
OFFERED_TOO = ("run_1/ptd_out.txt",)  # power-dev's client fetches it; no checker wants it
MODES = ("ranging", "testing")
_LABEL = frozenset(string.ascii_letters + string.digits + "-_")
_GREETING_PATIENCE_S = 10.0


class BrokenOff(Exception):
    """The server is ended while a session goes on."""


class Server:
    """Listens and serves until `stop`. `port` is the one it has, which may have been chosen by the system (0)."""

    def __init__(self, settings: ServerSettings, journal: Journal) -> None:
        self.settings = settings
        self._journal = journal
        self._ending = threading.Event()
        self._worker: threading.Thread | None = None
        self._client: Lines | None = None
        self._listener = _listen(settings.host, settings.port)
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Serve clients, until `stop` or a client's `stop`; then leave the analyzers as they were found."""
        log.info("ready for clients at %s:%d", self.settings.host, self.port)
        try:
            while not self._ending.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, address = self._listener.accept()
                    self._welcome(connection, f"the client {address[0]}")
        finally:
            self.stop()
            self._listener.close()
            if self._client:
                self._client.close()
            if self._worker:
                self._worker.join()

    def stop(self) -> None:
        self._ending.set()

    def _welcome(self, connection: socket.socket, peer: str) -> None:
        lines = Lines(connection, peer, None)
        if self._worker and self._worker.is_alive():
            with contextlib.suppress(PowerError):
                lines.send("Error: the server is busy with another client; try again when it is done")
            lines.close()
            return
        self._client = lines
        self._worker = threading.Thread(target=self._attend, args=(lines, peer), daemon=True)
        self._worker.start()

    def _attend(self, lines: Lines, peer: str) -> None:
        self._journal.start()
        log.info("connected: %s", peer)
        conversation = Conversation(self.settings, lines, self._journal, self._wait)
        try:
            conversation.hold()
        except (ConnectionLost, BrokenOff) as error:
            log.info("%s", error or "the server is ended")
        finally:
            conversation.close()
            lines.close()
            if conversation.stop_server:
                self.stop()

    def _wait(self, seconds: float) -> None:
        if self._ending.wait(seconds):
            raise BrokenOff


class Conversation:
    """What one client asks and is told."""

    def __init__(
        self, settings: ServerSettings, lines: Lines, journal: Journal, settle: Callable[[float], None]
    ) -> None:
        self.stop_server = False
        self._settings, self._lines, self._journal, self._settle = settings, lines, journal, settle
        self._record = Record()
        self._session: Session | None = None
        self._done: Path | None = None

    def hold(self) -> None:
        """Greet, then answer until the client closes. Raises ConnectionLost, BrokenOff."""
        asked, began = self._lines.receive(_GREETING_PATIENCE_S), time.time()
        self._reply(asked, began, MAGIC_SERVER)
        if asked != MAGIC_CLIENT:
            log.error("the client says %r; expected was %r", asked[:100], MAGIC_CLIENT)
            return
        while True:
            asked, began = self._lines.receive(), time.time()
            log.info("asked: %r", asked)
            reply = self._answer(asked)
            if reply is not None:
                self._reply(asked, began, reply)

    def close(self) -> None:
        """End a session that the client left open; its logs stay."""
        if self._session is not None:
            log.warning("the session ends before it was done; its logs stay in %s", self._session.folder)
            self._finish(self._session)

    def _reply(self, asked: str, began: float, reply: str) -> None:
        log.info("answer: %r", reply)
        self._record.messages.append(Exchange(asked, began, reply, time.time()))
        self._lines.send(reply)

    def _answer(self, asked: str) -> str | None:
        """The reply, or None where it was sent already."""
        word, *rest = asked.split(",")
        try:
            match word, rest:
                case "time", []:
                    return str(time.time())
                case "set_ntp", []:
                    clocks.require_ntp(self._settings.ntp_server, "the power server's")
                case "stop", []:
                    self.stop_server = True
                case "new", [label, client]:
                    return self._new(label, client)
                case "session", [name, *command] if self._session and name in (self._session.name, "*"):
                    self._command(self._session, command)
                case "download", [_, name] if self._done and name in OFFERED + OFFERED_TOO:
                    self._lines.send_file(self._done / name)
                    return None
                case "cleanup", [_] if self._done:
                    shutil.rmtree(self._done)
                    self._done = None
                case _:
                    return f"Error: not understood, or out of turn: {asked[:100]}"
        except (PowerError, OSError) as error:
            log.error("%s", error)
            hint = getattr(error, "hint", "")
            return f"Error: {error}" + (f" ({hint})" if hint else "")
        return "OK"

    def _new(self, label: str, client: str) -> str:
        if not set(label) <= _LABEL:
            raise PowerError("a label has letters, digits, - and _ only")
        if self._session is not None:
            self._finish(self._session)
        self._session = Session(self._settings, label, self._settle, self._record)
        return f"OK {self._session.name},{self._session.identify(client)}"

    def _command(self, session: Session, command: list[str]) -> None:
        match command:
            case "start", ("ranging" | "testing") as mode:
                session.start(mode)
            case "start", "testing", volts, amps:
                session.start("testing", (volts, amps))
            case "stop", ("ranging" | "testing") as mode:
                session.stop(mode)
            case ["done"]:
                self._finish(session)
                self._done = session.folder
            case _:
                raise PowerError(f"unknown command of a session: {','.join(command)[:100]}")

    def _finish(self, session: Session) -> None:
        self._session = None
        session.end()
        if not (session.power / "ptd_logs.txt").exists():
            session.collect_logs()
        self._journal.save(session.power / "server.log")
        session.record.results = hash_folder(session.folder)
        (session.power / "server.json").write_text(session.record.to_json(), encoding="utf-8", newline="\n")
        self._record = Record()


def probe(settings: ServerSettings) -> list[str]:
    """Start every PTDaemon once and end it again; what each analyzer calls itself. Raises PowerError."""
    identities = []
    settings.out_dir.mkdir(parents=True, exist_ok=True)
    for analyzer in settings.analyzers:
        daemon = Ptdaemon(settings, analyzer, settings.out_dir)
        daemon.start()
        daemon.end()
        identities += [exchange.reply for exchange in daemon.exchanges if exchange.cmd == "Identify"]
    return identities


def _listen(host: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise PowerError(
            f"the power server cannot listen on {host}:{port}: {error.strerror}",
            "end the server that is there, or choose another port: --port=N",
        ) from error
    listener.settimeout(0.2)
    return listener
