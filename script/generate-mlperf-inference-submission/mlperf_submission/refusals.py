"""Why results cannot be submitted: everything at once, each with the command that helps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mlperf_checker.layout import POWER_FILES, POWER_RUN_FILES
from system_description import names

from cm4bench_results.stamp import verdict
from mlperf_submission import files
from mlperf_submission.order import Order
from mlperf_submission.refusal import Refusal
from mlperf_submission.results import Result

if TYPE_CHECKING:
    from harness.rounds import Benchmark, Round

MODES = ("performance", "accuracy")


def run_command(result: Result, tier: str = "") -> str:
    """The command that measures a model's scenario at full length, on the data of a tier if one is named."""
    words = f"run mlperf inference _valid{tier and f' _{tier}'}"
    return f'cmr "{words}" --model={result.asked_model} --scenario={result.scenario}'


def of_names(order: Order, results: Iterable[Result]) -> Iterator[Refusal]:
    """Names that cannot become folders."""
    models = {result.model for result in results}
    named = [("the submitter", order.submitter, "--submitter=NAME"), ("the system", order.system, "--hw_name=NAME")]
    for kind, name, command in [*named, *(("the model", one, "--model=NAME") for one in sorted(models))]:
        if problem := names.objection(kind, name):
            yield Refusal("names", problem, command, final=True)


def of_result(result: Result, order: Order) -> Iterator[Refusal]:
    """What the result itself says against it."""
    subject = f"{result.model} {result.scenario}"
    missing = [mode for mode in MODES if result.run(mode) is None]
    for mode in missing:
        yield Refusal(subject, f"there is no {mode} run", run_command(result), final=True)
    for mode in set(MODES) - set(missing):
        yield from _changed(result, mode, subject)
    if result.power:
        yield from _power(result, order, subject)
    said = verdict(result.record)
    for reason in said.reasons:
        yield Refusal(subject, f"not valid: {reason}", run_command(result))
    for reason in dict.fromkeys(result.record.notes):
        if _counts(reason, order.division):
            yield Refusal(subject, reason, run_command(result))
    if result.record.tier == "synthetic":
        cause = "data or weights are synthetic: its numbers say nothing about any model"
        yield Refusal(subject, cause, run_command(result, "full"))
    elif order.division == "closed":
        yield from _closed(result, subject)


def _power(result: Result, order: Order, subject: str) -> Iterator[Refusal]:
    """What a power result needs beside its run."""
    if order.analyzer_table is None:
        yield Refusal(subject, "power results need an account of the analyzer", "--analyzer_settings_file=FILE")
    if order.power_settings is None:
        yield Refusal(subject, "power results need an account of the power settings", "--power_settings_file=FILE")
    folder = result.folder / "performance"
    wanted = [*(f"power/{name}" for name in POWER_FILES.required), "run_1/spl.txt"]
    wanted += [f"ranging/{name}" for name in POWER_RUN_FILES.required]
    for name in wanted:
        if not (folder / name).is_file():
            yield Refusal(subject, f"{folder / name} is missing", "measure the power again", final=True)


def _counts(note: str, division: str) -> bool:
    """Whether a note of the harness stands against a submission; the tier has refusals of its own."""
    if note.startswith(("the processor was shared", "tier ")):
        return False
    return division == "closed" or "closed division" not in note


def _closed(result: Result, subject: str) -> Iterator[Refusal]:
    record = result.record
    if record.tier != "full":
        cause = f"data or model are of the tier {record.tier}; the closed division needs the official ones"
        yield Refusal(subject, cause, f"{run_command(result, 'full')}, or pack with --division=open")
    elif record.division != "closed candidate":
        cause = "the closed division needs the benchmark's own model, at its accuracy target"
        yield Refusal(subject, cause, "pack with --division=open")


def _changed(result: Result, mode: str, subject: str) -> Iterator[Refusal]:
    """Files that are no longer those that the record was made from."""
    run = result.run(mode)
    for file in run.files if run else ():
        path = result.folder / file.path
        if "mlperf_log_" not in path.name and path.name != "accuracy.txt":
            continue
        if not path.is_file():
            yield Refusal(subject, f"{path} is missing", run_command(result), final=True)
        elif files.sha256(path) != file.sha256:
            yield Refusal(subject, f"{path} was changed since it was measured", run_command(result), final=True)


def of_coverage(
    results: Sequence[Result], benchmark: Benchmark, found: Round, order: Order, inferred: Iterable[str]
) -> Iterator[Refusal]:
    """Scenarios and compliance tests that the closed and the network division need; ``results`` are of one model."""
    if order.division == "open":
        return
    scenarios = benchmark.scenarios(order.category)
    have = {result.scenario for result in results} | set(inferred)
    model, subject = results[0].asked_model, f"{benchmark.name} ({order.category})"
    for scenario in scenarios.required:
        if scenario not in have:
            command = f'cmr "run mlperf inference _valid" --model={model} --scenario={scenario}'
            yield Refusal(subject, f"{scenario} is required and missing", command)
    choice = [one for one in found.submission.one_of if one in scenarios.optional]
    if choice and not have & set(choice):
        command = f'cmr "run mlperf inference _valid" --model={model} --scenario={choice[0]}'
        yield Refusal(subject, f"one of {', '.join(choice)} is required", command)
    for result in results:
        done = {path.name for path in result.tests()}
        for test in benchmark.compliance:
            if test not in done:
                command = f'cmr "run mlperf inference compliance" --result_dir={result.folder}'
                yield Refusal(f"{benchmark.name} {result.scenario}", f"{test} was not run", command)
