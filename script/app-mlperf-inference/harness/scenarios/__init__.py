"""The scenarios: settings, headline metric, queueing."""

from __future__ import annotations

from harness.scenarios.base import ALL, Scenario

__all__ = ["ALL", "Scenario"]
