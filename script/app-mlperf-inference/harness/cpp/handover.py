"""Prepare a run for the C++ program and become it: `python -m harness.cpp.handover CONFIG.json PROGRESS_FD`.

Task and model are Python, so their work is done first and left in files: the samples as the task prepares them, the
network as TorchScript, and the run as `key=value` lines. Then this process is replaced by the program, which keeps its
number, its progress pipe and its watcher; no Python is left while loadgen measures.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from harness import audit, memory, registry, settings
from harness.arrays import Array
from harness.child import _failure_of, _import_loadgen
from harness.config import RunConfig
from harness.cpp.module import Exported, export
from harness.errors import HarnessError
from harness.heartbeat import Heartbeat
from harness.report import ChildReport
from harness.scenarios import ALL
from harness.tasks.base import Task

FOLDER = "native"
_CHUNK = 64
_SPARE = 1.05  # free room that the samples' files must leave


def main(config_path: str, descriptor: str) -> int:
    """Exit code 1 for a diagnosed failure; does not return where all is well."""
    heartbeat = Heartbeat(int(descriptor))
    heartbeat.enter("load")
    config = RunConfig.read(Path(config_path))
    started = time.perf_counter()
    try:
        arguments = prepare(config)
    except Exception as error:
        traceback.print_exc()
        ChildReport(failure=_failure_of(error, "load")).write(Path(config.output_dir))
        return 1
    print(f"prepared in {time.perf_counter() - started:.1f} s", flush=True)
    os.set_inheritable(int(descriptor), True)
    return os.execv(arguments[0], [*arguments, descriptor])


def prepare(config: RunConfig) -> list[str]:
    """Write everything that the program reads; returns its command line but for the pipe."""
    program = _require_program(config)
    registry.add_paths(config.task_path)
    test_settings = settings.build(_import_loadgen(), config)
    task: Any = registry.resolve("task", config.task)(config)
    if task.generates:
        raise HarnessError(
            "config", "the C++ harness answers with tensors, not with tokens", "use implementation python"
        )
    folder = Path(config.output_dir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    asked = config.performance_sample_count or _asked_in_user_conf(config)
    fitting = memory.samples_that_fit(task.sample_bytes, config.sample_memory_mb)
    benchmark = test_settings.performance_sample_count_override
    count, note = memory.performance_sample_count(asked, benchmark, task.count, fitting)
    exported = export(config, task, folder / "model.pt")
    columns = _write_samples(task, folder)
    lines = {
        **_run_lines(config, count, task.count),
        **_test_lines(config, test_settings, count),
        **exported.lines(),
        "report": _report_part(task, exported, count, note),
    }
    text = "".join(f"{key}={value}\n" for key, value in lines.items()) + "".join(f"column={one}\n" for one in columns)
    (folder / "settings.txt").write_text(text)
    return [program, str(folder / "settings.txt")]


def _require_program(config: RunConfig) -> str:
    if not config.program or not os.access(config.program, os.X_OK):
        raise HarnessError(
            "config",
            f"implementation cpp needs its program, and {config.program or 'none'} is no executable file",
            'cmr "get mlperf-inference-cpp" builds it',
        )
    return config.program


def _asked_in_user_conf(config: RunConfig) -> int | None:
    entry = settings.read_user_conf(config).get("performance_sample_count_override")
    return int(entry.value) if entry else None


def _run_lines(config: RunConfig, in_memory: int, total: int) -> dict[str, Any]:
    return {
        "output_dir": config.output_dir,
        "benchmark": config.conf_name,
        "scenario": ALL[config.scenario].in_loadgen,
        "mode": config.loadgen_mode,
        "user_conf": config.user_conf or "",
        "audit_config": audit.place(config),
        "device": config.device,
        "precision": config.precision,
        "batch_size": config.batch_size,
        "workers": config.workers,
        "threads": config.threads or 0,
        "warmup_batches": config.warmup_batches,
        "channels_last": int(config.channels_last),
        "in_memory": in_memory,
        "total": total,
    }


def _test_lines(config: RunConfig, test_settings: Any, in_memory: int) -> dict[str, Any]:
    """loadgen's attributes that the run sets itself, under the names of its C++ struct."""
    asked = [one for one in ALL[config.scenario].settings if getattr(config, one.field) is not None]
    lines = {f"test.{one.attribute}": float(getattr(test_settings, one.attribute)) for one in asked}
    return {**lines, "test.performance_sample_count_override": in_memory}


def _write_samples(task: Task, folder: Path) -> Iterator[str]:
    """One file of raw samples per column; the program removes them when it has opened them."""
    import shutil

    needed, free = task.count * task.sample_bytes * _SPARE, shutil.disk_usage(folder).free
    if needed > free:
        raise HarnessError(
            "dataset",
            f"the C++ harness reads prepared samples from disk: {needed / 2**30:.1f} GiB, {free / 2**30:.1f} are free",
            "give another --results_dir",
        )
    paths = [folder / f"{column.name}.bin" for column in task.columns]
    files = [path.open("wb") for path in paths]
    for begin in range(0, task.count, _CHUNK):
        chunk = task.load(list(range(begin, min(begin + _CHUNK, task.count))))
        for file, column, values in zip(files, task.columns, chunk, strict=True):
            file.write(_plain(values, column.dtype).data)
    for file in files:
        file.close()
    for path, column in zip(paths, task.columns, strict=True):
        yield f"{path}|{column.dtype}|{','.join(str(axis) for axis in column.shape)}"


def _plain(values: Any, dtype: str) -> Array:
    import numpy as np

    return np.ascontiguousarray(values, dtype=dtype)


def _report_part(task: Task, exported: Exported, count: int, note: str) -> str:
    """Members of the report that are known now, as they stand between the braces of a JSON object."""
    known = {
        "performance_sample_count": count,
        "notes": [note] if note else [],
        "model_facts": exported.facts,
        "dataset_facts": task.facts(),
        "load_average_before": os.getloadavg()[0],
    }
    return msgspec.json.encode(known, enc_hook=str).decode()[1:-1]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
