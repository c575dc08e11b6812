"""The score: accuracy.txt against the benchmark's targets."""

from __future__ import annotations

from collections.abc import Iterable

from mlperf_checker.context import ResultFolder
from mlperf_checker.findings import severity
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule
from mlperf_checker.scores import EXAMPLES, hash_of, scores

SCORE = "accuracy.txt"


def text_of(result: ResultFolder) -> str | None:
    """accuracy.txt, None where it cannot be read."""
    text = result.submission.files.text(result.accuracy.path / SCORE)
    return None if isinstance(text, Unreadable) else text


def found_scores(result: ResultFolder) -> dict[str, str]:
    """The benchmark's metrics in accuracy.txt."""
    text = text_of(result)
    if text is None or result.benchmark is None or result.scenario is None:
        return {}
    return scores(text, tuple(one.metric for one in result.benchmark.targets(result.scenario)))


@rule("accuracy-text", ResultFolder)
def accuracy_text(result: ResultFolder) -> Iterable[Objection]:
    """accuracy.txt can be read and is not empty."""
    path = result.accuracy.path / SCORE
    text = result.submission.files.text(path)
    remedy = 'write it again with cmr "process mlperf accuracy", then truncate the log'
    if isinstance(text, Unreadable):
        if not text.missing:
            yield Objection(path, text.why, remedy)
    elif not text.strip():
        yield Objection(path, "the file is empty", remedy)


@rule("accuracy-hash", ResultFolder)
def accuracy_hash(result: ResultFolder) -> Iterable[Objection]:
    """accuracy.txt has the hash of the whole log. Upstream only remarks on it in the open division."""
    text = text_of(result)
    if text and hash_of(text) is None and not result.is_endpoints:
        weight = severity(severe=result.is_closed)
        remedy = 'cmr "truncate mlperf inference accuracy log" writes it, while it still has the whole log'
        path = result.accuracy.path / SCORE
        yield Objection(path, "the line hash=… of the whole accuracy log is missing", remedy, severity=weight)


@rule("accuracy-metric", ResultFolder)
def accuracy_metric(result: ResultFolder) -> Iterable[Objection]:
    """accuracy.txt has all metrics of the benchmark; in the open division one of them (until v4.1, none) will do."""
    text, benchmark = text_of(result), result.benchmark
    if not text or benchmark is None or result.scenario is None:
        return
    wanted = tuple(one.metric for one in benchmark.targets(result.scenario))
    found = scores(text, wanted)
    missing = [metric for metric in wanted if metric not in found]
    if not missing:
        return
    example = next((f', as "{EXAMPLES[one]}"' for one in missing if one in EXAMPLES), "")
    cause = f"no line gives {', '.join(missing)}, which {benchmark.name} is judged by"
    weight = severity(severe=result.is_closed or (not found and result.submission.is_since("v5.0")))
    remedy = f"write what the benchmark's accuracy script prints{example}"
    yield Objection(result.accuracy.path / SCORE, cause, remedy, severity=weight)


@rule("accuracy-target", ResultFolder)
def accuracy_target(result: ResultFolder) -> Iterable[Objection]:
    """Closed and network: each metric reaches its target and keeps its bounds."""
    if result.benchmark is None or result.scenario is None or not result.is_closed:
        return
    found = found_scores(result)
    for target in result.benchmark.targets(result.scenario):
        if target.metric not in found:
            continue
        value = float(found[target.metric])
        bounds = ((target.at_least, "at least"), (target.at_most, "at most"))
        for bound, word in bounds:
            missed = bound is not None and (value < bound.value if word == "at least" else value > bound.value)
            if bound is not None and missed:
                cause = f"{target.metric} is {found[target.metric]}, {word} {bound.value:.6g} is needed"
                remedy = "submit in the open division, or with a more accurate model"
                yield Objection(result.accuracy.path / SCORE, cause, remedy)
