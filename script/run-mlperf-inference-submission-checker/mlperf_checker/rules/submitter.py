"""What a submitter's folder holds beside the results."""

from __future__ import annotations

from collections.abc import Iterable

from mlperf_checker.context import Model, Submitter
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule


@rule("results-missing", Submitter)
def results_missing(submitter: Submitter) -> Iterable[Objection]:
    """A submitter has results."""
    if not submitter.results or not submitter.results.folders:
        cause = "this submitter has no results, no folder results/SYSTEM/"
        yield Objection(submitter.home, cause, "remove the submitter's folder, or add results", spoils_results=False)


@rule("system-unused", Submitter, since="v5.0")
def system_unused(submitter: Submitter) -> Iterable[Objection]:
    """Every description in systems/ belongs to a system with results."""
    folder = submitter.submission.layout.systems(submitter.division, submitter.name)
    systems = submitter.submission.tree.at(folder)
    used = submitter.results.folders if submitter.results else {}
    for name in systems.files if systems else ():
        if name.endswith(".json") and name.removesuffix(".json") not in used:
            cause = "the description of a system without results"
            yield Objection(folder / name, cause, "remove it, or add the system's results", spoils_results=False)


@rule("calibration-missing", Submitter, since="v5.0")
def calibration_missing(submitter: Submitter) -> Iterable[Objection]:
    """Closed and network submissions tell how the weights were quantised."""
    submission = submitter.submission
    places = submission.layout.calibration(submitter.division, submitter.name)
    if submitter.is_closed and not any(submission.tree.has_file(one) for one in places):
        cause = "there is no account of calibration and quantisation"
        yield Objection(submitter.home, cause, f"write {places[0]} (or {places[1]})", spoils_results=False)


@rule("model-mapping", Submitter)
def model_mapping(submitter: Submitter) -> Iterable[Objection]:
    """model_mapping.json gives a benchmark for each own name."""
    path = submitter.submission.layout.model_mapping(submitter.name, submitter.division)
    if isinstance(submitter.mapping, Unreadable):
        yield Objection(path, submitter.mapping.why, 'write {"OWN NAME": "BENCHMARK"}, as {"mynet": "resnet"}')
        return
    known = submitter.submission.round.benchmarks
    for name, target in submitter.mapping.items():
        if not isinstance(target, str) or target not in known:
            cause = f"{name!r} is mapped to {target!r}, which is no benchmark of {submitter.submission.round.name}"
            hint = _closest(submitter, target)
            yield Objection(path, cause, f"use one of {', '.join(known)}{hint}", spoils_results=False)


def _closest(submitter: Submitter, target: object) -> str:
    found = submitter.submission.round.find(str(target))
    return f"; the name of {target!r} there is {found.name!r}" if found else ""


@rule("code-missing", Submitter, since="v5.0")
def code_missing(submitter: Submitter) -> Iterable[Objection]:
    """The sources are there."""
    folder = submitter.submission.layout.code(submitter.division, submitter.name)
    if submitter.submission.tree.at(folder) is None:
        yield Objection(folder, "the folder of the sources is missing", f"mkdir {folder}, with the sources")


@rule("code-of-benchmark", Model)
def code_of_benchmark(model: Model) -> Iterable[Objection]:
    """Until v4.1: each benchmark has a folder of sources, or a file that names one."""
    submitter = model.system.submitter
    if submitter.submission.is_since("v5.0"):
        return
    folder = submitter.submission.layout.code(submitter.division, submitter.name, model.name)
    if submitter.submission.tree.at(folder) is None and not submitter.submission.tree.has_file(folder):
        yield Objection(folder, "the folder of the benchmark's sources is missing", f"mkdir {folder}, with the sources")
