"""The segmentation task in the harness's own loop, and the U-Net around which it is built."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from segmentation_training.network import unet
from segmentation_training.task import Segmentation
from tests.training.image_segmentation.test_pictures import pictures

from trainer import datafiles
from trainer.config import TrainConfig
from trainer.engine import Engine
from trainer.errors import TrainingError
from trainer.listener import Silence
from trainer.loop import Training
from trainer.registry import load_task
from trainer.task import Setup

SCRIPTS = Path(__file__).resolve().parents[3] / "script"
SMALL = {"window": "16", "passes": "2", "widths": "4,8"}


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[..., Training]:
    def make(**changes: Any) -> Training:
        fields = {
            "task": "segmentation_training.task:Segmentation",
            "task_path": (str(SCRIPTS / "get-mlperf-training-task-image-segmentation"),),
            "benchmark": "unet",
            "output_dir": str(tmp_path),
            "tier": "synthetic",
            "threads": 1,
        }
        config = TrainConfig(**(fields | changes))
        return Training(load_task(config), config, Engine(config), Silence(), tmp_path)

    return make


@pytest.fixture
def cut():
    spec = importlib.util.spec_from_file_location("get_dataset_nuclei_cut", SCRIPTS / "get-dataset-nuclei" / "cut.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def folder(path: Path, **form: Any) -> Path:
    pictures(path / "train", **form)
    pictures(path / "test", ((23, 41),), **form)
    return path


@pytest.mark.parametrize("form, classes", [({}, 1), ({"colour": True, "classes": 2}, 2)])
def test_it_trains_on_own_pictures(
    prepare: Callable[..., Training], tmp_path: Path, form: dict[str, Any], classes: int
):
    data = folder(tmp_path / "data", **form)
    options = SMALL | {"classes": str(classes)}
    found = prepare(data=str(data), options=options, recipe={"batch_size": 2, "epochs": 2}, target=2.0).run()
    assert found.eval_samples == 1 and 0 <= found.quality <= 1


@pytest.mark.parametrize("height, width", [(512, 128), (23, 41), (1, 9)])
def test_the_answer_has_the_pictures_height_and_width(height: int, width: int):
    with torch.no_grad():
        assert unet(1, 2, (4, 8, 16)).eval()(torch.randn(1, 1, height, width)).shape == (1, 2, height, width)


def test_dice_is_its_definition(tmp_path: Path):
    """Two times the intersection over the sum of both sizes, per picture."""
    task = Segmentation(Setup(tmp_path))
    mask = torch.zeros(1, 8, 12, dtype=torch.int64)
    mask[:, 2:6, 2:8] = 1
    found = torch.zeros(1, 2, 8, 12)
    found[:, 1, 3:8, 2:8] = 1
    (score,) = task.judge(lambda image: found, {"images": [torch.zeros(1, 8, 12)], "masks": [mask]})
    assert float(score) == pytest.approx(2 * 18 / (24 + 30))


def test_nothing_to_find_and_nothing_found_is_right(tmp_path: Path):
    task = Segmentation(Setup(tmp_path))
    batch = {"images": [torch.zeros(1, 8, 8)], "masks": [torch.zeros(1, 8, 8, dtype=torch.int64)]}
    assert float(task.judge(lambda image: torch.zeros(1, 2, 8, 8), batch)) == 1


@pytest.mark.parametrize("options", [{"classes": "0"}, {"window": "x"}, {"widths": "8,-1"}])
def test_options_that_cannot_be(tmp_path: Path, options: dict[str, str]):
    with pytest.raises(TrainingError) as caught:
        task = Segmentation(Setup(folder(tmp_path), options))
        task.splits()
        task.model()
    assert caught.value.kind == "config" and f"--{next(iter(options))}=" in caught.value.hint


def test_no_folder_no_training():
    with pytest.raises(TrainingError, match="no folder with pictures"):
        Segmentation(Setup()).splits()


def source(path: Path, highest: int = 3) -> Path:
    path.mkdir()
    values = np.arange(16 * 40, dtype=np.uint16).reshape(16, 40) % 200
    Image.fromarray(values).save(path / "img2d.tif")
    Image.fromarray(values % 2 * np.uint16(highest)).save(path / "mask2d.tif")
    return path


def test_a_picture_is_cut_into_two_parts_that_share_no_pixel(cut, tmp_path: Path):
    cut.cut(source(tmp_path / "source"), tmp_path / "out")
    datafiles.verify(tmp_path / "out")
    with Image.open(tmp_path / "source" / "img2d.tif") as whole:
        values = np.asarray(whole)
    parts = [np.asarray(Image.open(tmp_path / "out" / split / "images" / "nuclei.png")) for split in ("train", "test")]
    assert [part.shape for part in parts] == [(16, 30), (16, 10)]
    assert (np.concatenate(parts, 1) == values).all()


def test_a_picture_of_another_kind_is_refused_by_name(cut, tmp_path: Path):
    with pytest.raises(ValueError, match=r"mask2d\.tif"):
        cut.cut(source(tmp_path / "source", highest=300), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_of_a_sealed_folder_is_named(tmp_path: Path):
    datafiles.seal(folder(tmp_path))
    (tmp_path / "test" / "masks" / "0.png").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"masks/0\.png is damaged"):
        Segmentation(Setup(tmp_path)).splits()
