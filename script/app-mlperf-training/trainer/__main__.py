"""``python -m trainer run CONFIG.json``: train as a file says; 0 where every run reached its target."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trainer import cluster, ending, supervise
from trainer.config import TrainConfig
from trainer.display import Display
from trainer.errors import TrainingError


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: all targets reached, 1: a diagnosed failure, 2: trained, but a target was not reached."""
    parser = argparse.ArgumentParser(prog="trainer", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True).add_parser("run", help="train")
    command.add_argument("config", type=Path)
    command.add_argument("--quiet", action="store_true", help="no line per evaluation")
    command.add_argument("--cluster", choices=("none", "local", "slurm"), default="none", help="through submitit")
    command.add_argument("--partition", default="", help="Slurm's partition")
    given = parser.parse_args(arguments)
    ending.raise_on_sigterm()
    try:
        config = TrainConfig.read(given.config)
        if given.cluster == "none":
            results = supervise.run(config, None if given.quiet else Display(config))
        else:
            results = cluster.run(config, given.cluster, given.partition)
    except TrainingError as error:
        print(f"{error.cause}\n{error.hint}", file=sys.stderr)
        return 1
    failure = results[-1].failure
    if failure:
        print(f"{failure.cause}\n{failure.hint}\nlog: {failure.log}", file=sys.stderr)
        return 1
    return 0 if all(result.reached for result in results) else 2


if __name__ == "__main__":
    sys.exit(main())
