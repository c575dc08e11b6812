"""The measured host's side: run the command twice, for ranging and for testing, and gather what both sides wrote."""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from mlperf_power import clocks, workload
from mlperf_power.errors import PowerError
from mlperf_power.journal import Journal
from mlperf_power.loadgenlogs import DETAIL, SUMMARY, find_run
from mlperf_power.record import Exchange, Record, Uuids, hash_folder, own_sources
from mlperf_power.server import MAGIC_CLIENT, MAGIC_SERVER, OFFERED
from mlperf_power.settings import PORT
from mlperf_power.wire import Lines, connect

log = logging.getLogger("mlperf_power")

# The server rests, starts PTDaemons and reads some thousand samples before it answers.
PATIENCE_S = 180.0
FOLDERS = ("power", "ranging", "run_1")


@dataclass(frozen=True)
class ClientSettings:
    """One measured run. `output` gets power/, ranging/ and run_1/: the `performance` folder of a submission.

    `fixed_ranges` (volts, amperes) leave the ranging run out; such a result is for trials only.
    """

    server: str
    ntp_server: str
    command: str
    loadgen_logs: Path
    output: Path
    port: int = PORT
    label: str = ""
    fixed_ranges: tuple[str, str] | None = None
    command_timeout: float | None = None
    stop_server: bool = False
    patience: float = PATIENCE_S


def measure(settings: ClientSettings, journal: Journal) -> Path:
    """Measure; the output folder. Nothing is put there before all is complete.

    Raises:
        PowerError: with the cause, on either side; what was gathered until then stays in `.unfinished-power`.
        KeyboardInterrupt: after the command and the server's measurement were ended.
    """
    _require_room(settings)
    staging = settings.output / ".unfinished-power"
    shutil.rmtree(staging, ignore_errors=True)
    journal.start()
    lines = _connect(settings)
    try:
        _Measurement(settings, journal, lines, staging).make()
    finally:
        lines.close()  # a server whose client has gone stops measuring
    for name in FOLDERS:
        if (staging / name).exists():
            (staging / name).rename(settings.output / name)
    staging.rmdir()
    return settings.output


class _Measurement:
    """The conversation with the server, and the two runs of the command."""

    def __init__(self, settings: ClientSettings, journal: Journal, lines: Lines, staging: Path) -> None:
        self._settings, self._journal, self._lines, self._staging = settings, journal, lines, staging
        self._record = Record()

    def make(self) -> None:
        if (magic := self._ask(MAGIC_CLIENT)) != MAGIC_SERVER:
            cause = magic if magic.startswith("Error") else f"no power server answers there, but {magic[:80]!r}"
            raise PowerError(f"{self._lines.peer}: {cause}", "check --power_server and --port")
        if self._settings.stop_server:
            self._require("stop")
        self._check_clocks()
        session = self._open_session()
        (self._staging / "power").mkdir(parents=True)
        for mode in ("testing",) if self._settings.fixed_ranges else ("ranging", "testing"):
            self._run(session, mode)
        self._close_session(session)

    def _open_session(self) -> str:
        ours = str(uuid.uuid4())
        status, _, rest = self._ask(f"new,{self._settings.label},{ours}").partition(" ")
        session, _, theirs = rest.partition(",")
        if status != "OK" or not theirs:
            raise PowerError(f"{self._lines.peer} opens no session: {status} {rest}")
        self._record.uuid, self._record.session_name = Uuids(ours, theirs), session
        log.info("session %s; our sources: %s", session, own_sources())
        return session

    def _run(self, session: str, mode: str) -> None:
        self._check_clocks()
        self._record.begin_phase(mode, 0)
        fixed = self._settings.fixed_ranges
        self._require(f"session,{session},start,{mode}" + (f",{fixed[0]},{fixed[1]}" if fixed else ""))
        self._record.begin_phase(mode, 1)
        self._check_difference()
        log.info("%s: running %r", mode, self._settings.command)
        began = time.time()
        workload.run(self._settings.command, mode, self._settings.command_timeout)
        ended = time.time()
        self._check_difference()
        self._record.begin_phase(mode, 2)
        self._require(f"session,{session},stop,{mode}")
        self._record.begin_phase(mode, 3)
        self._check_difference()
        self._take_logs(mode, find_run(self._settings.loadgen_logs, began, ended))

    def _take_logs(self, mode: str, run: Path) -> None:
        folder = self._staging / ("run_1" if mode == "testing" else mode)
        folder.mkdir()
        for name in (DETAIL, SUMMARY):
            if not (run / name).is_file():
                raise PowerError(f"{run} holds no {name}", "the run must end by itself: loadgen writes it last")
            shutil.copyfile(run / name, folder / name)

    def _close_session(self, session: str) -> None:
        self._journal.save(self._staging / "power" / "client.log")
        self._record.results = hash_folder(self._staging)
        text = self._record.to_json()
        (self._staging / "power" / "client.json").write_text(text, encoding="utf-8", newline="\n")
        self._require(f"session,{session},done")
        for name in OFFERED:
            if (self._staging / name).parent.is_dir():
                self._lines.send(f"download,{session},{name}")
                self._lines.receive_file(self._staging / name)
        self._require(f"cleanup,{session}")

    def _check_clocks(self) -> None:
        offset = clocks.require_ntp(self._settings.ntp_server)
        log.info("this clock is off by %.1f ms from %s", offset.seconds * 1000, self._settings.ntp_server)
        self._check_difference()

    def _check_difference(self) -> None:
        found = clocks.require_close(lambda: _seconds(self._ask("time"), self._lines.peer))
        log.info("the server's clock differs by %.1f ms", found * 1000)

    def _require(self, command: str) -> None:
        if (reply := self._ask(command)) != "OK":
            raise PowerError(f"{self._lines.peer}: {reply.removeprefix('Error: ')}")

    def _ask(self, command: str) -> str:
        asked = time.time()
        log.info("asking the server: %r", command)
        reply = self._lines.ask(command)
        self._record.messages.append(Exchange(command, asked, reply, time.time()))
        log.info("its answer: %r", reply)
        return reply


def _require_room(settings: ClientSettings) -> None:
    taken = [name for name in FOLDERS if (settings.output / name).exists()]
    if taken:
        raise PowerError(
            f"{settings.output} already holds {', '.join(taken)}: a measurement of before",
            "give another folder: --output_dir=FOLDER",
        )
    logs, output = settings.loadgen_logs.absolute(), settings.output.absolute()
    if output == logs or logs in output.parents:
        raise PowerError(
            f"the output {output} must not lie within the loadgen logs {logs}: copies would be found as runs",
            "give another folder: --output_dir=FOLDER",
        )


def _connect(settings: ClientSettings) -> Lines:
    peer = f"the power server {settings.server}:{settings.port}"
    try:
        return connect(settings.server, settings.port, peer, settings.patience)
    except OSError as error:
        raise PowerError(
            f"{peer} cannot be reached: {error.strerror or error}",
            'start it on the host beside the analyzer: cmr "run mlperf power server"',
        ) from error


def _seconds(text: str, peer: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise PowerError(f"{peer} does not tell its time but {text[:80]!r}") from error
