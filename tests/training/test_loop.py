"""The loop, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from tests.training.conftest import Configure

from trainer import curve, engine
from trainer.checkpoint import CHECKPOINT
from trainer.config import TrainConfig
from trainer.engine import Engine
from trainer.errors import TrainingError
from trainer.listener import Silence
from trainer.loop import Trained, Training
from trainer.registry import load_task


class Ear(Silence):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name in ("heard", "__class__"):
            return object.__getattribute__(self, name)
        return lambda *given, **named: self.heard.append(name)


def prepared(config: TrainConfig, folder: Path, listener: Silence | None = None) -> Training:
    folder.mkdir(parents=True, exist_ok=True)
    return Training(load_task(config), config, Engine(config), listener or Silence(), folder)


def trained(config: TrainConfig, folder: Path) -> tuple[Trained, dict[str, torch.Tensor]]:
    training = prepared(config, folder)
    return training.run(), training.bare.state_dict()


def test_it_stops_at_its_target(configure: Configure, tmp_path: Path) -> None:
    found, _ = trained(configure(), tmp_path)
    assert found.ended_by == "target"
    assert found.quality is not None and found.quality >= 0.9
    assert found.position.samples == found.position.epoch * 256


def test_it_gives_up_after_its_epochs(configure: Configure, tmp_path: Path) -> None:
    found, _ = trained(configure("Hopeless", recipe={"epochs": 2}), tmp_path)
    assert (found.ended_by, found.position.epoch) == ("epochs", 2)


def test_it_gives_up_when_its_time_is_over(configure: Configure, tmp_path: Path) -> None:
    found, _ = trained(configure("Hopeless", recipe={"epochs": 100_000}, max_minutes=0.002), tmp_path)
    assert found.ended_by == "time"
    assert found.quality is not None


def test_the_task_sees_the_hyperparameters_that_were_asked_for(configure: Configure, tmp_path: Path) -> None:
    training = prepared(configure(recipe={"label_smoothing": "0.25"}), tmp_path)
    assert training.task.recipe.label_smoothing == 0.25
    assert type(training.task).recipe.label_smoothing == 0.0


def test_another_target_may_be_asked_for(configure: Configure, tmp_path: Path) -> None:
    found, _ = trained(configure("Hopeless", target=0.3), tmp_path)
    assert found.ended_by == "target"


def test_events_come_in_the_order_of_the_rules(configure: Configure, tmp_path: Path) -> None:
    ear = Ear()
    prepared(configure("Hopeless", recipe={"epochs": 2, "eval_every": 2}), tmp_path, ear).run()
    epoch = ["epoch_start", "epoch_stop"]
    evaluation = ["eval_start", "quality", "eval_stop"]
    assert ear.heard == ["opening", "run_start", *epoch, *epoch, *evaluation, "run_stop"]


def test_one_seed_gives_one_result(configure: Configure, tmp_path: Path) -> None:
    (_, first), (_, second) = trained(configure(), tmp_path / "1"), trained(configure(), tmp_path / "2")
    (_, other) = trained(configure(seed=1), tmp_path / "3")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("interrupted_after", [2, 3])
def test_a_resumed_training_ends_with_the_same_weights(
    configure: Configure, tmp_path: Path, interrupted_after: int
) -> None:
    config = configure("Jittered", recipe={"epochs": 5}, checkpoint_every_s=0.0)
    _, whole = trained(config, tmp_path / "whole")
    training = prepared(config, tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        _interrupt(training, interrupted_after)
        training.run()
    resumed = prepared(msgspec.structs.replace(config, resume=True), tmp_path / "cut")
    assert resumed.position.epoch == interrupted_after
    found = resumed.run()
    assert found.position.resumed == 1
    assert all(torch.equal(whole[name], value) for name, value in resumed.bare.state_dict().items())


def test_a_checkpoint_in_the_middle_of_an_epoch_is_as_good(configure: Configure, tmp_path: Path) -> None:
    config = configure("Jittered", recipe={"epochs": 3}, checkpoint_every_s=1e-9)
    _, whole = trained(config, tmp_path / "whole")
    training = prepared(config, tmp_path / "cut")
    step = training._step
    training._step = lambda batches: _stop() if training.position.total_steps == 13 else step(batches)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        training.run()
    resumed = prepared(msgspec.structs.replace(config, resume=True), tmp_path / "cut")
    assert (resumed.position.epoch, resumed.position.step) == (1, 5)
    resumed.run()
    assert all(torch.equal(whole[name], value) for name, value in resumed.bare.state_dict().items())


def _interrupt(training: Training, epoch: int) -> None:
    before = training.task.before_epoch
    training.task.before_epoch = (  # type: ignore[method-assign]
        lambda model, number: _stop() if number == epoch else before(model, number)
    )


def _stop() -> None:
    raise KeyboardInterrupt


def test_the_curve_of_a_resumed_training_has_every_step_once(configure: Configure, tmp_path: Path) -> None:
    config = configure("Jittered", recipe={"epochs": 3}, checkpoint_every_s=0.0)
    training = prepared(config, tmp_path)
    training.config = msgspec.structs.replace(config, checkpoint_every_s=1e9)  # the last epoch is lost
    with pytest.raises(KeyboardInterrupt):
        _interrupt(training, 2)
        training.config = config
        training.run()
    prepared(msgspec.structs.replace(config, resume=True), tmp_path).run()
    steps = [point.step for point in curve.read(tmp_path / curve.CURVE) if point.loss is not None]
    assert steps == list(range(1, 25))


def test_a_damaged_checkpoint_is_named_and_kept(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"PK rubbish")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt cannot be read") as caught:
        prepared(configure(resume=True), tmp_path)
    assert "mv " in caught.value.hint
    assert (tmp_path / CHECKPOINT).is_file()


def test_the_checkpoint_of_another_model_is_refused(configure: Configure, tmp_path: Path) -> None:
    trained(
        configure("Plain", keep_checkpoint=True, checkpoint_every_s=0.0, target=2.0, recipe={"epochs": 1}), tmp_path
    )
    config = configure("Blobs", resume=True)
    task = load_task(config)
    task.model = lambda: torch.nn.Linear(2, 3)  # type: ignore[method-assign]
    with pytest.raises(TrainingError, match="of another model"):
        Training(task, config, Engine(config), Silence(), tmp_path)


def test_accumulated_gradients_are_those_of_the_whole_batch(configure: Configure, tmp_path: Path) -> None:
    recipe = {"epochs": 1, "batch_size": 64}
    _, whole = trained(configure("Plain", recipe=recipe, target=2.0), tmp_path / "whole")
    _, parts = trained(configure("Plain", recipe=recipe, target=2.0, accumulation=4), tmp_path / "parts")
    assert all(torch.allclose(whole[name], parts[name], atol=1e-6) for name in whole)


def test_bf16_reaches_the_same_target(configure: Configure, tmp_path: Path) -> None:
    found, weights = trained(configure(precision="bf16"), tmp_path)
    assert found.ended_by == "target"
    assert all(value.dtype == torch.float32 for value in weights.values())


def test_a_loss_that_is_no_number_ends_it(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the loss is inf at step 1 \(epoch 0\)") as caught:
        trained(configure("Diverging"), tmp_path)
    assert "--learning_rate" in caught.value.hint


@pytest.mark.parametrize(
    ("task", "recipe", "words"),
    [("NoData", {}, "training set has no samples"), ("Blobs", {"batch_size": 512}, "less than one batch of 512")],
)
def test_too_few_samples_are_refused(configure: Configure, tmp_path: Path, task: str, recipe: dict, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        trained(configure(task, recipe=recipe), tmp_path)


def test_cuda_without_a_gpu_is_an_error(configure: Configure, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(TrainingError, match="torch finds no GPU"):
        Engine(configure(device="cuda"))


def test_sizes_are_those_of_the_network() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(10, 5), torch.nn.BatchNorm1d(5))
    network[0].bias.requires_grad_(False)
    facts = engine.model_facts(network)
    assert (facts.parameters, facts.trainable) == (65, 60)
    assert facts.bytes == 4 * (65 + 10) + 8


def test_throughput_leaves_out_evaluation_and_checkpoints(configure: Configure, tmp_path: Path) -> None:
    found, _ = trained(configure("Hopeless", recipe={"epochs": 3}, checkpoint_every_s=0.0), tmp_path)
    pace = found.pace
    assert pace.throughput and pace.evaluation_s > 0 and pace.saving_s > 0
    counted_s = (24 - 5) * 32 / pace.throughput
    assert counted_s + pace.evaluation_s + pace.saving_s < found.position.seconds
    assert pace.loading_share is not None and 0 < pace.loading_share < 1


@pytest.mark.parametrize(
    ("task", "words"),
    [("nomodule:Blobs", "no module nomodule"), ("toys:Nothing", "has no Nothing"), ("toys:blobs", "no subclass")],
)
def test_a_task_that_is_none_is_named(configure: Configure, tmp_path: Path, task: str, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        load_task(msgspec.structs.replace(configure(), task=task))
