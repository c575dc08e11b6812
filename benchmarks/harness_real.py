"""Offline throughput of a real run through the harness, beside a bare loop over the same model on the same samples.

Takes the `run_config.json` of any Offline run that was made before (in `<results>/<run>/offline/performance/`), so that
model, weights, data, batch and threads are those of the run. Every measurement is a process of its own and the two
sides take turns, so that a busy minute hits both. CPU time depends less on other load than wall time.

    python benchmarks/harness_real.py RUN_CONFIG [--samples 160] [--repeat 5]

The bare side knows no loadgen, no library and no responses: for PyTorch it calls the module on tensors that were put
together beforehand, for generating models it feeds the engine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "script" / "app-mlperf-inference"))

Run = dict[str, float]


def configuration(path: Path, samples: int, folder: Path) -> Any:
    """The recorded run, cut to `samples` and put into `folder`."""
    import msgspec

    from harness.config import RunConfig

    return msgspec.structs.replace(
        RunConfig.read(path),
        scenario="Offline",
        mode="performance",
        output_dir=str(folder),
        user_conf=None,
        target_qps=None,
        min_duration_ms=0,
        min_query_count=samples,
        equal_issue=False,
        ledger=False,
    )


def bare(path: Path) -> None:
    """The loop alone; prints samples per second of wall and CPU time."""
    from harness import registry
    from harness.config import RunConfig

    config = RunConfig.read(path)
    registry.add_paths(config.task_path)
    task = registry.resolve("task", config.task)(config)
    indices = [k % task.count for k in range(config.min_query_count or 1)]
    lengths = task.lengths(indices)
    if lengths is not None:
        indices = [index for _, index in sorted(zip(lengths, indices, strict=True), key=lambda pair: -pair[0])]
    steps = tokens(config, task, indices) if task.generates else batches(config, task, indices)
    next(steps)  # everything up to the warm-up
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in steps:
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"wall": len(indices) / wall, "cpu": len(indices) / cpu}))


def batches(config: Any, task: Any, indices: list[int]) -> Iterator[None]:
    """A PyTorch module on whole batches."""
    import torch

    from harness import registry
    from harness.backends.staging import trimmed

    torch.set_num_threads(config.threads or torch.get_num_threads())
    torch.manual_seed(config.model.seed)
    module = registry.resolve("architecture", config.model.architecture)(config.model).eval().requires_grad_(False)
    prepared = []
    for begin in range(0, len(indices), config.batch_size):
        part = indices[begin : begin + config.batch_size]
        longest = max(task.lengths(part) or [0]) or None
        columns = zip(task.columns, task.load(part), strict=True)
        prepared.append([trimmed(joined(torch, column, chunk), column, longest) for column, chunk in columns])
    with torch.inference_mode():
        module(*prepared[0])
        module(*prepared[-1])
        yield
        for batch in prepared:
            module(*batch)
            yield


def joined(torch: Any, column: Any, chunk: Any) -> Any:
    """One column of a batch."""
    if column.join == "concat":
        return torch.cat([torch.from_numpy(one) for one in chunk])
    return torch.from_numpy(chunk[0]).unsqueeze(0) if column.join == "single" else torch.from_numpy(chunk)


def tokens(config: Any, task: Any, indices: list[int]) -> Iterator[None]:
    """An engine with as many requests as it takes."""
    from harness import registry

    engine = registry.resolve("engine", config.backend)(config)
    engine.load()
    engine.warm_up(task.prompt(0))
    prompts = [task.prompt(index) for index in indices]
    yield
    waiting, running = list(enumerate(prompts))[::-1], 0
    while waiting or running:
        while waiting and engine.room > 0:
            engine.add(*waiting.pop())
            running += 1
        running -= sum(event.done for event in engine.step())
        yield


def through_harness(path: Path) -> Run:
    """One supervised run."""
    from harness import supervise
    from harness.config import RunConfig
    from harness.report import ChildReport

    outcome = supervise.run(RunConfig.read(path))
    report = ChildReport.read(Path(outcome.config.output_dir))
    if outcome.failure or outcome.loadgen is None or report is None:
        raise SystemExit(outcome.failure.cause if outcome.failure else "no figure")
    figures = {figure.key: figure.value for figure in outcome.loadgen.figures}
    # StartTest also stages the samples, which loadgen does not time; their share is taken out of the CPU time as well.
    cpu = report.cpu_s - report.timings.stage_s
    return {"wall": figures["result_samples_per_second"], "cpu": report.samples / cpu}


def main() -> None:
    """Take turns and print both sides and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_config", type=Path)
    parser.add_argument("--samples", type=int, default=160)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        bare(options.run_config)
        return
    sides: dict[str, list[Run]] = {"bare": [], "harness": []}
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    with tempfile.TemporaryDirectory() as place:
        import msgspec

        path = Path(place) / "in.json"
        config = configuration(options.run_config, options.samples, Path(place) / "run")
        path.write_text(msgspec.structs.replace(config, threads=options.threads).to_json())
        for _ in range(options.repeat):
            command = [sys.executable, __file__, str(path), "--bare"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            sides["bare"].append(json.loads(done.stdout.splitlines()[-1]))
            sides["harness"].append(through_harness(path))
    show(sides, config)


def show(sides: dict[str, list[Run]], config: Any) -> None:
    """Median and best per side."""
    what = f"{config.model.name}, {config.backend}, {config.precision}, batch {config.batch_size}"
    print(f"{what}, load {os.getloadavg()[0]:.1f}")
    for clock in ("wall", "cpu"):
        got = {side: [run[clock] for run in runs] for side, runs in sides.items()}
        median = {side: statistics.median(values) for side, values in got.items()}
        best = {side: max(values) for side, values in got.items()}
        ratio = {name: got["harness"] / got["bare"] for name, got in (("median", median), ("best", best))}
        print(
            f"  samples per {clock} second, median: bare {median['bare']:.3f}, harness {median['harness']:.3f}, "
            f"ratio {ratio['median']:.3f}; of the best runs {ratio['best']:.3f}"
        )


if __name__ == "__main__":
    main()
