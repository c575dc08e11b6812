"""Write the tree of a submission: systems/, results/ and benchmarks/."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from training_checker import upstream

from trainer.rulesets import OWN
from training_submission import sources, texts
from training_submission.order import Order
from training_submission.runs import Series


def write(root: Path, order: Order, found: Sequence[Series], fields: Mapping[str, str], version: str) -> None:
    """Write all of it below ``root``.

    Args:
        fields: of the system's description.
        version: of the ruleset.
    """
    (root / "systems").mkdir(parents=True)
    text = json.dumps(dict(fields), indent=2, ensure_ascii=False) + "\n"
    (root / "systems" / f"{order.system}.json").write_text(text, encoding="utf-8")
    for one in found:
        _results(root, order, one, version)
        _sources(root, order, one, version)


def _results(root: Path, order: Order, one: Series, version: str) -> None:
    below = [order.scaling] if one.rules.usage == "hpc" else []
    folder = root.joinpath("results", order.system, *below, one.benchmark)
    folder.mkdir(parents=True)
    for number, run in enumerate(one.runs):
        shutil.copyfile(run.log.path, folder / f"result_{number}.txt")
    if order.division == "closed":
        _scaling(folder, one.rules.usage, version)


def _scaling(folder: Path, usage: str, version: str) -> None:
    """scaling.json, where runs converge a little faster than the reference: their score is scaled up."""
    if version == OWN:
        return
    try:
        passed, _, factor = upstream.scaling(folder, usage, version)
    except Exception:
        return  # the checker says why, when it comes to this
    if passed and factor > 1:
        (folder / "scaling.json").write_text(json.dumps({"scaling_factor": factor}), encoding="utf-8")


def _sources(root: Path, order: Order, one: Series, version: str) -> None:
    folder = root / "benchmarks" / one.benchmark / "implementations" / order.implementation
    folder.mkdir(parents=True)
    packages = sources.copy(one, folder)
    ruleset = f"{one.rules.usage} {version}, {order.division} division"
    page = texts.readme(one, ruleset, packages, demonstration=order.demonstration)
    (folder / "README.md").write_text(page, encoding="utf-8")
