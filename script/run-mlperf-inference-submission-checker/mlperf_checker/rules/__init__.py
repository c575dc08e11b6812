"""The rules, by what they look at. A module per subject; importing this package registers all of them."""

from mlperf_checker.rules import (  # noqa: F401
    accuracy,
    accuracy_score,
    benchmark,
    compliance,
    hygiene,
    latency,
    log,
    measurements,
    performance,
    power,
    same_run,
    submitter,
    system,
)
