"""The rules about the runs of one benchmark on one system."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from mlperf_checker.findings import Finding, Severity

from trainer.rulesets import OWN, Ruleset
from training_checker import logs, rounds, upstream
from training_checker.tree import Result

ResultRule = Callable[[Result, Ruleset], Iterator[Finding]]


def has_rules(result: Result, rules: Ruleset) -> Iterator[Finding]:
    """mlperf-logging has a file for the benchmark; its checkers die of those that it only lists."""
    division = result.division or "open"
    if not rounds.has_rules(rules.usage, rules.version, division, rules.benchmark):
        cause = f"mlperf-logging lists {rules.benchmark} in {rules.version}, but has no {division} rules for it"
        yield _of(result, "error", "benchmark", cause, "--version of another round")


def count(result: Result, rules: Ruleset) -> Iterator[Finding]:
    """As many runs as the benchmark needs; with weak scaling at least that many."""
    found, exact = len(result.runs), result.scaling != "weak"
    if found == rules.runs or (found > rules.runs and not exact):
        return
    wanted = f"{'exactly' if exact else 'at least'} {rules.runs}"
    more = found < rules.runs
    remedy = f"run {rules.runs - found} more, with other seeds" if more else "choosing among runs is not allowed"
    yield _of(result, "error", "count", f"there are {found} runs, {rules.benchmark} needs {wanted}", remedy)


def names(result: Result, rules: Ruleset) -> Iterator[Finding]:
    """Nothing but logs and what belongs beside them."""
    for name in result.others:
        yield _of(result, "warning", "names", f"{name} is no result_<i>.txt", "rename or remove it")


def compliance(result: Result, rules: Ruleset) -> Iterator[Finding]:
    """Every log follows the rules and ends well; as many as do not count anyway may fail."""
    against = {run.name: [*logs.objections(run, rules), *logs.success(run)] for run in result.runs}
    bad = [name for name, found in against.items() if found]
    tolerated = len(bad) <= rules.drops
    for found in against.values():
        yield from (replace(one, severity="warning") if tolerated else one for one in found)
    if bad and tolerated:
        cause = f"{len(bad)} of {len(result.runs)} runs fail; {rules.drops} may, since the slowest do not count"
        yield _of(result, "warning", "compliance", cause, "nothing needs to be done")


def belongs(result: Result, rules: Ruleset) -> Iterator[Finding]:
    """A log says the same as the folder that it lies in."""
    said = {"submission_benchmark": result.benchmark, "submission_division": result.division}
    for run in result.runs:
        for key, wanted in said.items():
            value = run.value(key)
            if value is not None and wanted and value != wanted:
                cause = f"{key} in the log is {value!r}, but it lies with {wanted!r}"
                yield Finding("belongs", "error", run.name, cause, "move the log, or change the description")


def seeds(result: Result, rules: Ruleset) -> Iterator[Finding]:
    """Every run has a seed of its own; in the closed division it must."""
    severity: Severity = "error" if result.division == "closed" else "warning"
    by_run = {run.name: run.value("seed") for run in result.runs if run.events}
    times = Counter(map(repr, by_run.values()))
    for name, value in by_run.items():
        if value is None:
            yield Finding("seed", severity, name, "the log has no seed", "log it: every run needs one of its own")
        elif times[repr(value)] > 1:
            cause = f"{times[repr(value)]} runs have the seed {value}: they are one run, repeated"
            yield Finding("seed", severity, name, cause, "run again with another --seed")


def convergence(result: Result, rules: Ruleset) -> Iterator[Finding]:
    """Closed results do not converge in fewer epochs than the reference does (RCP)."""
    if result.division != "closed" or rules.benchmark == "minigo" or rules.version in (OWN, "0.7.0"):
        return
    try:
        passed, message, factor = upstream.scaling(result.folder, rules.usage, rules.version)
    except FileNotFoundError:
        cause = f"{rules.version} has no reference convergence points for {rules.benchmark}"
        yield _of(result, "error", "rcp", cause, "submit in the open division, or by another round")
        return
    except Exception as error:  # upstream's, on logs that the other rules object to
        yield _of(result, "error", "rcp", f"the convergence cannot be read: {error}", "mend the logs first")
        return
    if not passed:
        cause = f"it converges faster than the reference, or at a batch size that it lacks ({message})"
        yield _of(result, "error", "rcp", cause, "check the batch size and hyperparameters; see the RCP rules")
    elif factor > 1 and _written_factor(result) != factor:
        cause = f"it converges faster than the reference; the score must be multiplied by {factor:.6g}"
        yield _of(
            result, "error", "rcp", cause, f'put {{"scaling_factor": {factor!r}}} into {result.name}/scaling.json'
        )


def _written_factor(result: Result) -> float | None:
    try:
        return float(json.loads((result.folder / "scaling.json").read_text(encoding="utf-8"))["scaling_factor"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


RULES: tuple[ResultRule, ...] = (has_rules, count, names, compliance, belongs, seeds, convergence)


def _of(result: Result, severity: Severity, rule: str, cause: str, remedy: str) -> Finding:
    return Finding(rule, severity, result.name, cause, remedy)
