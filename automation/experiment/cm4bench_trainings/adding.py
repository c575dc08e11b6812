"""`cm add experiment --template=NAME [--output=FILE] [--force]`: a commented configuration to begin with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SCRIPTS = Path(__file__).parents[3] / "script"


def add(i: Mapping[str, Any]) -> dict[str, Any]:
    """Write the template; without a name, or with an unknown one, an error that tells all of them."""
    for folder in ("run-mlperf-lite", "app-mlperf-training"):
        if str(_SCRIPTS / folder) not in sys.path:
            sys.path.append(str(_SCRIPTS / folder))
    from mlperf_lite import templates
    from mlperf_lite.errors import LiteError

    name = str(i["template"])
    target = Path(str(i["output"])) if i.get("output") else None
    try:
        if name in ("", "True", "yes"):
            raise LiteError("no template was named", f"--template=NAME: {', '.join(templates.names())}")
        written = templates.write(name, target, force=str(i.get("force")).lower() in ("true", "yes", "1"))
    except LiteError as error:
        return {"return": 1, "error": f"{error.cause}\nnext: {error.hint}" if error.hint else error.cause}
    if i.get("out") == "con":
        print("\n".join(f"written: {path}" for path in written))
        print(f'next: cmr "run mlperf-lite" --config={written[0]}')
    return {"return": 0, "files": [str(path) for path in written]}
