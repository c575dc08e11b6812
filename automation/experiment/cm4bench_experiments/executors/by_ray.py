"""Points as tasks of Ray, on a cluster (`--cluster.address=auto`) or on one that lives as long as this command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cm4bench_experiments.errors import ExperimentError
from cm4bench_experiments.folder import PointFolder
from cm4bench_experiments.keeper import keep_started, python_path

# Arguments of a task; all others are of `ray.init`.
_OF_TASKS = ("num_cpus", "num_gpus", "resources")


class ByRay:
    """Tasks of Ray. ``cluster`` are parameters of ``ray.init`` (address, …) and of a task (num_cpus, num_gpus)."""

    def __init__(self, width: int, cluster: Mapping[str, Any]) -> None:
        from cm4bench_database.extras import need

        need("ray")
        import ray

        self.width, self._ray = width, ray
        of_task = {"num_cpus": 1, **{key: value for key, value in cluster.items() if key in _OF_TASKS}}
        start = {key: value for key, value in cluster.items() if key not in _OF_TASKS}
        start = {"include_dashboard": False, "log_to_driver": False, **start}
        try:
            ray.init(runtime_env={"env_vars": {"PYTHONPATH": python_path()}}, **start)
        except (ConnectionError, RuntimeError, TypeError, ValueError) as error:
            raise ExperimentError(f"Ray refuses: {error}", "see docs/experiments.md, or --executor=local") from None
        # A point is never tried twice behind our back: a second try would be a second measurement.
        self._task = ray.remote(max_retries=0, **of_task)(keep_started)
        self._under_way: dict[Any, PointFolder] = {}

    def submit(self, folder: PointFolder) -> None:
        self._under_way[self._task.remote(str(folder.path))] = folder

    def finished(self) -> tuple[PointFolder, str]:
        done, _ = self._ray.wait(list(self._under_way), num_returns=1)
        folder = self._under_way.pop(done[0])
        try:
            self._ray.get(done[0])
        except self._ray.exceptions.RayError as error:
            return folder, str(error).strip().splitlines()[-1]
        return folder, ""

    def close(self) -> None:
        self._ray.shutdown()
