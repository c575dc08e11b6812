"""The process of one point: `python -m cm4bench_experiments.child FOLDER`, or a fork of a warm cmind.

A process of its own, because scripts change their surroundings, and because what hangs must be ended from outside.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cm4bench_experiments.folder import Ask, PointFolder, Status
from cm4bench_results.record import RecordError
from cm4bench_results.store import ResultStore, load_file

# cmind's `access`: one dictionary in, one out.
Access = Callable[[dict[str, Any]], dict[str, Any]]
SCRIPT = "script,5b4e0237da074764"
RECORDS = "cm_mlperf_results"
INTERRUPTED = 130  # what cm4bench returns after SIGINT or SIGTERM
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG of Linux


def live(folder: PointFolder, access: Access, parent: int) -> None:
    """Run the point and write its status; what it prints goes to its log. Ends with its parent, if that is killed."""
    _end_with(parent)
    _redirect(folder.log)
    status = perform(folder.ask(), access)
    if status is None:
        sys.exit(INTERRUPTED)  # without a status: the point is still missing
    folder.end(status)


def perform(ask: Ask, access: Access) -> Status | None:
    """Run the point in this process: its state, its records, and how long the run itself took.

    None for a run that was interrupted, which says nothing about the point.
    """
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    store, begun = ResultStore(Path(ask.results_dir)), time.perf_counter()
    before = set(_runs(store))
    sys.argv = [str(Path(sys.executable).parent / "cmr"), *ask.argv()]
    os.chdir(ask.cwd)
    try:
        answer = access(_command(ask))
    except Exception as error:  # a script's own code may raise anything; the sweep goes on
        answer = {"return": 1, "error": f"{type(error).__name__}: {error}"}
    if answer.get("return") == INTERRUPTED:
        return None
    took = time.perf_counter() - begun
    records = tuple(map(str, (answer.get("new_state") or {}).get(RECORDS) or ()))
    records = records or tuple(_own(store, set(_runs(store)) - before))
    failed = bool(answer.get("return"))
    cause = cause_of(str(answer.get("error") or "unknown")) if failed else ""
    return Status("failed" if failed else "done", cause, records, took, started, platform.node())


def cause_of(text: str) -> str:
    """The line that names the cause."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].removeprefix("error: ") if lines else "unknown"


def _command(ask: Ask) -> dict[str, Any]:
    env = {"CM_MLPERF_RESULTS_DIR": ask.results_dir, **ask.env}
    return {"action": "run", "automation": SCRIPT, "tags": ask.tags, "out": "con", "env": env, **ask.options}


def _runs(store: ResultStore) -> list[Path]:
    return sorted(path for path in store.root.glob("*") if path.is_dir())


def _own(store: ResultStore, new: Iterable[Path]) -> list[str]:
    """Records that a failed run has left: those of this very command among what is new."""
    found = []
    for path in sorted(file for run in new for file in run.glob("*/result.json")):
        try:
            if load_file(path).request.argv == tuple(sys.argv[1:]):
                found.append(str(path))
        except RecordError:
            continue
    return found


def _redirect(log: Path) -> None:
    """Both outputs to ``log``, for this process and all it starts; nothing can be asked of a user."""
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("ab") as file, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _end_with(parent: int) -> None:
    """A killed sweep must not leave a measured run behind, which nobody watches."""
    signal.signal(signal.SIGTERM, _end)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGTERM)
    if os.getppid() != parent:
        _end()


def _end(*_: object) -> None:
    from cm4bench_experiments.keeper import kill_tree

    kill_tree(os.getpid(), itself=False)
    os._exit(143)


def main(path: str) -> None:
    """Run the point in the folder ``path`` with a cmind of its own."""
    from cmind import CM

    live(PointFolder(Path(path)), CM().access, os.getppid())


if __name__ == "__main__":
    main(sys.argv[1])
