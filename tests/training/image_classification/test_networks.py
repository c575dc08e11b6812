"""The networks: their shapes, their sizes, and the whitening first layer."""

from __future__ import annotations

import pytest
import torch
from image_training import airbench, networks
from image_training.whitened import Shape, Whitened
from torch.nn.functional import conv2d

from trainer.errors import TrainingError
from trainer.optimisers import make

SIDES = {"resnet8": (32, 28, 16), "airbench": (32,), "efficientnet": (16,), "vit": (16, 28)}


@pytest.mark.parametrize("name, side", [(name, side) for name, sides in SIDES.items() for side in sides])
def test_pictures_to_scores(name: str, side: int):
    network = networks.build(name, 3, 7, side).eval()
    with torch.no_grad():
        assert network(torch.randn(2, 3, side, side)).shape == (2, 7)


def test_sizes_are_those_of_the_literature():
    with torch.device("meta"):
        counts = {
            name: sum(one.numel() for one in networks.build(name, 3, 1000, 224).parameters())
            for name in ("resnet18", "resnet50", "efficientnet-b0", "vit-b16")
        }
    # He et al. 11.7 and 25.6 million, Tan and Le 5.3, Dosovitskiy et al. 86.6 (with 1000 classes)
    assert counts == {"resnet18": 11689512, "resnet50": 25557032, "efficientnet-b0": 5288548, "vit-b16": 86567656}


def test_small_pictures_are_not_shrunk_by_the_first_layer():
    with torch.device("meta"):
        found = networks.build("resnet18", 3, 10, 32).network.resnet(torch.empty(1, 3, 32, 32)).last_hidden_state
    assert found.shape == (1, 512, 4, 4)


def test_an_unknown_network_is_refused():
    with pytest.raises(TrainingError, match="no network 'resnet9'") as caught:
        networks.build("resnet9", 3, 10, 32)
    assert "resnet8" in caught.value.hint


def test_whitened_patches_are_uncorrelated():
    network = Whitened(Shape(3, 10))
    mixed = torch.randn(500, 3, 16, 16) @ torch.randn(16, 16)
    network.whiten_like(mixed, epsilon=1e-6)
    weight = network.whiten.weight
    assert not weight.requires_grad and torch.equal(weight[:12], -weight[12:])
    answers = conv2d(mixed, weight[:12], stride=2).transpose(0, 1).flatten(1)
    torch.testing.assert_close(torch.cov(answers), torch.eye(12), atol=2e-2, rtol=0)


def test_airbench_starts_as_the_identity_and_its_biases_learn_faster():
    network = networks.build("airbench", 3, 10, 32)
    kernel = network.blocks[2].second.weight
    assert torch.equal(kernel[:, :, 1, 1], torch.eye(256)) and int(kernel.detach().abs().sum()) == 256
    optimizer = make(airbench.RECIPE, airbench.parameter_groups(network, airbench.RECIPE))
    biases, others = optimizer.param_groups
    assert biases["lr"] == 64 * others["lr"] and len(biases["params"]) == 6
    assert biases["weight_decay"] * biases["lr"] == pytest.approx(others["weight_decay"] * others["lr"])
    wanted = sum(one.requires_grad for one in network.parameters())
    assert len(biases["params"]) + len(others["params"]) == wanted
