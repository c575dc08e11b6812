"""The pages of a submission: README of a result, of the code, of what is no submission."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from mlperf_submission.results import Result


def command(result: Result) -> str:
    """What was typed, ready to be typed again; secrets are left out."""
    from cm4bench.redact import scrub

    words = result.record.request.argv
    if words and words[0] not in ("cmr", "cm"):
        words = ("cmr", *words)
    return str(scrub(shlex.join(words))) if words else "(the record does not hold its command)"


def readme(result: Result, benchmark: str, round_version: str, demonstration: bool, lock: str) -> str:
    """README.md of one result; ``lock`` is the path of the lock in the submission, or empty."""
    record, config = result.record, result.configuration
    versions = "\n".join(f"- {name}: {version}" for name, version in sorted(record.versions.items()))
    figures = "\n".join(_figures(result))
    replay = f"\nThe exact steps, data and packages are in `{lock}`:\n\n```\ncmr --replay={lock}\n```\n" if lock else ""
    return f"""{_warning() if demonstration else ""}# {result.model}, {result.scenario}

MLPerf Inference {round_version}, benchmark {benchmark}. {_data(result)}

## How to make it again

```
{command(result)}
```
{replay}
Code: see the README of the code. Configuration of loadgen: `user.conf` beside this file.

## What ran

- backend: {config.get("backend")}, device: {config.get("device")}, precision: {config.get("precision")}
- batch: at most {config.get("batch_size")} samples a call, {config.get("workers")} workers
- record: {record.id}, {record.created}
{versions}

## What came out

{figures}
"""


def _data(result: Result) -> str:
    if result.record.tier == "full":
        return "Data and model are the official ones."
    if result.record.tier == "synthetic":
        return "Data or weights are synthetic: random values of the right shape."
    return "Data are real ones from public packages, not the benchmark's own; the model is a small one that fits them."


def _figures(result: Result) -> Iterable[str]:
    run = result.run("performance")
    if run and run.figures:
        yield f"- {run.figures[0].metric}: {run.figures[0].value:g} {run.figures[0].unit}"
    quality = result.record.quality
    if quality:
        yield f"- {quality.metric}: {quality.value:g} {quality.unit} on {quality.total} samples"


def _warning() -> str:
    return "**A demonstration. It cannot be submitted; see NOT-SUBMITTABLE.md.**\n\n"


def code_readme(model: str, commands: Iterable[str], packages: Iterable[str], lock: str) -> str:
    """README.md of a model's code."""
    typed = "\n".join(dict.fromkeys(commands))
    folders = "\n".join(f"- `{name}/`" for name in packages)
    replay = f"\nThe lock `{lock}` names every script, file and package: `cmr --replay={lock}`.\n" if lock else ""
    return f"""# {model}

Made with cm4bench, which fetches model, data and packages, runs loadgen and keeps what came out:

```
{typed}
```
{replay}
The code that loadgen called lies beside this folder:

{folders}
"""


def calibration(precisions: Iterable[str]) -> str:
    """documentation/calibration.md where nothing was calibrated."""
    used = ", ".join(sorted(set(precisions)))
    return f"# Calibration\n\nNothing was calibrated: weights and activations are {used}.\n"
