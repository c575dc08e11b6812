"""Logs that nobody should write: the checker tells, and never raises."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.training_submission.runs import Clock
from tests.training_submission.trees import write_tree
from training_checker.__main__ import as_data
from training_checker.conduct import check_log, check_tree
from training_checker.screen import lines

KEYS = ["submission_benchmark", "submission_division", "seed", "run_start", "run_stop", "eval_accuracy", "init_stop"]
PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["resnet", "open", "success", "", "\x00"])
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)
EVENTS = st.fixed_dictionaries(
    {"key": st.sampled_from(KEYS) | VALUES, "value": VALUES, "metadata": VALUES, "time_ms": st.integers() | VALUES}
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(EVENTS, max_size=6))
def test_any_events(events: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "result_0.txt"
    path.write_text("".join(f":::MLLOG {json.dumps(one)}\n" for one in events))
    report = check_log(path, version="4.0", usage="training", benchmark="resnet")
    assert not report.ok
    assert "\n".join(lines(report)) and json.dumps(as_data(report))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b":::MLLOG\n", b":::MLLOG null\n", b":::MLLOG [1]\n"])
def test_any_bytes_in_a_tree(content: bytes, tmp_path: Path, clock: Clock) -> None:
    root = write_tree(tmp_path / "us", clock)
    for number in (0, 1):
        (root / f"results/box/resnet/result_{number}.txt").write_bytes(content)
    (root / "systems/box.json").write_bytes(content)
    (root / "results/box/resnet/scaling.json").write_bytes(content)
    assert not check_tree(root, version="4.0").ok


def test_a_folder_that_is_called_like_a_log(tmp_path: Path, clock: Clock) -> None:
    root = write_tree(tmp_path / "us", clock, runs=4)
    (root / "results/box/resnet/result_4.txt").mkdir()
    assert not [one for one in check_tree(root, version="4.0").findings if one.severity not in ("error", "warning")]
