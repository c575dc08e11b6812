"""The configuration file of a training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.training.conftest import Configure

from trainer.config import TrainConfig
from trainer.errors import TrainingError


def test_it_comes_back_as_it_was(configure: Configure) -> None:
    config = configure(recipe={"epochs": 3}, options={"network": "small"}, runs=4)
    assert TrainConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("changes", "words", "hint"),
    [
        ({"acumulation": 2}, "acumulation", "did you mean accumulation?"),
        ({"zzzz": 2}, "zzzz", "fields: "),
        ({"precision": "fp8"}, "precision", ""),
        ({"runs": "three"}, "int", ""),
        ({"precision": "fp16"}, "fp16 needs a GPU", ""),
        ({"task": "blobs"}, "package.module:Class", ""),
        ({"nodes": 2}, "rendezvous", ""),
        ({"node_rank": 1}, "node_rank=1 does not exist among 1 nodes", ""),
    ],
)
def test_what_cannot_be_is_refused(configure: Configure, changes: dict[str, object], words: str, hint: str) -> None:
    fields = json.loads(configure().to_json()) | changes
    with pytest.raises(TrainingError, match=words) as caught:
        TrainConfig.from_json(json.dumps(fields))
    assert caught.value.kind == "config"
    assert hint in caught.value.hint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"nowhere\.json: No such file"):
        TrainConfig.read(tmp_path / "nowhere.json")
