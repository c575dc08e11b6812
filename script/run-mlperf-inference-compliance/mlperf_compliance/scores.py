"""Scores in what an accuracy script prints, found as the submission checker finds them."""

from __future__ import annotations

import re

_NUMBER = r"([\d.]+)"
# Metrics of benchmarks that have TEST01 or TEST07.
_PATTERNS = {
    "acc": rf'^(?:\{{"accuracy|accuracy)[": ]*=?\s*{_NUMBER}',
    "mAP": rf"(?:mAP=|'Total':)\s*{_NUMBER}",
    "F1": rf"""^{{["']exact_match["']:\s*[\d.]+,\s*["']f1["']:\s*{_NUMBER}}}""",
    "AUC": rf"^AUC={_NUMBER}",
    "DICE": rf"^Accuracy:\s*mean\s*=\s*{_NUMBER}",
    "ACCURACY": rf"^Word Error Rate:.*, accuracy={_NUMBER}%",
}


def find(metric: str, printed: str) -> float | None:
    """The last value of a metric; None where it is not printed."""
    pattern = _PATTERNS.get(metric, rf"'{re.escape(metric)}':\s*'?{_NUMBER}")
    found = re.findall(pattern, printed, flags=re.MULTILINE)
    try:
        return float(found[-1]) if found else None
    except ValueError:
        return None
