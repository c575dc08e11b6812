"""Benchmarks and their scenarios: known, allowed, complete."""

from __future__ import annotations

from collections.abc import Iterable

from mlperf_checker.context import Model, ResultFolder
from mlperf_checker.layout import SCENARIOS
from mlperf_checker.registry import Objection, rule


@rule("benchmark-unknown", Model)
def benchmark_unknown(model: Model) -> Iterable[Objection]:
    """The folder's name is a benchmark, or the open division's mapping makes one of it."""
    if model.benchmark is not None:
        return
    submitter = model.system.submitter
    known = submitter.submission.round.benchmarks
    if submitter.is_closed:
        cause = f"{model.name!r} is no benchmark of {submitter.submission.round.name}"
        yield Objection(model.path, cause, f"rename it to one of {', '.join(known)}")
        return
    path = submitter.submission.layout.model_mapping(submitter.name, submitter.division)
    cause = f"nothing says which benchmark {model.name!r} counts as"
    yield Objection(model.path, cause, f'write {path}: {{"{model.name}": "BENCHMARK"}}')


@rule("benchmark-category", Model)
def benchmark_category(model: Model) -> Iterable[Objection]:
    """The benchmark exists for systems of this type."""
    category = model.system.category
    if model.benchmark is None or category is None or model.benchmark.scenarios(category):
        return
    cause = f"{model.benchmark.name} is no benchmark for systems of type {category!r}"
    yield Objection(model.path, cause, f'change "system_type" in {model.system.path}, or leave the benchmark out')


@rule("scenario-missing", Model)
def scenario_missing(model: Model) -> Iterable[Objection]:
    """Closed and network: all required scenarios are there."""
    category = model.system.category
    if model.benchmark is None or category is None or not model.system.submitter.is_closed:
        return
    present = {name.lower() for name in model.folder.folders}
    submission = model.system.submitter.submission
    for scenario in model.benchmark.scenarios(category).required:
        if scenario.lower() not in present:
            cause = f"{model.benchmark.name} needs {scenario} for systems of type {category!r}"
            # until v4.1 the other scenarios stood on their own
            scope = None if submission.is_since("v5.0") else (*model.scope, scenario)
            yield Objection(model.path, cause, f"add {scenario}/, or leave the benchmark out", scope=scope)


@rule("scenario-one-of", Model)
def scenario_one_of(model: Model) -> Iterable[Objection]:
    """Closed and network, since v6.1: one of Server and Interactive where both are optional."""
    category, submitter = model.system.category, model.system.submitter
    one_of = submitter.submission.round.submission.one_of
    if model.benchmark is None or category is None or not submitter.is_closed or not one_of:
        return
    present = {name.lower() for name in model.folder.folders}
    optional = model.benchmark.scenarios(category).optional
    if set(one_of) <= set(optional) and not any(one.lower() in present for one in one_of):
        cause = f"{model.benchmark.name} needs one of {' and '.join(one_of)}"
        yield Objection(model.path, cause, f"add {' or '.join(one_of)}")


@rule("scenario-unknown", ResultFolder)
def scenario_unknown(result: ResultFolder) -> Iterable[Objection]:
    """The folder's name is a scenario."""
    if result.scenario is None:
        cause = f"{result.folder_name!r} is no scenario"
        yield Objection(result.path, cause, f"rename it to one of {', '.join(SCENARIOS)}, or remove it")


@rule("scenario-not-allowed", ResultFolder)
def scenario_not_allowed(result: ResultFolder) -> Iterable[Objection]:
    """Closed and network: the benchmark has the scenario for systems of this type."""
    category = result.system.category
    if result.benchmark is None or result.scenario is None or category is None or not result.is_closed:
        return
    allowed = result.benchmark.scenarios(category)
    if allowed and result.scenario not in allowed:
        cause = f"{result.benchmark.name} has no {result.scenario} for systems of type {category!r}"
        yield Objection(result.path, cause, f"leave it out; there are {', '.join(allowed)}")


@rule("scenario-known-to-round", ResultFolder)
def scenario_known_to_round(result: ResultFolder) -> Iterable[Objection]:
    """The round has a number to publish for the scenario."""
    if result.benchmark is None or result.scenario is None:
        return
    if result.figure_of(result.scenario) is None:
        cause = f"{result.submission.round.name} has no scenario {result.scenario}"
        yield Objection(result.path, cause, "leave it out, or check for a later round with --version")
