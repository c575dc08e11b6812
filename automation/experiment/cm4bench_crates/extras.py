"""The libraries that only crates need, installed when first asked for."""

from __future__ import annotations

import importlib

from cm4bench_crates.errors import CrateError


def need(*modules: str) -> None:
    """Have libraries that can be imported.

    Raises:
        CrateError: one is missing and could not be installed.
    """
    from cm4bench_database.errors import DatabaseError
    from cm4bench_database.extras import need as needed

    try:
        needed(*modules)
    except DatabaseError as error:
        raise CrateError(error.cause, error.hint) from None
    importlib.invalidate_caches()
