"""The parent's side of a run: start the child in a session of its own and watch it without polling."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from harness import settings
from harness.config import RunConfig
from harness.gpu import GpuWatch
from harness.report import CONFIG, CONSOLE, Message, Phase
from harness.scenarios import ALL

_ENTRY = {"python": "harness.child", "cpp": "harness.cpp.handover"}
TICK_S = 1.0
GRACE_S = 30.0  # from the last message to the end of the process
STACKS_S = 0.5  # time for faulthandler to write every thread's stack


@dataclass(frozen=True)
class Progress:
    """For display: samples are counted by the harness, `elapsed_s` since the child was started."""

    phase: Phase
    issued: int
    completed: int
    elapsed_s: float


@dataclass(frozen=True)
class Ending:
    """How the child ended. `hung_s` is set where the watcher had to end it; `last` is the last message heard."""

    returncode: int
    last: Message
    elapsed_s: float
    hung_s: float | None = None

    @property
    def signal_name(self) -> str:
        """Name of the signal that ended the child, empty for a normal exit."""
        return signal.Signals(-self.returncode).name if self.returncode < 0 else ""


OnProgress = Callable[[Progress], None]


class Child:
    """A started child process and the reading end of its progress pipe."""

    def __init__(self, config: RunConfig) -> None:
        folder = Path(config.output_dir)
        self._pipe, write_end = os.pipe()
        command = [sys.executable, "-m", _ENTRY[config.implementation], str(folder / CONFIG), str(write_end)]
        with (folder / CONSOLE).open("wb") as console:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=_environment(config),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                pass_fds=(write_end,),
                start_new_session=True,
            )
        os.close(write_end)
        self._rest = b""

    def receive(self, timeout_s: float) -> list[Message] | None:
        """Wait for messages; an empty list on timeout, None once the child has closed its end."""
        ready, _, _ = select.select([self._pipe], [], [], timeout_s)
        if not ready:
            return []
        block = os.read(self._pipe, 65536)
        if not block:
            return None
        *lines, self._rest = (self._rest + block).split(b"\n")
        return [msgspec.json.decode(line, type=Message) for line in lines]

    def dump_stacks(self) -> None:
        """Have every thread's Python stack written to the console log."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(STACKS_S)

    def kill(self) -> None:
        """End the child and everything it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """Close the pipe; kills the child if it still runs."""
        if self.process.poll() is None:
            self.kill()
        os.close(self._pipe)


class Patience:
    """Decides when silence is a hang: no counter moved for as long as the phase allows."""

    def __init__(self, config: RunConfig) -> None:
        self._load_s = config.load_timeout_s
        # In Server the next query may be far away: e^-20 is the chance of a pause of 20 mean gaps.
        gaps = 20 / settings.target_qps(config) if ALL[config.scenario].queued else 0.0
        self._run_s = max(config.hang_timeout_s, gaps)
        self.last = Message(phase="start")
        self._since = time.monotonic()

    def hear(self, message: Message) -> None:
        """Take note of a message."""
        if (message.phase, message.issued, message.completed) != (
            self.last.phase,
            self.last.issued,
            self.last.completed,
        ):
            self._since = time.monotonic()
        self.last = message

    @property
    def silent_s(self) -> float:
        """Seconds since something last moved."""
        return time.monotonic() - self._since

    @property
    def left_s(self) -> float:
        """Seconds until the silence counts as a hang; negative when it does."""
        if self.last.phase == "done":
            limit = GRACE_S
        elif self.last.phase == "loadgen" and self.last.issued:
            limit = self._run_s
        else:
            limit = self._load_s
        return limit - self.silent_s


def watch(config: RunConfig, gpu: GpuWatch, on_progress: OnProgress | None = None) -> Ending:
    """Run one child to its end. The child never outlives this call, whatever is raised here."""
    started = time.monotonic()
    child = Child(config)
    try:
        ending = _follow(child, Patience(config), gpu, on_progress, started)
    finally:
        child.close()
    return replace(ending, elapsed_s=time.monotonic() - started)


def _follow(child: Child, patience: Patience, gpu: GpuWatch, on_progress: OnProgress | None, started: float) -> Ending:
    next_sample = 0.0
    while (messages := child.receive(max(0.0, min(TICK_S, patience.left_s)))) is not None:
        now = time.monotonic()
        for message in messages:
            if message.gpu_uuid and not patience.last.gpu_uuid:
                gpu.watch(message.gpu_uuid)
            patience.hear(message)
            if on_progress:
                on_progress(Progress(message.phase, message.issued, message.completed, now - started))
        if patience.last.phase == "loadgen" and now >= next_sample:
            gpu.sample()
            next_sample = now + TICK_S
        if patience.left_s <= 0:
            return _end_hung(child, patience)
    try:
        return Ending(child.process.wait(GRACE_S), patience.last, 0.0)
    except subprocess.TimeoutExpired:
        return _end_hung(child, patience)


def _end_hung(child: Child, patience: Patience) -> Ending:
    hung = patience.silent_s
    child.dump_stacks()
    child.kill()
    return Ending(child.process.returncode, patience.last, 0.0, hung)


def _environment(config: RunConfig) -> dict[str, str]:
    package_root = str(Path(__file__).resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([package_root, *([inherited] if inherited else [])]),
        "PYTHONUNBUFFERED": "1",
    }
    if config.threads is not None:
        environment["OMP_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = str(config.threads)
    return environment


_FRAME = re.compile(r'\s+File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>.+)')


def stuck_at(console: Path) -> str:
    """Innermost Python frame of the thread that answers queries, from the stacks in the console log."""
    try:
        text = console.read_text(errors="replace")
    except OSError:
        return ""
    for stack in re.split(r"^(?:Current thread|Thread) .*$", text, flags=re.MULTILINE)[1:]:
        frames = list(_FRAME.finditer(stack))
        if frames and any("/harness/scenarios/" in frame["file"] for frame in frames):
            top = frames[0]
            return f"{Path(top['file']).name}:{top['line']} in {top['function']}"
    return ""
