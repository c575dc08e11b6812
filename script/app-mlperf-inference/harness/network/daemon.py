"""A SUT server in the background: `python -m harness.network.daemon start CONFIG.json | health | stop`.

One server per port of this host. What runs where is kept in the user's state folder, `sut-server-PORT.json`, beside the
server's log.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from harness.errors import HarnessError
from harness.network.client import DEFAULT_PORT, Address, Server
from harness.network.messages import Description

START_S = 900.0  # loading a large model takes its time
STOP_S = 10.0
_POLL_S = 0.2
_ANSWER_S = 5.0


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A started server. `started_ticks` is the process's start in the kernel's count: a pid alone may be reused."""

    pid: int
    started_ticks: str
    address: str
    log: str


def start(config: Path, host: str, port: int) -> tuple[str, Description]:
    """Start a server and wait until it answers; raises HarnessError of kind `network` or the server's own diagnosis."""
    state, log = _state(port), _state(port).with_suffix(".log")
    if alive(state):
        raise HarnessError("network", f"a SUT server runs on port {port} already", _stop_hint(port))
    command = [sys.executable, "-m", "harness.serve", str(config), "--host", host, "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    address = f"http://{_reachable(host)}:{port}"
    running = Running(pid=process.pid, started_ticks=_ticks(process.pid), address=address, log=str(log))
    state.write_bytes(msgspec.json.encode(running))
    return address, _wait(process, address, log, state)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path, state: Path) -> Description:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            state.unlink(missing_ok=True)
            said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            cause = "\n".join(said[-2:]) or "it printed nothing"
            raise HarnessError("network", f"the SUT server ended while it started: {cause}", f"less {log}")
        if "SUT server:" in log.read_text(errors="replace"):
            return health(address)
        time.sleep(_POLL_S)
    process.kill()
    raise HarnessError("network", f"the SUT server did not answer within {START_S:.0f} s", f"less {log}")


def health(address: str) -> Description:
    """What the server at the address says of itself; raises HarnessError of kind `network`."""
    return Server(Address.parse(address), _ANSWER_S).describe()


def stop(port: int) -> str:
    """End the server of this host and port; returns its address. Raises HarnessError when there is none."""
    state = _state(port)
    running = alive(state)
    if running is None:
        raise HarnessError("network", f"no SUT server of yours runs on port {port}")
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while alive(state) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    if alive(state):
        os.kill(running.pid, signal.SIGKILL)
    state.unlink(missing_ok=True)
    return running.address


def alive(state: Path) -> Running | None:
    """The server that the file names, if it still runs."""
    try:
        running = msgspec.json.decode(state.read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None
    return running if running.started_ticks and _ticks(running.pid) == running.started_ticks else None


def _ticks(pid: int) -> str:
    """Start time of a live process (field 22 of its stat, counted behind the name); empty for a dead one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _state(port: int) -> Path:
    import platformdirs

    folder = Path(platformdirs.user_state_dir("cm4bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"sut-server-{port}.json"


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host


def _stop_hint(port: int) -> str:
    return f'cmr "serve mlperf inference _stop" --port={port}'


def describe(address: str, description: Description) -> str:
    """Two lines for people."""
    one = description
    ran = (
        f"; last ran {one.execution.executed} in {one.execution.precision} on {one.execution.used}"
        if one.execution
        else ""
    )
    return f"SUT server: {address}\n{one.name}: {one.model} on {one.backend_name}, batch {one.batch_size}{ran}"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 for a diagnosed failure."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.network.daemon", description="SUT server in the background"
    )
    parser.add_argument("action", choices=["start", "health", "stop"])
    parser.add_argument("config", nargs="?", help="RunConfig as JSON, for start")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    options = parser.parse_args(arguments)
    try:
        if options.action == "start":
            print(describe(*start(Path(options.config), options.host, options.port)))
            print(f"stop it: {_stop_hint(options.port)}")
        elif options.action == "health":
            address = f"http://{_reachable(options.host)}:{options.port}"
            print(describe(address, health(address)))
        else:
            print(f"stopped {stop(options.port)}")
    except HarnessError as error:
        print(f"FAILED ({error.kind}): {error.cause}", *([f"next:   {error.hint}"] if error.hint else []), sep="\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
