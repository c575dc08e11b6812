"""Points as jobs of Slurm, or of submitit's own stand-ins for it on this host. The folder must be on a shared disk.

Untested on a real Slurm cluster; the same code runs with submitit's local engine in the tests.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cm4bench_experiments.errors import ExperimentError
from cm4bench_experiments.folder import PointFolder
from cm4bench_experiments.keeper import keep_started, python_path

_LOOK_EVERY_S = 0.2


class BySubmitit:
    """Jobs of submitit. ``cluster`` are its own parameters: slurm_partition, gpus_per_node, timeout_min, …"""

    def __init__(self, name: str, width: int, cluster: Mapping[str, Any], place: Path) -> None:
        from cm4bench_database.extras import need

        need("submitit")
        import submitit

        self.width = width
        os.environ["PYTHONPATH"] = python_path()  # jobs inherit it
        kind = name.removeprefix("submitit-")
        try:
            self._engine = submitit.AutoExecutor(folder=place / "submitit", cluster=kind)
            self._engine.update_parameters(name="cm4bench", **{"timeout_min": 24 * 60, **cluster})
        except (RuntimeError, ValueError, TypeError, NameError) as error:
            raise ExperimentError(
                f"submitit refuses: {error}", "see docs/experiments.md, or --executor=local"
            ) from None
        self._jobs: list[tuple[Any, PointFolder]] = []

    def submit(self, folder: PointFolder) -> None:
        self._jobs.append((self._engine.submit(keep_started, str(folder.path)), folder))

    def finished(self) -> tuple[PointFolder, str]:
        while True:
            for index, (job, folder) in enumerate(self._jobs):
                if job.done():
                    del self._jobs[index]
                    return folder, _trouble(job)
            time.sleep(_LOOK_EVERY_S)

    def close(self) -> None:
        for job, _ in self._jobs:
            job.cancel()


def _trouble(job: Any) -> str:
    error = job.exception()
    lines = str(error).strip().splitlines() if error else []
    return f"job {job.job_id}: {lines[-1]}" if lines else ""
