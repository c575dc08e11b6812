"""From an order to a submission on disk: refuse early and everything at once, build aside, check, put in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlperf_submission import archive
from mlperf_submission.errors import SubmissionError
from mlperf_submission.publish import staging, written_nothing
from mlperf_submission.refusal import MOST_SHOWN, NOT_SUBMITTABLE, Refusal, not_submittable, refuse
from training_checker import rounds, summary
from training_checker.conduct import check_tree
from training_checker.errors import CheckError
from training_checker.report import Report

from trainer.rulesets import OWN
from training_submission import refusals, runs, system, tree
from training_submission.order import Order
from training_submission.refusals import UNNAMED
from training_submission.runs import Series

TREE = "submission"


@dataclass(frozen=True)
class Packed:
    """A submission on disk.

    Attributes:
        folder: holds the submitter's tree, the tarball, summary.csv, summary.md and MANIFEST.sha256.
        tree: the submitter's folder.
        report: what the checkers said.
        refusals: what a demonstration was packed in spite of.
        notes: what no checker can see, and its owner should know.
    """

    folder: Path
    tree: Path
    tarball: Path
    report: Report
    refusals: tuple[Refusal, ...]
    is_demonstration: bool = False
    notes: tuple[str, ...] = ()


def pack(order: Order) -> Packed:
    """Make a submission.

    Raises:
        SubmissionError: naming everything that stands in the way; nothing was written then.
    """
    found = runs.series(runs.find(order.records))
    fields = system.describe(order, [run for one in found for run in one.runs])
    if order.demonstration:
        fields = system.with_placeholders(fields)
    order = replace(order, submitter=order.submitter or fields.get("submitter", ""))
    version = _version(order, found)
    against = tuple(_refusals(order, found, fields, version))
    refuse(against, demonstration=order.demonstration)
    try:
        return _build(order, found, fields, version, against)
    except OSError as error:
        raise written_nothing(error, order.output) from None


def _usage(found: Sequence[Series]) -> str:
    return next((one.rules.usage for one in found if not one.rules.is_own), "training")


def _version(order: Order, found: Sequence[Series]) -> str:
    """The ruleset: the one that was asked for, else the newest that has all benchmarks."""
    usage = _usage(found)
    try:
        if order.version:
            return rounds.version_of(order.version, usage)
        names = [one.benchmark for one in found if not one.rules.is_own and one.rules.usage == usage]
        return rounds.newest_for(usage, names) if len(names) == len(found) else OWN
    except CheckError as error:
        raise SubmissionError(error.cause, error.hint) from None


def _refusals(order: Order, found: Sequence[Series], fields: Mapping[str, str], version: str) -> Iterator[Refusal]:
    yield from refusals.of_names(order, found)
    yield from refusals.of_rounds(found, version)
    yield from refusals.of_system(order, fields, version)
    for one in found:
        yield from refusals.of_series(one, order)
        for run in one.runs:
            yield from refusals.of_run(run, order)


def _build(
    order: Order, found: Sequence[Series], fields: Mapping[str, str], version: str, against: tuple[Refusal, ...]
) -> Packed:
    name = _name(order, found, version)
    target = order.output / name
    with staging(target, replace=order.replace) as folder:
        root = folder / TREE / order.submitter
        tree.write(root, order, found, fields, version)
        report = _checked(root, order, found, version)
        beside = [*_tables(folder, report), *_mark(folder, order, against, report)]
        archive.pack(folder / TREE, folder / f"{name}.tar.gz", name, beside)
        archive.write_manifest(folder)
    tarball = target / f"{name}.tar.gz"
    return Packed(target, target / TREE / order.submitter, tarball, report, against, order.demonstration, _notes(found))


def _checked(root: Path, order: Order, found: Sequence[Series], version: str) -> Report:
    """What the checkers say; a demonstration is told it, a submission is stopped by it."""
    report = check_tree(root, version=version, usage=_usage(found))
    if report.ok or order.demonstration:
        return report
    shown = "\n".join(f"  {one}" for one in report.errors[:MOST_SHOWN])
    raise SubmissionError(
        f"the checker objects to what would be packed, so nothing was kept:\n{shown}",
        "--demonstration packs it all the same, marked as not submittable",
    )


def _tables(folder: Path, report: Report) -> Iterator[Path]:
    """The results as tables, beside the tree."""
    for name, text in (("summary.csv", summary.as_csv(report.rows)), ("summary.md", summary.as_markdown(report.rows))):
        (folder / name).write_text(text, encoding="utf-8")
        yield folder / name


def _mark(folder: Path, order: Order, against: tuple[Refusal, ...], report: Report) -> Iterator[Path]:
    if order.demonstration:
        page = folder / NOT_SUBMITTABLE
        page.write_text(not_submittable(against, map(str, report.errors)), encoding="utf-8")
        yield page


def _name(order: Order, found: Sequence[Series], version: str) -> str:
    parts = [order.submitter, _usage(found), order.division, version if version == OWN else f"v{version}"]
    return "-".join([*parts, "demonstration-NOT-SUBMITTABLE"] if order.demonstration else parts)


def _notes(found: Sequence[Series]) -> tuple[str, ...]:
    return tuple(_note_of_data(found)) + tuple(_note_of_names(found))


def _note_of_data(found: Sequence[Series]) -> Iterator[str]:
    if own := sorted({one.benchmark for one in found if one.record.tier == "embedded"}):
        yield (
            f"{', '.join(own)}: real data, but not the benchmark's own, and a model of their size. No checker sees "
            "that; the README of the code says it. Ask MLCommons before you submit."
        )


def _note_of_names(found: Sequence[Series]) -> Iterator[str]:
    unnamed = {one.benchmark for one in found for run in one.runs if run.log.value("submission_org") == UNNAMED}
    if unnamed:
        yield (
            f"{', '.join(sorted(unnamed))}: the logs do not say whose runs they are; train with --submitter=NAME "
            "and --hw_name=NAME."
        )
