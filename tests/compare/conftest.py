"""The room is shut where its libraries are missing."""

import importlib.util

if any(importlib.util.find_spec(name) is None for name in ("duckdb", "ruptures", "scipy")):
    collect_ignore_glob = ["test_*.py"]
