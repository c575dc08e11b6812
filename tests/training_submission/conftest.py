"""Fixtures for logs and submissions of training."""

import pytest
from tests.training_submission.runs import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)
