"""Rules by name. A rule is a function: what it looks at in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Generic, TypeVar

from mlperf_checker.context import Model, ResultFolder, Submission, Submitter, System
from mlperf_checker.findings import Finding, Scope, Severity, printable

Looked = TypeVar("Looked", Submission, Submitter, System, Model, ResultFolder)


@dataclass(frozen=True)
class Objection:
    """What a rule yields; the registry makes a finding of it.

    Attributes:
        path: file or folder, relative to the submission.
        cause, remedy: words.
        severity: error or warning.
        scope: results that it spoils, where these are not those below what the rule looks at.
        spoils_results: False for what is wrong with the submission but with no result in particular.
    """

    path: PurePosixPath | str
    cause: str
    remedy: str
    severity: Severity = "error"
    scope: Scope | None = None
    spoils_results: bool = True


@dataclass(frozen=True)
class Rule(Generic[Looked]):
    """A named rule.

    Attributes:
        since: the first round that it holds in, empty for all.
    """

    name: str
    subject: type[Looked]
    check: Callable[[Looked], Iterable[Objection]]
    since: str = ""


_RULES: dict[str, Rule[Any]] = {}


def rule(
    name: str, subject: type[Looked], since: str = ""
) -> Callable[[Callable[[Looked], Iterable[Objection]]], Callable[[Looked], Iterable[Objection]]]:
    """Register a function as the rule of a name.

    Args:
        name: in lower case with dashes; it stands in every finding.
        subject: what the rule looks at.
        since: first round that it holds in.
    """

    def register(check: Callable[[Looked], Iterable[Objection]]) -> Callable[[Looked], Iterable[Objection]]:
        if name in _RULES:
            raise ValueError(f"two rules are called {name}")
        _RULES[name] = Rule(name, subject, check, since)
        return check

    return register


def all_rules() -> tuple[Rule[Any], ...]:
    """Every rule, in the order of its registration."""
    import mlperf_checker.rules  # noqa: F401  registers them

    return tuple(_RULES.values())


def apply(
    subject: Looked, submission: Submission, scope: Scope, names: frozenset[str] | None = None
) -> Iterator[Finding]:
    """What the rules say about one subject.

    Args:
        names: the rules to apply, None for all.
    """
    for one in all_rules():
        wanted = one.subject is type(subject) and (names is None or one.name in names)
        if wanted and (not one.since or submission.is_since(one.since)):
            yield from _findings(one, subject, scope)


def _findings(one: Rule[Looked], subject: Looked, scope: Scope) -> Iterator[Finding]:
    try:
        for said in one.check(subject):
            reach = (said.scope if said.scope is not None else scope) if said.spoils_results else None
            path, cause = printable(str(said.path)), printable(said.cause)
            yield Finding(one.name, said.severity, path, cause, printable(said.remedy), reach)
    except Exception as error:
        # The last net for trees that nobody thought of: the result is not passed, and the checker goes on.
        cause = printable(f"the rule could not look at this: {type(error).__name__}: {error}")
        remedy = "look at the files for odd content, and report this rule's name with them"
        yield Finding(one.name, "error", "/".join(scope) or ".", cause, remedy, scope)
