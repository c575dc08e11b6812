"""cm4bench: plan, then run, portable benchmark scripts in MLCommons CM format.

`Engine(repos, home).plan(Request("detect os"))` shows what would happen; `.run(…)` makes it happen.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine import Engine, Report, Request
    from .errors import CMBenchError
    from .manifest import Repo

__all__ = ["CMBenchError", "Engine", "Repo", "Report", "Request"]

_HOMES = {"Engine": "engine", "Report": "engine", "Request": "engine", "CMBenchError": "errors", "Repo": "manifest"}


def __getattr__(name: str) -> Any:
    """Import on first use: scripts that only want `cm4bench.errors` need not load the engine."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cm4bench' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
