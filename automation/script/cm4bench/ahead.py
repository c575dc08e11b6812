"""Making independent cache entries side by side, before the run proper walks through its steps in order.

A step may be made ahead when its identity, computed without anything that its neighbours will produce, is the one in
the plan: then nothing it can read depends on them. Each is made by a forked process and handed over through the store.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .confidential import cleanse, secrets_of
from .dependencies import dependency_call, verdict_of
from .deplists import DEP_LISTS
from .errors import CMBenchError, StepFailed
from .events import Event
from .frame import Call
from .plan import Plan, Step
from .resolver import Resolver
from .values import NamedTuple

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

    from .runner import Runner

__all__ = ["Job", "find_jobs", "make_ahead"]


class Job(NamedTuple):
    """An entry to make. `needs`: jobs that must be done first; `exclusive`: what it must not share with others."""

    step: Step
    call: Call
    needs: frozenset[str]
    exclusive: str


def find_jobs(resolver: Resolver, plan: Plan, call: Call) -> dict[str, Job]:
    """Entries that can be made ahead, by step id, each after what it needs."""
    planned = {step.id for step in plan.to_run() if step.caches and not step.undecided}
    jobs: dict[str, Job] = {}
    seen: dict[str, frozenset[str]] = {}

    def look(call: Call) -> frozenset[str]:
        try:
            step = resolver.resolve(call)
        except CMBenchError:
            return frozenset()  # it only looks impossible from here; the run itself will tell
        if step.cached or step.id in seen:
            return seen.get(step.id, frozenset())
        inner = frozenset[str]().union(*(look(dep) for dep in _certain_calls(resolver, call)))
        if step.id in planned:
            jobs[step.id] = Job(step, call, inner, str(step.script.raw.get("exclusive") or ""))
            inner = frozenset({step.id})
        seen[step.id] = inner
        return inner

    look(call)
    return jobs


def _certain_calls(resolver: Resolver, call: Call) -> Iterator[Call]:
    frame, _ = resolver.open(call)
    for phase in DEP_LISTS:
        for dep in frame.deps[phase]:
            if dep.get("tags") and verdict_of(dep, frame).holds:
                yield dependency_call(dep, frame, phase)


def make_ahead(runner: Runner, jobs: dict[str, Job], width: int) -> None:
    """Make all jobs, up to `width` at a time. The first failure stops the others and is raised.

    Raises:
        CMBenchError: of the step that failed, as if it had run in line.
    """
    if width > 1 and len(jobs) > 1 and hasattr(os, "fork"):
        _Crew(runner, dict(jobs), width).work()


class _Crew:
    """The processes at work and the jobs that still wait."""

    def __init__(self, runner: Runner, waiting: dict[str, Job], width: int) -> None:
        self._runner = runner
        self._waiting = waiting
        self._width = width
        self._busy: dict[Connection, tuple[Job, ForkProcess]] = {}

    def work(self) -> None:
        from multiprocessing.connection import wait

        try:
            while self._waiting or self._busy:
                while job := self._next():
                    self._start(job)
                for pipe in wait(list(self._busy)):
                    self._receive(pipe)  # type: ignore[arg-type]
        finally:
            self._stop()

    def _next(self) -> Job | None:
        if len(self._busy) >= self._width:
            return None
        taken = {job.exclusive for job, _ in self._busy.values()} - {""}
        ready = (j for j in self._waiting.values() if not j.needs & self._unfinished() and j.exclusive not in taken)
        return next(ready, None)

    def _unfinished(self) -> set[str]:
        return set(self._waiting) | {job.step.id for job, _ in self._busy.values()}

    def _start(self, job: Job) -> None:
        from multiprocessing import get_context

        context = get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        del self._waiting[job.step.id]
        process = context.Process(target=_work, args=(self._runner, job, theirs), daemon=False)
        sys.stdout.flush()
        process.start()
        theirs.close()
        self._busy[ours] = (job, process)

    def _receive(self, pipe: Connection) -> None:
        job, process = self._busy[pipe]
        try:
            kind, content = pipe.recv()
        except EOFError:
            kind, content = "failed", StepFailed(f"the process that made {job.step.label} {_ending(process)}")
        if kind == "event":
            self._runner.listener(content)
            return
        del self._busy[pipe]
        process.join()
        self._runner.store.forget_misses()
        if kind == "failed":
            raise content
        self._runner.made += content["made"]
        self._runner.ran += content["ran"]

    def _stop(self) -> None:
        """End what still runs; its entries stay unfinished and its partial downloads stay usable."""
        import signal

        for _, process in self._busy.values():
            assert process.pid is not None
            try:
                os.killpg(process.pid, signal.SIGTERM)  # each leads a group of its own, native children included
            except ProcessLookupError:  # it has not got as far as making the group
                process.terminate()
        for _, process in self._busy.values():
            process.join()


def _ending(process: ForkProcess) -> str:
    process.join()
    code = process.exitcode or 0
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _work(runner: Runner, job: Job, pipe: Connection) -> None:
    """In the forked process: make one entry, reporting through the pipe. Prints go to the step's log only."""
    log = _silence(runner, job)
    runner.listener = _sender(pipe)
    runner.made, runner.ran = [], []
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        try:
            try:
                runner.perform(job.call)
            finally:
                cleanse(_log(runner, job), secrets_of(job.call.env.values))
            pipe.send(("done", {"made": runner.made, "ran": runner.ran}))
        except CMBenchError as error:
            error.__cause__ = error.__context__ = None
            pipe.send(("failed", error))
        except Exception as error:
            pipe.send(("failed", _unforeseen(job, error, log)))


def _unforeseen(job: Job, error: Exception, log: Path) -> StepFailed:
    """A mistake of ours or of a script's, with its traceback where the user can send it from."""
    import traceback

    traceback.print_exception(error)
    failure = StepFailed(f"{job.step.label} could not be made: {type(error).__name__}: {error}")
    failure.log = log
    return failure


def _sender(pipe: Connection) -> Callable[[Event], None]:
    return lambda event: pipe.send(("event", event))


def _silence(runner: Runner, job: Job) -> Path:
    import signal

    os.setsid()
    # being told to stop must unwind like Ctrl-C, so that locks are released
    signal.signal(signal.SIGTERM, _interrupt)
    log = _log(runner, job)
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    return log


def _log(runner: Runner, job: Job) -> Path:
    return Path(runner.options.logs) / f"ahead-{job.step.id[:8]}.log"


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
