"""Libraries that only some commands need: installed when first asked for, and only into a virtual environment."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from cm4bench_database.errors import DatabaseError

# What is imported → what pip installs.
REQUIREMENTS = {
    "duckdb": "duckdb >=1.1,<3",
    "fsspec": "fsspec >=2024.2",
    "openpyxl": "openpyxl >=3.1,<4",
    "rocrate": "rocrate >=0.13,<1",
    "ruptures": "ruptures >=1.1.9,<2",
    "scipy": "scipy >=1.15",
    "s3fs": "s3fs >=2024.2",
    "spdx_tools": "spdx-tools >=0.8.3,<0.9",
}
_CONSTRAINTS = Path(__file__).parents[3] / "constraints.txt"


def need(*modules: str) -> None:
    """Have libraries that can be imported.

    Raises:
        DatabaseError: one is missing and could not be installed, or there is no virtual environment to install it into.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return
    wanted = [REQUIREMENTS.get(name, name) for name in missing]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *_constraints(), *wanted]
    shown = " ".join(f"'{word}'" if " " in word else word for word in command)
    if sys.prefix == sys.base_prefix:
        raise DatabaseError(f"this needs {', '.join(missing)}, which Python does not have", shown)
    print(f"installing {', '.join(missing)} (once)", file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise DatabaseError(f"{', '.join(missing)} cannot be installed: {last}", shown)
    importlib.invalidate_caches()


def _constraints() -> list[str]:
    return ["-c", str(_CONSTRAINTS)] if _CONSTRAINTS.is_file() else []
