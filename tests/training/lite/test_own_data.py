"""A data set of the user's own: the interface, the template as it is, and what is said of a wrong one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from mlperf_lite import own, reading, templates
from mlperf_lite.environment import environment
from mlperf_lite.own import OwnTask, network

from trainer import supervise
from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.task import Setup

TEN_LINES = """\
import torch
class Halves:
    classes = 2
    def __init__(self, folder): pass
    def augment(self, inputs, draw): return inputs
    def train(self): return self.read(512)
    def test(self): return self.read(64)
    def read(self, count):
        x = torch.randn(count, 8, generator=torch.Generator().manual_seed(count))
        return x, (x[:, 0] > 0).long()
"""
NET = """\
class Net(torch.nn.Linear):
    def __init__(self, shape, classes):
        super().__init__(shape[0], classes)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of the user's, that of this test only."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "halves.py").write_text(TEN_LINES)
    yield tmp_path  # type: ignore[misc]
    sys.modules.pop("halves", None)


def task(**options: str) -> OwnTask:
    return OwnTask(Setup(options={"dataset_class": "halves:Halves", "model": "mlp", **options}))


@pytest.mark.slow  # test_front_door.py trains the template
def test_ten_lines_outside_the_package_are_trained_through_a_configuration(module: Path) -> None:
    path = module / "mine.yaml"
    path.write_text("dataset: {class: halves:Halves}\nmodel: {name: mlp}\ntraining: {target: 0.85, epochs: 20}\n")
    env = environment(reading.read(path), {})
    config = TrainConfig(
        task=env["CM_MLPERF_TRAINING_TASK"],
        task_path=tuple(env["CM_MLPERF_TRAINING_TASK_PATH"].split(":")),
        benchmark=env["CM_MLPERF_TRAINING_BENCHMARK"],
        dataset=env["CM_MLPERF_TRAINING_DATASET"],
        tier=env["CM_MLPERF_DATA_TIER"],  # type: ignore[arg-type]
        options={"dataset_class": env["CM_MLPERF_TRAINING_OPTION_DATASET_CLASS"], "model": "mlp"},
        recipe={"epochs": 20},
        target=float(env["CM_MLPERF_TRAINING_TARGET"]),
        output_dir=str(module / "out"),
        threads=1,
        monitor_every_s=0.2,
    )
    (result,) = supervise.run(config)
    assert result.failure is None, result.failure
    assert result.reached and result.quality.metric == "top1" and result.benchmark == "own"
    assert result.monitor["samples"] > 0 and result.monitor["rss_max_bytes"] > 50e6
    assert not result.config.task.startswith("resnet"), "nobody shall take this for an official result"


def test_the_template_is_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    templates.write(templates.OWN, tmp_path / "own.yaml")
    monkeypatch.syspath_prepend(str(tmp_path))
    made = OwnTask(Setup(options={"dataset_class": "own_dataset:MyData", "model": "linear"}))
    train, test = made.splits()
    assert (len(train), len(test)) == (512, 128)
    batch = train.batch([0, 1, 2], torch.Generator())
    assert made.loss(made.model(), batch).isfinite()
    assert made.judge(made.model(), batch).shape == (3,)


def test_augmentation_is_for_training_only(module: Path) -> None:
    (module / "halves.py").write_text(TEN_LINES.replace("return inputs", "return inputs + 100"))
    train, test = task().splits()
    draw = torch.Generator()
    assert train.batch([0], draw)["inputs"].min() > 50 > test.batch([0], draw)["inputs"].max()


def test_masks_are_judged_by_pixel(module: Path) -> None:
    masks = TEN_LINES.replace("randn(count, 8,", "randn(count, 3, 20, 12,").replace("x[:, 0]", "x.mean(1)")
    (module / "halves.py").write_text(masks)
    found = task()
    assert found.metric.name == "pixel_accuracy"
    pixelwise = torch.nn.Conv2d(3, 2, 1)
    batch = found.splits()[1].batch(range(4), torch.Generator())
    assert found.judge(pixelwise, batch).shape == (4, 20, 12)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("classes = 2", "pass", "Halves does not say how many classes there are"),
        ("> 0).long()", "> 0).long() + 1", "Halves.train() has the label 2; its classes are 0 to 1"),
        ("> 0).long()", "> 0).long() - 1", "Halves.train() has the label -1"),
        ("> 0).long()", "> 0).long()[:5]", "Halves.train(): 512 inputs and 5 labels"),
        ("return x, (x[:, 0] > 0).long()", "return [1], [2]", "Halves.train() gives no pair of tensors"),
        ("return x, (x[:, 0] > 0).long()", "return 1", "Halves.train() failed: cannot unpack"),
        ("folder): pass", "folder): open(folder / 'x')", "Halves cannot be made: unsupported operand"),
        ("class Halves", "class Halfs", "module halves has no Halves"),
    ],
)
def test_a_wrong_data_set_is_told_in_words(module: Path, old: str, new: str, cause: str) -> None:
    assert old in TEN_LINES
    (module / "halves.py").write_text(TEN_LINES.replace(old, new))
    with pytest.raises(TrainingError) as caught:
        task()
    assert cause in caught.value.cause


def test_no_such_module() -> None:
    with pytest.raises(TrainingError, match="there is no module nowhere") as caught:
        OwnTask(Setup(options={"dataset_class": "nowhere:A"}))
    assert "code: FOLDER" in caught.value.hint


@pytest.mark.parametrize(("name", "shape"), [("linear", (3, 5)), ("mlp", (7,)), ("linear", (1, 8, 8))])
def test_networks_for_anything(name: str, shape: tuple[int, ...]) -> None:
    assert network(name, shape, 4)(torch.zeros(2, *shape)).shape == (2, 4)


def test_a_network_of_pictures_takes_pictures() -> None:
    with pytest.raises(TrainingError, match="resnet takes pictures"):
        network("resnet", (7,), 4)


def test_a_network_of_ones_own(module: Path) -> None:
    (module / "halves.py").write_text(TEN_LINES + NET)
    assert task(model="halves:Net").model().weight.shape == (2, 8)


def test_bytes_become_floats() -> None:
    ready: Any = own._ready(torch.tensor([0, 255], dtype=torch.uint8))
    assert ready.tolist() == [0.0, 1.0] and own._ready(torch.tensor([7.0])).tolist() == [7.0]
