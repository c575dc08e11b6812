"""The tasks in the harness's own loop: a few steps by default, to their targets in the slow tests."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch
from image_training.images import Images, ImageSet
from image_training.recipes import SMALL, plan
from image_training.task import Cifar10
from tests.training.image_classification.conftest import Prepare, cifar10, idx
from tests.training.image_classification.test_layouts import imagenet

from trainer.errors import TrainingError
from trainer.task import Setup

SHORT = {"epochs": 2, "batch_size": 20, "eval_batch_size": 7}


def test_cifar10_learns_the_colours_of_its_classes(prepare: Prepare, tmp_path: Path):
    data = cifar10(tmp_path / "data", each=40)
    training = prepare("image_training.task:Cifar10", data=str(data), recipe=SHORT | {"epochs": 4}, target=0.5)
    found = training.run()
    assert (found.ended_by, found.train_samples, found.eval_samples) == ("target", 200, 40)


def test_fashion_mnist_trains(prepare: Prepare, tmp_path: Path):
    data = idx(tmp_path / "data")
    recipe = SHORT | {"epoch_samples": 40}
    found = prepare("image_training.task:FashionMnist", data=str(data), recipe=recipe, target=2).run()
    assert (found.ended_by, found.position.samples) == ("epochs", 80)


@pytest.mark.parametrize("network", ["resnet8", "vit"])
def test_digits_train(prepare: Prepare, network: str):
    recipe = {"epochs": 1, "epoch_samples": 128}
    options = {"network": network}
    found = prepare("image_training.task:Digits", options=options, recipe=recipe, target=2).run()
    assert found.position.samples == 128 and found.quality is not None


def test_imagenet_folders_train_and_tell_the_rules_their_hyper_parameters(prepare: Prepare, tmp_path: Path):
    data = imagenet(tmp_path / "data", each=4)
    recipe = {"epochs": 1, "batch_size": 4, "warmup_steps": 1}
    options = {"network": "resnet8", "side": "32"}
    training = prepare("image_training.imagenet:ImageNet", data=str(data), options=options, recipe=recipe, target=2)
    assert training.run().eval_samples == 8
    told = training.task.hyperparameters(training.recipe)
    assert (told["opt_name"], told["sgd_opt_learning_rate_decay_steps"], told["model_bn_span"]) == ("sgd", 1, 4)


def test_a_resumed_training_shows_the_same_mirror_images(prepare: Prepare, tmp_path: Path):
    """Interrupted in the middle of epoch 1, which mirrors the other half of the images."""
    data = str(cifar10(tmp_path / "data"))
    same = {"data": data, "recipe": SHORT | {"epochs": 3}, "target": 2, "checkpoint_every_s": 1e-9}
    whole = prepare("image_training.task:Cifar10", "whole", **same)
    whole.run()
    cut = prepare("image_training.task:Cifar10", "cut", **same)
    step = cut._step

    def until(batches):
        if cut.position.total_steps == 8:
            raise KeyboardInterrupt
        step(batches)

    cut._step = until
    with pytest.raises(KeyboardInterrupt):
        cut.run()
    resumed = prepare("image_training.task:Cifar10", "cut", resume=True, **same)
    assert (resumed.position.epoch, resumed.position.step) == (1, 3)
    resumed.run()
    again = resumed.bare.state_dict()
    assert all(torch.equal(one, again[name]) for name, one in whole.bare.state_dict().items())


def test_test_images_are_not_augmented(tmp_path: Path):
    _, test = Cifar10(Setup(cifar10(tmp_path, each=2))).splits()
    assert set(test.batch([0, 1], torch.Generator())) == {"pixels", "labels"}


def test_no_folder_no_training():
    with pytest.raises(TrainingError, match="no folder with cifar10") as caught:
        Cifar10(Setup()).splits()
    assert "--cifar10_path" in caught.value.hint


def test_one_grey_level_is_normalised_without_a_division_by_zero():
    images = Images(torch.full((4, 1, 16, 16), 9, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64))
    task = Cifar10(Setup())
    task.images = ImageSet(images, images, 10)
    assert torch.isfinite(task._input({"pixels": images.pixels})).all()


def test_every_small_plan_is_a_sound_recipe():
    for (network, dataset), small in SMALL.items():
        assert plan(network, dataset) is small and 0 < small.target < 1
        assert msgspec.json.decode(msgspec.json.encode(small.recipe), type=type(small.recipe)) == small.recipe
    assert plan("airbench", "cifar10").target == 0.94


@pytest.mark.slow
@pytest.mark.parametrize("network", ["resnet8", "vit", "efficientnet"])
def test_digits_reach_their_target(prepare: Prepare, network: str):
    assert prepare("image_training.task:Digits", options={"network": network}).run().ended_by == "target"


@pytest.mark.slow
def test_stripes_reach_their_target(prepare: Prepare):
    assert prepare("image_training.task:Stripes").run().ended_by == "target"
