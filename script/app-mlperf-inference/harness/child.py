"""One loadgen run in this process: `python -m harness.child CONFIG.json PROGRESS_FD`.

Started by `supervise`, in the output folder. Exit codes: 0 the test ran, 1 a diagnosed failure (see the report file);
anything else is a crash.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import msgspec

from harness import audit, energy, memory, registry, settings
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.heartbeat import Heartbeat
from harness.memory import peak_rss_bytes
from harness.outcome import Failure, Timings
from harness.qsl import Library
from harness.recorder import Recorder
from harness.report import ChildReport
from harness.sut import Sut
from harness.tasks.base import Dataset
from harness.workload import Workload, workload_for


class Child:
    """The run's steps in order; every failure ends in a report."""

    def __init__(self, config: RunConfig, heartbeat: Heartbeat) -> None:
        self._config, self._heartbeat = config, heartbeat
        self._folder = Path(config.output_dir)
        self._started = time.perf_counter()
        self._report = ChildReport(load_average_before=os.getloadavg()[0])
        self._timings = Timings()
        self.blame = "internal"  # the kind of an unexpected exception in the current step

    def run(self) -> None:
        """Prepare, measure, report; raises HarnessError."""
        loadgen = _import_loadgen()
        registry.add_paths(self._config.task_path)
        test_settings = settings.build(loadgen, self._config)
        task: Any = registry.resolve("task", self._config.task)(self._config)
        workload = workload_for(self._config, task)
        self._note(dataset_facts=task.facts())
        self._load(workload)
        library = workload.library(self._sample_count(task, test_settings))
        recorder = workload.recorder()
        dispatcher = workload.dispatcher(
            loadgen, library, recorder, self.die, token_latencies=test_settings.use_token_latencies
        )
        sut = Sut(loadgen, dispatcher, library, self.die, workload.sut_name)
        self._measure(sut, test_settings, workload, library, recorder)

    def _load(self, workload: Workload) -> None:
        self._heartbeat.enter("load")
        self.blame = "load"
        started = time.perf_counter()
        self._note(model_facts=workload.load())
        self._time(load_s=time.perf_counter() - started)
        self._heartbeat.enter("warm-up")
        self.blame = "raised"
        started = time.perf_counter()
        workload.warm_up()
        self._note(notes=(*self._report.notes, *workload.notes))
        self._time(warmup_s=time.perf_counter() - started)

    def _sample_count(self, task: Dataset, test_settings: Any) -> int:
        """Fix loadgen's performance sample count to what the data set and the memory allow."""
        config = self._config
        in_user_conf = settings.read_user_conf(config).get("performance_sample_count_override")
        asked = config.performance_sample_count or (int(in_user_conf.value) if in_user_conf else None)
        fitting = memory.samples_that_fit(task.sample_bytes, config.sample_memory_mb)
        count, note = memory.performance_sample_count(
            asked or None, test_settings.performance_sample_count_override, task.count, fitting
        )
        test_settings.performance_sample_count_override = count
        self._note(performance_sample_count=count, notes=(*self._report.notes, *([note] if note else [])))
        return count

    def _measure(self, sut: Sut, test_settings: Any, workload: Workload, library: Library, recorder: Recorder) -> None:
        self.blame = "internal"
        execution = workload.execution()
        self._note(execution=execution)  # kept even if the run dies
        gc.collect()
        gc.freeze()  # the model's objects need no scanning while we measure
        meter = energy.Meter.open(execution.gpu_uuid)
        library.on_loaded, library.on_finished = meter.begin, meter.end
        self._heartbeat.enter("loadgen", recorder, execution.gpu_uuid)
        wall, cpu = time.perf_counter(), time.process_time()
        sut.run(test_settings, str(self._folder), audit.place(self._config))
        self._note(cpu_s=time.process_time() - cpu, samples=recorder.completed, peak_rss_bytes=peak_rss_bytes())
        if self._config.mode != "accuracy":
            self._note(energy=meter.reading(recorder.completed, self._folder))
        self._time(loadgen_s=time.perf_counter() - wall, stage_s=library.load_seconds)
        self._note(
            execution=workload.execution(),
            batch_histogram=recorder.histogram(),
            latencies=recorder.latencies(self._folder / "latencies.npy"),
        )

    def finish(self, failure: Failure | None = None) -> None:
        """Write the report."""
        self._time(total_s=time.perf_counter() - self._started)
        self._note(failure=failure, timings=self._timings)
        self._report.write(self._folder)

    def die(self, error: BaseException) -> NoReturn:
        """Report an exception raised while answering a query and end the process at once.

        Not sys.exit: loadgen's threads wait for answers that will not come, and would keep or crash the interpreter.
        """
        traceback.print_exception(error)
        sys.stderr.flush()
        self.finish(_failure_of(error, "raised"))
        os._exit(1)

    def _note(self, **changes: Any) -> None:
        self._report = msgspec.structs.replace(self._report, **changes)

    def _time(self, **changes: float) -> None:
        self._timings = msgspec.structs.replace(self._timings, **changes)


def _import_loadgen() -> ModuleType:
    try:
        import mlperf_loadgen
    except ImportError as error:
        raise HarnessError("load", f"loadgen cannot be imported: {error}", "pip install mlcommons-loadgen") from error
    module: ModuleType = mlperf_loadgen
    return module


def _failure_of(error: BaseException, kind: str) -> Failure:
    if isinstance(error, HarnessError):
        return Failure(kind=error.kind, cause=error.cause, hint=error.hint)
    where = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(where[-1].filename).name}:{where[-1].lineno})" if where else ""
    prefix = "the backend raised " if kind == "raised" else ""
    return Failure(kind=kind, cause=f"{prefix}{type(error).__name__}: {error}{place}")


def main(config_path: str, descriptor: str) -> int:
    """Run one configuration; see the module's text for the exit code."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # the watcher asks for stacks before it ends a hung run
    heartbeat = Heartbeat(int(descriptor))
    child = Child(RunConfig.read(Path(config_path)), heartbeat)
    try:
        child.run()
    except Exception as error:
        traceback.print_exc()
        child.finish(_failure_of(error, child.blame))
        return 1
    child.finish()
    heartbeat.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
