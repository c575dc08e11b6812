"""Finding and remembering the layout that suits a host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness import autotune, device
from harness.autotune import Layout
from harness.config import ModelConfig, RunConfig
from harness.errors import HarnessError
from harness.outcome import Failure, Figure, Loadgen, Outcome

Rate = Callable[[Layout], float]


class Host:
    """Runs that take no time: the rate of a layout is a formula."""

    def __init__(self, rate: Rate) -> None:
        self.rate, self.ran = rate, list[RunConfig]()

    def run(self, config: RunConfig) -> Outcome:
        self.ran.append(config)
        rate = self.rate(Layout(config.batch_size, config.threads or 0, config.workers))
        if rate <= 0:
            failure = Failure(kind="raised", cause="out of memory")
            return Outcome(status="failed", tier=config.tier, config=config, failure=failure)
        figure = Figure(metric="throughput", value=rate, unit="samples/s", key="result_samples_per_second")
        measured = Loadgen(
            version="6", seeds={}, scenario="Offline", mode="PerformanceOnly", num_errors=0, query_count=1,
            figure=figure, figures=(figure,), percentiles_ms={}, effective={},
        )  # fmt: skip
        return Outcome(status="ok", tier=config.tier, config=config, loadgen=measured)


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "allowed_cores", lambda: (0, 1, 2, 3))


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    return RunConfig(
        model=ModelConfig(name="none", architecture="none"),
        dataset="", scenario="Server", output_dir=str(tmp_path / "out"), tier="synthetic",
    )  # fmt: skip


def saturating(layout: Layout) -> float:
    """Batches up to 16 pay, and four workers of one thread do better than one of four."""
    return 100.0 * min(layout.batch_size, 16) ** 0.5 * (1.5 if layout.workers == 4 else 1.0)


def test_the_batch_that_stops_paying_and_the_best_division_are_chosen(config: RunConfig) -> None:
    host = Host(saturating)
    tuning = autotune.tune(config, None, host.run)
    assert tuning.layout == Layout(batch_size=16, threads=1, workers=4)
    assert [probe.layout.batch_size for probe in tuning.probes[:7]] == [1, 2, 4, 8, 16, 32, 64]
    assert all(run.scenario == "Offline" and not run.ledger for run in host.ran)


def test_the_answer_lies_in_the_output_folder(config: RunConfig) -> None:
    tuning = autotune.tune(config, None, Host(saturating).run)
    assert autotune.read(Path(config.output_dir) / autotune.FILE_NAME) == tuning


def test_a_second_time_nothing_is_run(config: RunConfig, tmp_path: Path) -> None:
    first = autotune.tune(config, tmp_path / "memory", Host(saturating).run)
    again = Host(saturating)
    assert autotune.tune(config, tmp_path / "memory", again.run) == first
    assert not again.ran


def test_other_weights_are_another_model(config: RunConfig, tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"one")
    config = msgspec.structs.replace(config, model=ModelConfig(name="a", architecture="none", weights=str(weights)))
    autotune.tune(config, tmp_path / "memory", Host(saturating).run)
    weights.write_bytes(b"two")
    again = Host(saturating)
    autotune.tune(config, tmp_path / "memory", again.run)
    assert again.ran


def test_a_torn_memory_is_measured_anew(config: RunConfig, tmp_path: Path) -> None:
    autotune.tune(config, tmp_path / "memory", Host(saturating).run)
    (kept,) = (tmp_path / "memory").iterdir()
    kept.write_text('{"layout": {"batch')
    assert autotune.tune(config, tmp_path / "memory", Host(saturating).run).layout.batch_size == 16


def test_the_end_of_memory_ends_the_doubling(config: RunConfig) -> None:
    tuning = autotune.tune(config, None, Host(lambda one: 0.0 if one.batch_size > 4 else 10.0 * one.batch_size).run)
    assert tuning.layout.batch_size == 4


def test_a_model_that_does_not_run_at_all_is_an_error(config: RunConfig) -> None:
    with pytest.raises(HarnessError, match="out of memory"):
        autotune.tune(config, None, Host(lambda _: 0.0).run)


def test_a_division_that_the_user_chose_is_kept(config: RunConfig) -> None:
    config = msgspec.structs.replace(config, threads=3)
    assert autotune.tune(config, None, Host(saturating).run).layout == Layout(16, 3, 1)
