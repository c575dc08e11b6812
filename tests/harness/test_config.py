"""RunConfig and Outcome are values that survive JSON, and refuse nonsense by name."""

import json
import subprocess
import sys

import pytest

from harness.config import ModelConfig, RunConfig
from harness.errors import HarnessError
from harness.outcome import Failure, Figure, Loadgen, Outcome, Quality


def test_round_trip(configure):
    config = configure(scenario="Server", target_qps=12.5, coalesce_queries=True, quality_target=75.7)
    assert RunConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scenario": "offline"}, "'offline' - at `$.scenario`"),
        ({"batch_size": 0}, "`$.batch_size`"),
        ({"batch_size": "8"}, "`$.batch_size`"),
        ({"device": "gpu"}, "`$.device`"),
        ({"precision": "int4"}, "`$.precision`"),
        ({"batchsize": 8}, "batchsize"),
        ({"task": "chess"}, "unknown task 'chess'"),
        ({"backend": "tensorflow"}, "unknown backend 'tensorflow' (known: "),
        ({"scenario": "SingleStream", "target_qps": 5.0}, "target_qps=5.0 has no meaning in SingleStream"),
        ({"target_latency_ns": 5}, "target_latency_ns=5 has no meaning in Offline"),
        ({"coalesce_queries": True}, "coalesce_queries=True has no meaning in Offline"),
        ({"min_duration_ms": 10, "max_duration_ms": 5}, "max_duration_ms=5 is below min_duration_ms=10"),
        ({"cuda_graphs": True}, "cuda_graphs needs backend pytorch on cuda"),
        (
            {"model": {"name": "x", "architecture": "nets:build"}, "tier": "full"},
            "random weights",
        ),
        ({"schema": 2}, "`$.schema`"),
        ({"output_dir": None}, "`$.output_dir`"),
    ],
)
def test_bad_values_are_named(configure, changes, said):
    fields = json.loads(configure().to_json()) | changes
    with pytest.raises(HarnessError) as caught:
        RunConfig.from_json(json.dumps(fields))
    assert caught.value.kind == "config"
    assert said in caught.value.cause


def test_a_missing_field_and_broken_json():
    for text, said in (("{}", "model"), ("{", "truncated"), ("[]", "object")):
        with pytest.raises(HarnessError, match=said):
            RunConfig.from_json(text)


def test_random_weights_are_for_the_synthetic_tier(configure):
    model = ModelConfig(name="resnet50", architecture="image_classification.resnet50:build")
    assert configure(model=model, tier="synthetic").uses_random_weights
    with pytest.raises(ValueError, match="use tier 'synthetic'"):
        configure(model=model, tier="embedded")


def test_an_outcome_survives_json(configure):
    figure = Figure(metric="throughput", value=1.5, unit="samples/s", key="result_samples_per_second")
    outcome = Outcome(
        status="failed",
        tier="synthetic",
        config=configure(),
        failure=Failure(kind="hang", cause="it hung"),
        loadgen=Loadgen(
            version="6",
            seeds={"qsl_rng_seed": 2**63},
            scenario="Offline",
            mode="PerformanceOnly",
            num_errors=0,
            query_count=1,
            figure=figure,
            figures=(figure,),
            percentiles_ms={"50": 1.0},
            effective={"effective_min_duration_ms": 0},
        ),
        quality=Quality(metric="top-1", value=90.0, unit="%", correct=18, total=20),
        batch_histogram={4: 5},
    )
    assert Outcome.from_json(outcome.to_json()) == outcome
    assert Outcome.from_json(outcome.write().read_bytes()) == outcome


def test_the_supervisor_imports_nothing_heavy():
    code = "import harness.supervise, harness.userconf, sys; print({'numpy', 'torch', 'psutil'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_environment())
    assert done.stdout.strip() == "set()", done.stderr


def _environment():
    import os

    import harness

    return {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(harness.__file__))}
