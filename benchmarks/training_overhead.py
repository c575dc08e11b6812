"""Speed of the training harness beside a bare PyTorch loop over the same task, model, optimiser and batches.

Three kinds of process take turns: the harness with log and monitor, the harness with both off, and the bare loop. Each
prints trained samples per second, without the first steps, evaluation and checkpoints. The file of any run
serves (training_config.json).

    python benchmarks/training_overhead.py cm4bench-results/RUN/training_config.json [--epochs 3] [--repeat 5]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "script" / "app-mlperf-training"), str(ROOT / "script" / "app-mlperf-inference")]

from trainer import supervise  # noqa: E402
from trainer.config import TrainConfig  # noqa: E402
from trainer.pace import WARMUP_STEPS  # noqa: E402


def bare(config: TrainConfig) -> float:
    """Samples per second of the barest loop that trains the same."""
    import torch

    from trainer import optimisers
    from trainer.loop import seed_everything
    from trainer.registry import load_task

    torch.set_num_threads(config.threads or torch.get_num_threads())
    task = load_task(config)
    recipe = task.recipe.replaced(config.recipe)
    train, _ = task.splits()
    seed_everything(config.seed)
    model = task.model()
    optimizer = task.optimizer(model, recipe)
    steps = min(recipe.epoch_samples or len(train), len(train)) // recipe.batch_size
    schedule = optimisers.schedule(recipe, optimizer, steps)
    draw, done, began = torch.Generator().manual_seed(0), 0, 0.0
    for _ in range(recipe.epochs):
        model.train()
        order = torch.randperm(len(train)).tolist()
        for step in range(steps):
            if done == WARMUP_STEPS:
                began = time.perf_counter()
            batch = train.batch(order[step * recipe.batch_size : (step + 1) * recipe.batch_size], draw)
            task.loss(model, batch).backward()
            if recipe.clip_norm:
                torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            done += 1
    return (done - WARMUP_STEPS) * recipe.batch_size / (time.perf_counter() - began)


def measured(config: TrainConfig, folder: Path, *, watched: bool) -> float:
    """Samples per second that the harness reports; it evaluates once, at the end."""
    own = msgspec.structs.replace(
        config, output_dir=str(folder), log=watched, monitor_every_s=1.0 if watched else 0.0, checkpoint_every_s=1e9
    )
    (result,) = supervise.run(own)
    if result.failure or not result.throughput:
        raise SystemExit(f"no throughput: {result.failure}")
    return result.throughput


def main() -> None:
    """Take turns, and print medians and their ratios to the bare loop's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    config = TrainConfig.read(given.config)
    recipe = {**config.recipe, "epochs": given.epochs, "eval_every": given.epochs}
    config = msgspec.structs.replace(config, recipe=recipe, runs=1, resume=False, max_minutes=None)
    if given.bare:
        print(bare(config))
        return
    speeds: dict[str, list[float]] = {"bare loop": [], "harness": [], "harness with log and monitor": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for turn in range(given.repeat):
            child = [sys.executable, __file__, str(given.config), "--bare", "--epochs", str(given.epochs)]
            speeds["bare loop"].append(float(subprocess.run(child, check=True, capture_output=True, text=True).stdout))
            speeds["harness"].append(measured(config, folder / f"{turn}-off", watched=False))
            speeds["harness with log and monitor"].append(measured(config, folder / f"{turn}-on", watched=True))
    reference = statistics.median(speeds["bare loop"])
    for kind, found in speeds.items():
        median = statistics.median(found)
        print(f"{kind:30} {median:10.1f} samples/s  {median / reference:.3f} of the bare loop  (best {max(found):.1f})")


if __name__ == "__main__":
    main()
