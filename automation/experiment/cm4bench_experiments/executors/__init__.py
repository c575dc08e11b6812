"""Where points run: this process, several at a time on this host, Slurm by submitit, Ray by ray."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from cm4bench_experiments.child import Access
from cm4bench_experiments.errors import ExperimentError, did_you_mean
from cm4bench_experiments.folder import PointFolder

NAMES = ("local", "slurm", "submitit-local", "submitit-debug", "ray")


class Executor(Protocol):
    """Runs prepared points. A point's result is what lies in its folder afterwards, never what an engine answers."""

    width: int

    def submit(self, folder: PointFolder) -> None:
        """Take a point; it may start at once or later."""

    def finished(self) -> tuple[PointFolder, str]:
        """Wait until one of the submitted points has ended: its folder, and why its engine lost it or nothing."""

    def close(self) -> None:
        """Give back what the engine holds."""


def executor_of(name: str, jobs: int, cluster: Mapping[str, Any], place: Path, access: Access) -> Executor:
    """The executor called ``name``; ``place`` is where an engine may keep its own files.

    Raises:
        ExperimentError: there is none of that name, or its library is missing.
    """
    if name not in NAMES:
        raise ExperimentError(f"no executor {name!r}{did_you_mean(name, NAMES)}", f"--executor={'|'.join(NAMES)}")
    if jobs < 1:
        raise ExperimentError(f"--jobs={jobs} runs nothing", "--jobs=1")
    if name == "local":
        from cm4bench_experiments.executors.local import Forks, Threads

        return Threads(jobs) if jobs > 1 else Forks(access)
    if name == "ray":
        from cm4bench_experiments.executors.by_ray import ByRay

        return ByRay(jobs, cluster)
    from cm4bench_experiments.executors.by_submitit import BySubmitit

    return BySubmitit(name, jobs, cluster, place)
