"""Why trainings cannot be submitted: everything at once, each with the command that helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from mlperf_submission.refusal import Refusal
from system_description import names
from training_checker import rounds, systems

from trainer import mllog
from trainer.mllog import LogError
from trainer.result import TrainResult
from trainer.rulesets import OWN
from training_submission.order import Order
from training_submission.runs import Run, Series

# What the harness logs where nobody said whose run it is.
UNNAMED = "unnamed"
# Two readings of one clock: the log's is in whole milliseconds.
_SAME_S, _SAME_SHARE = 0.5, 0.01


def again(record: TrainResult, more: str = "") -> str:
    """The command that trains a benchmark on the same data."""
    words = [record.benchmark, *([record.dataset] if record.dataset else []), record.tier]
    return f'cmr "run mlperf training {" ".join(f"_{word}" for word in words)}"{more}'


def of_names(order: Order, found: Sequence[Series]) -> Iterator[Refusal]:
    """Names that cannot become folders."""
    named = [
        ("the submitter", order.submitter, "--submitter=NAME"),
        ("the system", order.system, "--hw_name=NAME"),
        ("the implementation", order.implementation, "--implementation=NAME"),
        *(("the benchmark", one.benchmark, "--benchmark=NAME") for one in found),
    ]
    for kind, name, command in named:
        if problem := names.objection(kind, name):
            yield Refusal("names", problem, command, final=True)


def of_rounds(found: Sequence[Series], version: str) -> Iterator[Refusal]:
    """Benchmarks without MLPerf rules, and those of several suites."""
    for one in found:
        if one.rules.is_own:
            cause = "MLPerf has no rules for it, so there is nothing to submit it to"
            yield Refusal(one.benchmark, cause, "choose the results by --results_dir=FOLDER")
        elif version != OWN and one.benchmark not in rounds.benchmarks(one.rules.usage, version):
            cause = f"{one.rules.usage} {version} does not have it; {one.rules.version} does"
            yield Refusal(one.benchmark, cause, f"--version={one.rules.version}, in a submission of its own")
    usages = sorted({one.rules.usage for one in found if not one.rules.is_own})
    if len(usages) > 1 and version != OWN:
        cause = f"benchmarks of {' and '.join(usages)} are submitted apart"
        yield Refusal("benchmarks", cause, "choose the results by --results_dir=FOLDER", final=True)


def of_system(order: Order, fields: Mapping[str, str], version: str) -> Iterator[Refusal]:
    """What the checker would say of the description."""
    for cause, remedy in systems.objections(fields, version):
        yield Refusal("system description", f"{cause}; {remedy}", f"edit {order.description}")


def of_series(one: Series, order: Order) -> Iterator[Refusal]:
    """What stands against the runs of one benchmark as one result."""
    found, needed = len(one.runs), one.rules.runs
    if found < needed:
        more = again(one.record, f" --runs={needed}")
        yield Refusal(one.benchmark, f"there are {found} runs, a result needs exactly {needed}", more)
    if found > needed and order.scaling != "weak":
        cause = f"there are {found} runs, a result needs exactly {needed}; choosing the best is not allowed"
        yield Refusal(one.benchmark, cause, "name the folders that were meant before they ran: --results_dir=A,B,…")
    yield from _of_seeds(one)
    yield from _of_differences(one)
    yield from _of_failed(one)


def _of_seeds(one: Series) -> Iterator[Refusal]:
    times = Counter(run.record.seed for run in one.runs)
    for seed, count in sorted(times.items()):
        if count > 1:
            cause = f"{count} runs have the seed {seed}: they are one run, repeated"
            yield Refusal(one.benchmark, cause, again(one.record, " --seed=N"))


def _of_failed(one: Series) -> Iterator[Refusal]:
    failed = [run for run in one.runs if not run.record.reached]
    if len(failed) > one.rules.drops:
        cause = f"{len(failed)} of {len(one.runs)} runs did not reach their target, at most {one.rules.drops} may"
        yield Refusal(one.benchmark, cause, again(one.record))


_MUST_AGREE: Mapping[str, Callable[[TrainResult], object]] = {
    "the data are": lambda record: (record.dataset, record.tier),
    "the target is": lambda record: record.quality.target,
    "the hyper-parameters are": lambda record: sorted(record.recipe.items(), key=str),
    "the precision is": lambda record: record.config.precision,
    "the device is": lambda record: (record.config.device, record.config.processes, record.config.nodes),
    "the host is": lambda record: (record.host.get("cpu_model"), record.host.get("accelerators")),
    "the software is": lambda record: sorted(record.software.items()),
}


def _of_differences(one: Series) -> Iterator[Refusal]:
    """The runs of a result differ in their seeds and in nothing else."""
    records = [run.record for run in one.runs if run.record.failure is None]
    for what, value in _MUST_AGREE.items():
        if len({str(value(record)) for record in records}) > 1:
            yield Refusal(one.benchmark, f"{what} not the same in all runs", again(one.record))


def of_run(run: Run, order: Order) -> Iterator[Refusal]:
    """What stands against one run: its data, and a log that is not its own."""
    record, subject = run.record, f"{run.record.benchmark}, seed {run.record.seed}"
    if record.tier == "synthetic":
        cause = "its data are synthetic: they have the shape of the benchmark's and not its difficulty"
        yield Refusal(subject, cause, f'cmr "run mlperf training _{record.benchmark} _full"')
    elif record.tier != "full" and order.division == "closed":
        cause = f"its data are of the tier {record.tier}; the closed division needs the official ones"
        yield Refusal(subject, cause, "pack with --division=open")
    yield from _of_log(run, order, subject)


def _of_log(run: Run, order: Order, subject: str) -> Iterator[Refusal]:
    log, record = run.log, run.record
    if not log.path.is_file():
        yield Refusal(subject, f"its log {log.path} is missing", again(record), final=True)
        return
    told = {"submission_org": order.submitter, "submission_division": order.division, "seed": record.seed}
    for key, wanted in told.items():
        value = log.value(key)
        if value not in (None, wanted, UNNAMED):
            cause = f"{key} in its log is {value!r}, not {wanted!r}"
            yield Refusal(subject, cause, again(record, f" --submitter={order.submitter} --division={order.division}"))
    if record.reached and not record.resumed and not _same_time(run):
        cause = f"its log and its record do not tell the same time to train ({record.time_to_train_s} s)"
        yield Refusal(subject, cause, again(record), final=True)


def _same_time(run: Run) -> bool:
    """Whether log and record are of one run. Those of a resumed one differ by the time that it lay idle."""
    try:
        logged, recorded = mllog.time_to_train(run.log.path), run.record.time_to_train_s or 0.0
    except LogError:
        return False
    return abs(logged - recorded) <= max(_SAME_S, _SAME_SHARE * recorded)
