"""The pages of a submission: a README for each benchmark, and the notice about the licence."""

from __future__ import annotations

from collections.abc import Iterable

from training_submission.refusals import again
from training_submission.runs import Series

_DATA = {
    "full": "The data are the official ones.",
    "embedded": "The data are real ones from public packages, not the benchmark's own; the model fits them.",
    "synthetic": "The data are synthetic: of the benchmark's shape, not of its difficulty.",
}


def readme(one: Series, ruleset: str, packages: Iterable[str], *, demonstration: bool) -> str:
    """README.md of a benchmark's code: what ran, on what, to which target, and how to run it again."""
    record = one.record
    mark = "**A demonstration. It cannot be submitted; see NOT-SUBMITTABLE.md.**\n\n" if demonstration else ""
    folders = "\n".join(f"- `{name}/`" for name in packages)
    versions = "\n".join(f"- {name}: {text}" for name, text in sorted(record.software.items()))
    quality, better = record.quality, "at least" if record.quality.higher_is_better else "at most"
    return f"""{mark}# {one.benchmark}

MLPerf {ruleset}. {_DATA[record.tier]}

Trained until {quality.metric} is {better} {quality.target:g} on {record.dataset or "its evaluation set"}.

## How to run it again

```
{again(record, f" --runs={len(one.runs)} --seed={record.seed}")}
```

The code that was run is here:

{folders}

## What ran

- task: `{record.config.task}`
- device: {record.config.device}, precision {record.config.precision}, {record.config.world} processes
- seeds: {", ".join(str(run.record.seed) for run in one.runs)}
{versions}
"""
