"""Accuracy of node classification.

accuracy.txt has the line of the reference's accuracy_igbh.py: `accuracy=72.860%, good=…, total=…`. The value itself is
a fraction, as the submission checker's target is. The reference's own responses hold one byte, which cannot tell class
300 from class 44; ours hold int64, which its script reads with `--dtype int64`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.accuracy import log
from harness.arrays import Array
from harness.errors import HarnessError
from harness.outcome import Quality


def score(log_dir: Path, labels: Array, target: float | None) -> Quality:
    """Compare the log with the classes of the asked nodes, (count,), and write accuracy.txt into `log_dir`.

    Raises:
        HarnessError: kind `accuracy`, when a response is not one int64 or samples are missing.
    """
    answers = log.read_complete(log_dir, len(labels))
    wrong = next((k for k, answer in enumerate(answers) if len(answer) != 8), None)
    if wrong is not None:
        raise HarnessError("accuracy", f"sample {wrong}: {len(answers[wrong])} bytes are not one int64")
    given = np.frombuffer(b"".join(answers), dtype=np.int64)
    good, total = int((given == labels.astype(np.int64)).sum()), len(labels)
    value = good / total
    (log_dir / log.FILE_NAME).write_text(f"accuracy={100.0 * value:.3f}%, good={good}, total={total}\n")
    passed = None if target is None else value >= target
    return Quality(metric="accuracy", value=value, unit="", correct=good, total=total, target=target, passed=passed)
