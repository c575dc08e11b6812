"""Command line: `python -m harness run CONFIG.json`, `tune CONFIG.json`, `check-userconf FILE`, `accuracy LOG_DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.errors import HarnessError


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 for success, 1 for a diagnosed failure, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "run":
            return _run(Path(options.config))
        if options.command == "tune":
            return _tune(Path(options.config), options.memory)
        if options.command == "check-userconf":
            return _check_user_conf(Path(options.file))
        return _accuracy(Path(options.log_dir), options.config, options.dataset)
    except HarnessError as error:
        print(f"FAILED ({error.kind}): {error.cause}", *([f"next:   {error.hint}"] if error.hint else []), sep="\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness", description="MLPerf inference harness")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run one configuration and write outcome.json")
    run.add_argument("config", help="RunConfig as JSON")
    tune = commands.add_parser(
        "tune", help="find the batch size and workers that suit this host, and write tuning.json"
    )
    tune.add_argument("config", help="RunConfig as JSON")
    tune.add_argument("--memory", help="folder of what was found before")
    check = commands.add_parser("check-userconf", help="validate a user.conf more strictly than loadgen does")
    check.add_argument("file")
    score = commands.add_parser("accuracy", help="score an accuracy log")
    score.add_argument("log_dir", help="folder with mlperf_log_accuracy.json")
    score.add_argument("--config", help="RunConfig of the run as JSON (default: config.json beside the log)")
    score.add_argument("--dataset", help="the data, where they are not where the run had them")
    return parser


def _run(path: Path) -> int:
    from harness import supervise, text
    from harness.config import RunConfig

    outcome = supervise.run(RunConfig.read(path))
    print(text.render(outcome))
    return 0 if outcome.ok else 1


def _tune(path: Path, memory: str | None) -> int:
    from harness import autotune, supervise
    from harness.config import RunConfig

    tuning = autotune.tune(RunConfig.read(path), Path(memory) if memory else None, supervise.run)
    print(
        f"{tuning.model}: {tuning.layout} gave {tuning.samples_per_second:.4g} samples/s, the most of "
        f"{len(tuning.probes)} layouts tried on this host"
    )
    return 0


def _check_user_conf(path: Path) -> int:
    from harness import userconf

    print(f"{path}: {len(userconf.read(path))} settings, all understood by loadgen")
    return 0


def _accuracy(log_dir: Path, config_file: str | None, dataset: str | None) -> int:
    import msgspec

    from harness import registry
    from harness.accuracy import log
    from harness.config import RunConfig
    from harness.report import CONFIG

    config = RunConfig.read(Path(config_file) if config_file else log_dir / CONFIG)
    if dataset:
        config = msgspec.structs.replace(config, dataset=dataset)
    registry.add_paths(config.task_path)
    quality = registry.resolve("task", config.task)(config).quality(log_dir)
    if quality is None:
        raise HarnessError("accuracy", f"the task {config.task} has no quality metric")
    print((log_dir / log.FILE_NAME).read_text().strip())
    return 1 if quality.passed is False else 0


if __name__ == "__main__":
    sys.exit(main())
