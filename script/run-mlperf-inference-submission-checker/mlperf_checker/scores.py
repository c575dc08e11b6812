"""Accuracy metrics out of accuracy.txt, as the benchmarks' own accuracy scripts print them."""

from __future__ import annotations

import re

_NUMBER = r"([\d.]+)"


def _quoted(name: str) -> str:
    """A metric in a printed dictionary: `'rouge1': 42.9` or `'rouge1': '42.9'`."""
    return rf".*'{name}':\s+'?{_NUMBER}"


_PATTERNS = {
    "acc": rf'(?:\{{"accuracy|accuracy)[": ]*=?\s*{_NUMBER}',
    "AUC": rf"AUC={_NUMBER}",
    "mAP": rf".*(?:mAP=|'Total':)\s*{_NUMBER}",
    "F1": rf"\{{[\"']exact_match[\"']:\s*[\d.]+,\s*[\"']f1[\"']:\s*{_NUMBER}\}}",
    "ACCURACY": rf"Word Error Rate:.*, accuracy={_NUMBER}%",
    "DICE": rf"Accuracy:\s*mean\s*=\s*{_NUMBER}",
    "DLRM_NE": rf".*metric/lifetime_ne/rating:\s*{_NUMBER}",
    "DLRM_ACC": rf".*metric/lifetime_accuracy/rating:\s*{_NUMBER}",
    "DLRM_AUC": rf".*metric/lifetime_gauc/rating:\s*{_NUMBER}",
    "ROUGE1": _quoted("rouge1"),
    "ROUGE2": _quoted("rouge2"),
    "ROUGEL": _quoted("rougeL"),
    "ROUGELSUM": _quoted("rougeLsum"),
    "GEN_LEN": _quoted("gen_len"),
    "TOKENS_PER_SAMPLE": _quoted("tokens_per_sample"),
    "CLIP_SCORE": _quoted("CLIP_SCORE"),
    "FID_SCORE": _quoted("FID_SCORE"),
    "gsm8k_accuracy": _quoted("gsm8k"),
    "mbxp_accuracy": _quoted("mbxp"),
    "exact_match": _quoted("exact_match"),
    "vbench_score": _quoted("vbench_score"),
    "F1_HIERARCHICAL": rf'\{{.*"f1":\s*{_NUMBER}',
    "E2E_ACCURACY": rf"Accuracy:\s*{_NUMBER}",
}
_COMPILED = {metric: re.compile(pattern) for metric, pattern in _PATTERNS.items()}
_HASH = re.compile(r"^hash=(\w+)$", re.MULTILINE)

# What a line looks like, for people who have none.
EXAMPLES = {
    "acc": "accuracy=76.014%, good=38007, total=50000",
    "F1": '{"exact_match": 83.67, "f1": 90.87}',
    "mAP": "mAP=37.5%",
    "DICE": "Accuracy: mean = 0.86170",
    "AUC": "AUC=80.31%",
    "ACCURACY": "Word Error Rate: 2.07%, accuracy=97.93%",
}


def scores(text: str, metrics: tuple[str, ...]) -> dict[str, str]:
    """The value of each metric that the text has, as it is written there; of several the first."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        for metric in metrics:
            match = _COMPILED[metric].match(line) if metric in _COMPILED and metric not in found else None
            if match and _is_number(match[1]):
                found[metric] = match[1]
    return found


def last_scores(text: str, metrics: tuple[str, ...]) -> dict[str, float]:
    """Like `scores`, as numbers and of several the last: what upstream compares for TEST01."""
    backwards = "\n".join(reversed(text.splitlines()))
    return {metric: float(value) for metric, value in scores(backwards, metrics).items()}


def hash_of(text: str) -> str | None:
    """The hash of the whole accuracy log, which truncation writes."""
    found = _HASH.search(text)
    return found[1] if found else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
