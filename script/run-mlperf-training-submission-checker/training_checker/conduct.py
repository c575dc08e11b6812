"""Check a log, or a submission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mlperf_checker.findings import Finding, printable

from trainer import olympic, rulesets
from trainer.rulesets import OWN, Ruleset
from training_checker import logs, rounds, rules_of_result, rules_of_tree, tree, upstream
from training_checker.errors import CheckError
from training_checker.report import Report, Row
from training_checker.tree import Result, Submission


def check_log(path: Path, *, benchmark: str = "", version: str = "", usage: str = "") -> Report:
    """Check one log.

    Args:
        benchmark: the one that it must be of; by default the one that it names.
        version: ruleset, as `4.0`; by default the last one that has the benchmark, or ours where none has.

    Raises:
        CheckError: for a log that is not there, or a ruleset or benchmark that there is not.
    """
    if not path.is_file():
        raise CheckError(f"there is no log {path}", "--log_file=result_0.txt")
    run = logs.Run(path, path.name)
    named = str(run.value("submission_benchmark") or "")
    known = rulesets.of(benchmark or named)
    usage = usage or known.usage
    version = rounds.version_of(version, usage) if version else known.version
    rules = rounds.ruleset(usage, version, known.benchmark) if known.benchmark else Ruleset("", version, usage)
    findings = [*logs.objections(run, rules), *logs.success(run)]
    if benchmark and named and named != known.benchmark:
        cause = f"the log is of {named!r}, not of {known.benchmark!r}"
        findings.insert(0, Finding("belongs", "error", run.name, cause, f"--benchmark={named}"))
    return Report(_label(usage, version), tuple(findings))


def check_tree(folder: Path, *, version: str = "", usage: str = "", bypass: frozenset[str] = frozenset()) -> Report:
    """Check a submission: by the rules of this package, and by mlperf-logging's package checker.

    Args:
        folder: a submitter's folder, or one that holds some.
        version: ruleset, as `v4.0`; by default the newest that has all benchmarks.
        usage: `training` or `hpc`; by default as the tree is laid out.
        bypass: checks to be skipped, by upstream's names.

    Raises:
        CheckError: where there is nothing to check.
    """
    roots = tree.submitters(folder)
    usage = usage or tree.usage_of(folder)
    found = [Submission(root, usage) for root in roots]
    version = _version(found, version, usage)
    parts = [_check(one, version, bypass) for one in found]
    asked = [one.accepted for one in parts if one.accepted is not None]
    return Report(
        _label(usage, version),
        tuple(finding for one in parts for finding in one.findings),
        tuple(row for one in parts for row in one.rows),
        tuple(line for one in parts for line in one.upstream),
        all(asked) if asked else None,
    )


def _version(found: list[Submission], asked: str, usage: str) -> str:
    if asked:
        return rounds.version_of(asked, usage)
    return rounds.newest_for(usage, (result.benchmark for one in found for result in one.results))


def _label(usage: str, version: str) -> str:
    return "own rules (not MLPerf's)" if version == OWN else f"{usage} {version}"


def _check(submission: Submission, version: str, bypass: frozenset[str]) -> Report:
    findings = [one for rule in rules_of_tree.RULES for one in rule(submission, version)]
    rows: list[Row] = []
    for result in submission.results:
        try:
            rules = rounds.ruleset(submission.usage, version, result.benchmark)
        except CheckError:
            continue  # a rule of the tree has named it
        findings += [
            one for rule in rules_of_result.RULES for one in rule(result, rules) if not _is_skipped(one, bypass)
        ]
        rows.append(_row(result, rules, findings))
    label = _label(submission.usage, version)
    if version == OWN or submission.missing:
        return Report(label, tuple(findings), tuple(rows))
    said = upstream.package(submission.root, submission.usage, version, bypass=bypass)
    findings += _theirs(said, findings)
    if said.ok and not any(one.severity == "error" for one in findings):
        findings += _scores(submission, version, rows)
    return Report(label, tuple(findings), tuple(rows), said.lines, said.ok)


def _is_skipped(finding: Finding, bypass: frozenset[str]) -> bool:
    skipped = {"rcp": "rcp-bypass", "seed": "seed-checker-bypass"}
    return finding.severity == "error" and skipped.get(finding.rule) in bypass


def _theirs(said: upstream.Said, ours: list[Finding]) -> Iterator[Finding]:
    """What upstream objects to and we do not; where both object, ours says it."""
    if said.ok or any(one.severity == "error" for one in ours):
        return
    cause = said.died or "; ".join(line.removeprefix("ERROR - ") for line in said.errors[:3]) or "it found errors"
    yield Finding(
        "upstream", "error", ".", f"mlperf-logging's package checker: {cause}", "--upstream_log=FILE keeps all"
    )


def _row(result: Result, rules: Ruleset, findings: list[Finding]) -> Row:
    bad = {one.path for one in findings if one.rule == logs.RULE}
    seconds = [None if printable(run.name) in bad else run.seconds for run in result.runs]
    score = olympic.score(seconds, rules)
    if result.scaling == "weak":
        score = replace(score, seconds=None, why_not="weak scaling is a rate of trainings; it is not computed here")
    return Row(
        str(result.submission.description(result.system).get("submitter") or result.submission.root.name),
        result.system,
        f"{result.benchmark} ({result.scaling})" if result.scaling else result.benchmark,
        result.division,
        score,
        _scale(result),
    )


def _scale(result: Result) -> float:
    try:
        return float(json.loads((result.folder / "scaling.json").read_text(encoding="utf-8"))["scaling_factor"])
    except (OSError, ValueError, KeyError, TypeError):
        return 1.0


def _scores(submission: Submission, version: str, rows: list[Row]) -> Iterator[Finding]:
    """Where mlperf-logging's result summarizer has another score than we have."""
    try:
        theirs = upstream.scores(submission.root, submission.usage, version)
    except Exception as error:  # upstream's, on what it did not expect
        yield Finding(
            "summary", "warning", ".", f"mlperf-logging's summarizer died: {error}", "look at the description"
        )
        return
    for row in rows:
        name = str(submission.description(row.system).get("system_name"))
        minutes = theirs.get((name, row.benchmark.partition(" ")[0]))
        if minutes is not None and row.minutes is not None and abs(minutes - row.minutes) > 1e-6:
            cause = f"mlperf-logging's summarizer says {minutes:g} minutes, we say {row.minutes:g}"
            yield Finding("summary", "warning", f"results/{row.system}", cause, "runs that were given up count there")
