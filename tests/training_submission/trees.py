"""Submissions of training that are in order, for tests to spoil."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.training_submission.runs import Clock, write_log
from training_checker.systems import COUNTS, FIELDS

from trainer import rulesets


def description(division: str = "open", **more: str) -> dict[str, str]:
    """A system's description with all fields."""
    found = {field: "1" if field in COUNTS else "something" for field in FIELDS}
    words = {"submitter": "us", "system_name": "box", "division": division, "accelerators_per_node": "0"}
    return {**found, **words, "status": "Research, Development, or Internal (RDI)", **more}


def write_tree(
    root: Path,
    clock: Clock,
    *,
    task: str = "resnet",
    division: str = "open",
    runs: int | None = None,
    scaling: str = "",
    quality: float | Mapping[str, float] = 0.98,
    hyperparameters: Mapping[str, object] | None = None,
    epochs: int = 2,
) -> Path:
    """A submitter's folder with the right number of runs of one benchmark."""
    rules = rulesets.of(task)
    folder = root / "results" / "box" / scaling / rules.benchmark
    folder.mkdir(parents=True)
    for number in range(rules.runs if runs is None else runs):
        write_log(
            folder / f"result_{number}.txt",
            task,
            clock,
            quality=quality,
            seconds=60.0 * (number + 1),
            seed=100 + number,
            division=division,
            hyperparameters=hyperparameters,
            epochs=epochs,
        )
    (root / "systems").mkdir()
    (root / "systems" / "box.json").write_text(json.dumps(description(division), indent=1))
    sources = root / "benchmarks" / rules.benchmark / "implementations" / "ours"
    sources.mkdir(parents=True)
    (sources / "train.py").write_text("seed = 1\n")
    return root


def edit_description(root: Path, **changes: object) -> None:
    """Change fields of the system's description; None takes one out."""
    path = root / "systems" / "box.json"
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def edit_log(path: Path, old: str, new: str) -> None:
    """Change the text of a log."""
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new))


def drop_event(path: Path, key: str) -> None:
    """Take all events of a key out of a log."""
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if f'"key": "{key}"' not in line]
    assert len(kept) < len(lines), key
    path.write_text("".join(kept))
