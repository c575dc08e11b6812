"""What user.conf, and up to v4.1 mlperf.conf, say about one key."""

from __future__ import annotations

import re

from mlperf_checker.context import ResultFolder
from mlperf_checker.reading import Unreadable

_LINE = re.compile(r"(\S+?)\.(\S+?)\.(\w+)=(\S+)")


def says(result: ResultFolder, key: str, value: str) -> bool:
    """Whether a configuration file of the result sets a key to a value, for its model and scenario or for all."""
    return any(value == found for name in ("mlperf.conf", "user.conf") for found in _values(result, name, key))


def _values(result: ResultFolder, name: str, key: str) -> list[str]:
    path = result.submission.layout.measurements(result.place) / name
    text = result.submission.files.text(path)
    if isinstance(text, Unreadable) or result.benchmark is None:
        return []
    models, scenarios = ("*", result.benchmark.conf), ("*", result.scenario)
    lines = (_LINE.fullmatch(re.sub(r"\s", "", line)) for line in text.splitlines())
    return [one[4] for one in lines if one and one[3] == key and one[1] in models and one[2] in scenarios]
