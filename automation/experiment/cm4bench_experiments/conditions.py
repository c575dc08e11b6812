"""Conditions on points, such as ``batch_size >= threads``: expressions of Jinja, which run no code of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cm4bench_experiments.errors import ExperimentError, did_you_mean

_HINT = "write it like batch_size >= threads and not (backend == 'openvino' and precision == 'bf16')"


def check_conditions(conditions: Sequence[str], names: Iterable[str]) -> None:
    """Refuse what is no expression, and names that are not varied. Raises ExperimentError."""
    known = set(names)
    for text in conditions:
        _compiled(text)
        unknown = sorted(_variables(text) - known)
        if unknown:
            near = did_you_mean(unknown[0], known)
            raise ExperimentError(
                f"condition {text!r}: {unknown[0]} is not varied{near}", f"varied are {', '.join(sorted(known))}"
            )


def holds(conditions: Sequence[str], values: Mapping[str, Any]) -> bool:
    """Whether all conditions hold; one that names what this point does not set holds. Raises ExperimentError."""
    return all(_holds(text, values) for text in conditions)


def _holds(text: str, values: Mapping[str, Any]) -> bool:
    if not _variables(text) <= values.keys():
        return True
    try:
        return bool(_compiled(text)(**values))
    except Exception as error:  # whatever an operator of a value may raise
        raise ExperimentError(f"condition {text!r} fails at {dict(values)}: {error}", _HINT) from None


@lru_cache(maxsize=64)
def _compiled(text: str) -> Callable[..., Any]:
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    try:
        expression: Callable[..., Any] = SandboxedEnvironment(undefined=StrictUndefined).compile_expression(text)
    except TemplateError as error:
        raise ExperimentError(f"condition {text!r} is no expression: {error.message}", _HINT) from None
    return expression


@lru_cache(maxsize=64)
def _variables(text: str) -> frozenset[str]:
    from jinja2 import Environment, meta

    return frozenset(meta.find_undeclared_variables(Environment().parse("{{" + text + "}}")))
