"""From an order to a submission on disk: refuse early and everything at once, build aside, check, put in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlperf_checker.layout import Layout

from mlperf_submission import archive, inferring, measurements, refusals, selection, system
from mlperf_submission.errors import SubmissionError
from mlperf_submission.order import Order
from mlperf_submission.publish import staging, written_nothing
from mlperf_submission.refusal import MOST_SHOWN, NOT_SUBMITTABLE, Refusal, not_submittable, refuse
from mlperf_submission.results import Result
from mlperf_submission.selection import Selection
from mlperf_submission.tree import Contents, Tree

if TYPE_CHECKING:
    from mlperf_checker.report import Report
    from system_description.description import Description

TREE = "submission"


@dataclass(frozen=True)
class Packed:
    """A submission on disk.

    Attributes:
        folder: holds the tree, the tarball and MANIFEST.sha256.
        report: what the checker said.
        refusals: what a demonstration was packed in spite of.
        left_out: results that are not in it, and why.
        notes: what no checker can see, and its owner should know.
    """

    folder: Path
    tarball: Path
    report: Report
    refusals: tuple[Refusal, ...]
    left_out: tuple[str, ...]
    is_demonstration: bool = False
    notes: tuple[str, ...] = ()

    @property
    def tree(self) -> Path:
        return self.folder / TREE


def pack(order: Order) -> Packed:
    """Make a submission.

    Raises:
        SubmissionError: naming everything that stands in the way; nothing was written then.
    """
    results = selection.find(order.records)
    chosen = selection.round_of(results, order.round)
    described = system.read(order.description, chosen.name).completed(system.of_runs(results))
    if order.demonstration:
        described = described.with_placeholders()
    order = _settled(order, described)
    selected = selection.select(results, chosen, order)
    against = list(_refusals(order, selected, described))
    refuse(against, demonstration=order.demonstration)
    contents = _contents(order, selected, described)
    name = _name(order, chosen.name)
    try:
        return _build(order, contents, name, against, selected)
    except OSError as error:
        raise written_nothing(error, order.output) from None


def _settled(order: Order, described: Description) -> Order:
    """With division, submitter and category of the description, where the order does not say them."""
    said = described.plain()
    return replace(
        order,
        submitter=order.submitter or said.get("submitter", ""),
        division=order.division or said.get("division", "") or "open",
        category=order.category or said.get("system_type", ""),
    )


def _refusals(order: Order, selected: Selection, described: Description) -> Iterator[Refusal]:
    results = [one.result for one in selected.members]
    yield from refusals.of_names(order, results)
    power = any(one.power for one in results)
    for wrong in replace(described, power=power).objections(order.division, order.submitter):
        yield Refusal("system description", str(wrong), f"edit {order.description}, or describe the system again")
    for result in results:
        yield from refusals.of_result(result, order)
    inferred = _inferred(order, selected)
    for members in selected.of_model():
        benchmark = selected.round.benchmarks[members[0].benchmark]
        more = [one.target.scenario for one in inferred if one.target.benchmark == members[0].place.benchmark]
        yield from refusals.of_coverage([one.result for one in members], benchmark, selected.round, order, more)


def _inferred(order: Order, selected: Selection) -> list[inferring.Inferred]:
    if not order.infer:
        return []
    return inferring.inferences(
        [one.place for one in selected.members],
        selected.round,
        order.category,
        {one.place.benchmark: one.benchmark for one in selected.members},
        {one.place for one in selected.members if _has_estimate(one.result)},
    )


def _has_estimate(result: Result) -> bool:
    """Whether a SingleStream log has loadgen's early-stopping estimate for MultiStream; it is 0 after few queries."""
    return bool(result.detail("performance").number("early_stopping_latency_ms"))


def _contents(order: Order, selected: Selection, described: Description) -> Contents:
    keys = selected.round.submission.measurement_keys
    return Contents(
        members=selected.members,
        inferred=tuple(_inferred(order, selected)),
        system=described.to_json(),
        measurement_keys=keys,
        given_measurements=measurements.given(order.measurements, keys),
    )


def _name(order: Order, round_version: str) -> str:
    mark = "-demonstration-NOT-SUBMITTABLE" if order.demonstration else ""
    return f"{order.submitter}-{order.division}-{round_version}{mark}"


def _build(order: Order, contents: Contents, name: str, against: list[Refusal], selected: Selection) -> Packed:
    from mlperf_checker.conduct import check_tree

    version, target = selected.round.name, order.output / name
    with staging(target, replace=order.replace) as folder:
        tree = folder / TREE
        Tree(tree, Layout.of(version), order).write(contents)
        report = check_tree(tree, version, order.submitter)
        _accept(report, order)
        beside = []
        if order.demonstration:
            page = folder / NOT_SUBMITTABLE
            page.write_text(not_submittable(against, map(str, report.errors)), encoding="utf-8")
            beside.append(page)
        archive.pack(tree, folder / f"{name}.tar.gz", name, beside)
        archive.write_manifest(folder)
    return Packed(
        target,
        target / f"{name}.tar.gz",
        report,
        tuple(against),
        selected.left_out,
        order.demonstration,
        _notes(selected),
    )


def _notes(selected: Selection) -> tuple[str, ...]:
    own = sorted({one.place.benchmark for one in selected.members if one.result.record.tier == "embedded"})
    if not own:
        return ()
    return (
        f"{', '.join(own)}: real data, but not the benchmark's own. No checker sees that; the README of each result "
        "says it. Ask MLCommons before you submit.",
    )


def _accept(report: Report, order: Order) -> None:
    """A demonstration is told what the checker says; a submission is stopped by it."""
    if order.demonstration or report.ok:
        return
    shown = "\n".join(f"  {one}" for one in report.errors[:MOST_SHOWN])
    raise SubmissionError(
        f"the checker objects to what would be packed, so nothing was kept:\n{shown}",
        "--demonstration packs it all the same, marked as not submittable",
    )
