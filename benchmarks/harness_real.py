"""Offline throughput of a real network through the harness, beside a bare loop over the same model.

Both sides take the same random-weight network, batch, threads and images. Every measurement is a process of its own
and the two sides take turns, so that a busy minute hits both. CPU time depends less on other load than wall time.

    python benchmarks/harness_real.py [--architecture efficientnet-lite0] [--batch 8] [--threads 1] [--images 240]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "script" / "app-mlperf-inference"
sys.path.insert(0, str(PACKAGES))

STORED = 64


def write_dataset(folder: Path) -> Path:
    """Random images of ImageNet's shape."""
    import numpy as np

    folder.mkdir()
    rng = np.random.default_rng(0)
    np.save(folder / "samples.npy", rng.integers(0, 256, (STORED, 224, 224, 3), dtype=np.uint8))
    np.save(folder / "labels.npy", np.zeros(STORED, dtype=np.int64))
    info = {"schema": 1, "name": "random", "tier": "synthetic", "count": STORED, "shape": [224, 224, 3]}
    (folder / "dataset.json").write_text(json.dumps(info | {"mean": [127] * 3, "std": [128] * 3}))
    return folder


def configuration(options: argparse.Namespace, folder: Path, dataset: Path) -> str:
    """JSON of the harness run."""
    from harness.config import ModelConfig, RunConfig

    return RunConfig(
        model=ModelConfig(name="bench", architecture=options.architecture),
        dataset=str(dataset),
        scenario="Offline",
        output_dir=str(folder),
        tier="synthetic",
        batch_size=options.batch,
        threads=options.threads,
        min_duration_ms=0,
        min_query_count=options.images,
        ledger=False,
    ).to_json()


def bare(path: Path) -> None:
    """A loop over the model and nothing else; prints images per second of wall and CPU time."""
    import torch

    from harness import registry
    from harness.config import RunConfig
    from harness.tasks.image_classification import ImageClassification

    config = RunConfig.read(path)
    torch.set_num_threads(config.threads or 1)
    torch.manual_seed(config.model.seed)
    model = registry.resolve("architecture", config.model.architecture)(config.model).eval()
    images = torch.from_numpy(ImageClassification(config).load(list(range(STORED))))
    batches = [images[k : k + config.batch_size] for k in range(0, STORED, config.batch_size)]
    rounds = (config.min_query_count or 1) // config.batch_size
    with torch.inference_mode():
        for _ in range(2):
            model(torch.zeros_like(batches[0]))
        wall, cpu = time.perf_counter(), time.process_time()
        for k in range(rounds):
            model(batches[k % len(batches)])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    count = rounds * config.batch_size
    print(json.dumps({"wall": count / wall, "cpu": count / cpu}))


def through_harness(path: Path) -> dict[str, float]:
    """One supervised run."""
    from harness import supervise
    from harness.config import RunConfig
    from harness.report import ChildReport

    outcome = supervise.run(RunConfig.read(path))
    report = ChildReport.read(Path(outcome.config.output_dir))
    if outcome.failure or outcome.loadgen is None or outcome.loadgen.figure is None or report is None:
        raise SystemExit(outcome.failure.cause if outcome.failure else "no figure")
    # StartTest also stages the samples, which loadgen does not time; their share is taken out of the CPU time as well.
    cpu = report.cpu_s - report.timings.stage_s
    return {"wall": outcome.loadgen.figure.value, "cpu": report.samples / cpu}


def main() -> None:
    """Take turns and print both sides and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--architecture", default="efficientnet-lite0")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--bare")
    options = parser.parse_args()
    if options.bare:
        bare(Path(options.bare))
        return
    sides: dict[str, list[dict[str, float]]] = {"bare": [], "harness": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        dataset, path = write_dataset(folder / "data"), folder / "in.json"
        path.write_text(configuration(options, folder / "run", dataset))
        environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
        for _ in range(options.repeat):
            command = [sys.executable, __file__, "--bare", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            sides["bare"].append(json.loads(done.stdout.splitlines()[-1]))
            sides["harness"].append(through_harness(path))
    show(sides, options)


def show(sides: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> None:
    """Median and best per side."""
    print(f"{options.architecture}, batch {options.batch}, {options.threads} thread(s), load {os.getloadavg()[0]:.1f}")
    for clock in ("wall", "cpu"):
        got = {side: [run[clock] for run in runs] for side, runs in sides.items()}
        median = {side: statistics.median(values) for side, values in got.items()}
        best = {side: max(values) for side, values in got.items()}
        ratio = {name: got["harness"] / got["bare"] for name, got in (("median", median), ("best", best))}
        print(
            f"  images per {clock} second, median: bare {median['bare']:.2f}, harness {median['harness']:.2f}, "
            f"ratio {ratio['median']:.3f}; of the best runs {ratio['best']:.3f}"
        )


if __name__ == "__main__":
    main()
