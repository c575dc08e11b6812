"""Command line: `python -m model_conversion --help`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import get_args

from harness.config import TIERS, ModelConfig
from harness.errors import HarnessError
from model_conversion.request import Conversion, Format, Method, Precision


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 for a checked file, 1 for a diagnosed failure, 2 for wrong usage."""
    from model_conversion.convert import convert

    logging.disable(logging.WARNING)  # the exporters warn about packages they could use
    try:
        conversion = _conversion(_parser().parse_args(arguments))
        facts = convert(conversion)
    except HarnessError as error:
        print(f"error: {error.cause}", *([f"next: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        return 1
    print(
        f"{conversion.file.name}: {100 * facts['same_top']:.1f} % same top answers on {facts['samples']} samples,"
        f" largest error {100 * facts['error']:.2g} %"
    )
    return 0


def _conversion(options: argparse.Namespace) -> Conversion:
    return Conversion(
        model=ModelConfig(
            name=options.model, architecture=options.architecture or "none", weights=options.weights or None
        ),
        task=options.task,
        task_path=tuple(folder for folder in options.task_path.split(os.pathsep) if folder),
        dataset=options.data,
        tier=options.tier,
        format=options.format,
        precision=options.precision,
        method=options.method,
        samples=options.samples,
        folder=options.out,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_conversion", description="Convert and check a model")
    parser.add_argument("--model", required=True, help="its name")
    parser.add_argument("--architecture", default="", help="package.module:build")
    parser.add_argument("--weights", default="", help="weights for the architecture, or an .onnx file")
    parser.add_argument("--task", required=True, help="package.module:Class, whose samples are used")
    parser.add_argument("--task-path", default="", help="folders that hold the packages")
    parser.add_argument("--data", required=True, help="the task's prepared data")
    parser.add_argument("--tier", choices=TIERS, required=True)
    parser.add_argument("--format", choices=get_args(Format), default="onnx")
    parser.add_argument("--precision", choices=get_args(Precision), default="fp32")
    parser.add_argument("--method", choices=get_args(Method), default="auto", help="way to int8")
    parser.add_argument("--samples", type=int, default=64, help="samples that calibrate and check")
    parser.add_argument("--out", type=Path, required=True, help="folder for the result")
    return parser


if __name__ == "__main__":
    sys.exit(main())
