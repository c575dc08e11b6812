"""The rules about a whole submission. Each is a small function that yields findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from mlperf_checker.findings import Finding, Severity, printable

from trainer.rulesets import OWN
from training_checker import systems
from training_checker.rounds import benchmarks
from training_checker.tree import SCALINGS, Submission

LARGEST = 50 << 20  # bytes; what the results' repository takes
_PLAIN = re.compile(r"[^\s.\[\]*?][^\s\[\]*?]*")
BYPASSES = ("rcp-bypass", "rcp-bert-train-samples", "seed-checker-bypass")

TreeRule = Callable[[Submission, str], Iterator[Finding]]


def parts(submission: Submission, version: str) -> Iterator[Finding]:
    """systems/, results/ and benchmarks/ are there, and results/ holds some."""
    for name in submission.missing:
        yield _error("parts", name, f"{name}/ is missing", "a submission has systems/, results/ and benchmarks/")
    if not submission.missing and not submission.results:
        below = "results/<system>/strong/<benchmark>" if submission.usage == "hpc" else "results/<system>/<benchmark>"
        yield _error("parts", "results", "there are no results", f"put the logs below {below}")


def scalings(submission: Submission, version: str) -> Iterator[Finding]:
    """In hpc, results lie below strong/ or weak/."""
    if submission.usage != "hpc":
        return
    for system in submission.systems:
        for path in sorted((submission.root / "results" / system).iterdir()):
            if path.is_dir() and path.name not in SCALINGS:
                where = f"results/{system}/{path.name}"
                yield _error("scalings", where, f"{path.name!r} is neither strong nor weak", "move it below strong/")


def names_of_benchmarks(submission: Submission, version: str) -> Iterator[Finding]:
    """The ruleset has the benchmark; upstream skips those that it does not have, without an error."""
    have = benchmarks(submission.usage, version)
    for result in submission.results:
        if version != OWN and result.benchmark not in have:
            cause = f"{submission.usage} {version} has no benchmark {result.benchmark!r}, so nobody checks it"
            yield _error(
                "benchmark", result.name, cause, f"rename the folder ({', '.join(have)}), or another --version"
            )


def descriptions(submission: Submission, version: str) -> Iterator[Finding]:
    """Every system with results is described, fully."""
    for system in submission.systems:
        path = submission.file_of(system)
        name = str(path.relative_to(submission.root))
        if not path.is_file():
            yield _error("system", name, f"the system {system!r} has results and no description", f"write {name}")
            continue
        description = submission.description(system)
        if not description:
            yield _error("system", name, "it is no JSON object", "write keys and values")
            continue
        for cause, remedy in systems.objections(description, version):
            yield _error("system", name, cause, remedy)


def described_in_vain(submission: Submission, version: str) -> Iterator[Finding]:
    """A description without results."""
    folder = submission.root / "systems"
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        if path.stem not in submission.systems:
            yield _finding("warning", "system", f"systems/{path.name}", "there are no results of it", "remove it")


def sources(submission: Submission, version: str) -> Iterator[Finding]:
    """The code of every benchmark is there."""
    for benchmark in sorted({one.benchmark for one in submission.results}):
        folder = submission.root / "benchmarks" / benchmark
        if not any(path.is_file() for path in folder.rglob("*")):
            where = f"benchmarks/{benchmark}"
            yield _error("sources", where, "the code that made the results is missing", f"put it below {where}")


def file_names(submission: Submission, version: str) -> Iterator[Finding]:
    """Names that git and the checkers take; sizes; links that lead somewhere."""
    for path in sorted(submission.root.rglob("*")):
        name = printable(str(path.relative_to(submission.root)))
        if not _PLAIN.fullmatch(path.name):
            cause = f"{printable(path.name)!r} is a name that git or the checkers do not take"
            yield _error("names", name, cause, "no spaces, no brackets, no dot at its beginning")
        if path.is_symlink() and not path.exists():
            yield _error("names", name, "the link leads nowhere", "put the file there, or remove the link")
        elif path.is_file() and path.stat().st_size > LARGEST:
            size = path.stat().st_size >> 20
            yield _error("size", name, f"the file has {size} MiB, 50 are allowed", "shorten it, or leave it out")


def bypasses(submission: Submission, version: str) -> Iterator[Finding]:
    """package_checker_params: what checks are to be skipped; upstream reads only a last line without a line end."""
    for path in sorted(submission.root.rglob("package_checker_params")):
        name = str(path.relative_to(submission.root))
        text = _text(path)
        for word in text.split():
            if word not in BYPASSES:
                yield _error("bypass", name, f"{word!r} is no check that can be skipped", ", ".join(BYPASSES))
        if text.split() and (text.endswith("\n") or len(text.split()) > 1) and path.parent != submission.root:
            cause = "upstream takes a word here only as the file's one line, without a line end"
            yield _finding("warning", "bypass", name, cause, f"printf {text.split()[0]} > {name}")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


RULES: tuple[TreeRule, ...] = (
    parts,
    scalings,
    names_of_benchmarks,
    descriptions,
    described_in_vain,
    sources,
    file_names,
    bypasses,
)


def _finding(severity: Severity, rule: str, path: str, cause: str, remedy: str) -> Finding:
    return Finding(rule, severity, path, cause, remedy)


def _error(rule: str, path: str, cause: str, remedy: str) -> Finding:
    return _finding("error", rule, path, cause, remedy)
