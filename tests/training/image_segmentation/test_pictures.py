"""Folders of pictures and masks: what is read, what is shown, and what is said of files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from segmentation_training.pictures import read
from segmentation_training.splits import Whole, Windows

from trainer.errors import TrainingError


def pictures(folder: Path, sizes=((40, 24), (20, 50)), *, colour: bool = False, classes: int = 1) -> Path:
    """Bright squares on noise; ``sizes`` are width and height."""
    rng = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for number, (width, height) in enumerate(sizes):
        mask = np.zeros((height, width), np.uint8)
        for one in range(1, classes + 1):
            mask[4 * one : 4 * one + 4, 3:12] = one
        image = rng.integers(0, 60, (height, width)) + 150 * (mask > 0)
        image = np.repeat(image[:, :, None], 3, 2) if colour else image
        Image.fromarray(image.astype(np.uint8)).save(folder / "images" / f"{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
    return folder


def refused(folder: Path, *words: str, classes: int = 1) -> TrainingError:
    with pytest.raises(TrainingError) as caught:
        read(folder, classes)
    assert caught.value.kind == "data"
    for word in words:
        assert word in caught.value.cause
    return caught.value


def test_height_and_width_stay_what_they_are(tmp_path: Path):
    first, second = read(pictures(tmp_path), 1)
    assert first.image.shape == (1, 24, 40) and second.mask.shape == (1, 50, 20)
    assert float(first.image.mean()) == pytest.approx(0, abs=1e-4) and float(first.image.std()) == pytest.approx(1)
    assert first.mask.unique().tolist() == [0, 1]


def test_colour_and_classes(tmp_path: Path):
    found = read(pictures(tmp_path, colour=True, classes=3), 3)
    assert found[0].image.shape == (3, 24, 40) and found[0].mask.unique().tolist() == [0, 1, 2, 3]


def test_sixteen_bits(tmp_path: Path):
    pictures(tmp_path, ((8, 8),))
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    Image.fromarray(values).save(tmp_path / "images" / "0.png")
    (found,) = read(tmp_path, 1)
    assert len(found.image.unique()) == 64


def test_without_pictures(tmp_path: Path):
    refused(pictures(tmp_path, ()), "images has no pictures")


def test_folder_that_is_missing(tmp_path: Path):
    refused(tmp_path, "images is missing")


def test_picture_without_mask(tmp_path: Path):
    (pictures(tmp_path) / "masks" / "1.png").unlink()
    refused(tmp_path, "images/1.png has no mask")


@pytest.mark.parametrize("kind", ["images", "masks"])
def test_cut_file(tmp_path: Path, kind: str):
    path = pictures(tmp_path) / kind / "0.png"
    path.write_bytes(path.read_bytes()[:40])
    refused(tmp_path, f"{kind}/0.png is damaged")


def test_mask_of_another_size(tmp_path: Path):
    Image.new("L", (9, 9)).save(pictures(tmp_path) / "masks" / "0.png")
    refused(tmp_path, "masks/0.png is of 9 × 9, its picture 40 × 24")


def test_class_that_was_not_announced(tmp_path: Path):
    error = refused(pictures(tmp_path, classes=3), "0.png has the class 3", classes=2)
    assert error.hint == "--classes=3"


def test_grey_and_colour_mixed(tmp_path: Path):
    Image.new("RGB", (40, 24)).save(pictures(tmp_path) / "images" / "0.png")
    refused(tmp_path, "1.png is grey", "0.png is in colour")


def test_windows_show_image_and_mask_of_one_place(tmp_path: Path):
    found = read(pictures(tmp_path), 1)
    windows = Windows(found, 16, passes=3)
    assert len(windows) == 3 * (24 * 40 // 256 + 50 * 20 // 256)
    batch = windows.batch(range(len(windows)), torch.Generator().manual_seed(0))
    assert batch["images"].shape == (18, 1, 16, 16) and batch["masks"].dtype == torch.int64
    inside = batch["masks"] > 0
    assert inside.any() and batch["images"][inside].min() > batch["images"][~inside].max()


def test_windows_repeat_with_their_draws(tmp_path: Path):
    windows = Windows(read(pictures(tmp_path), 1), 16, 1)
    first, again, other = (windows.batch([0, 1], torch.Generator().manual_seed(seed))["images"] for seed in (4, 4, 5))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_picture_smaller_than_a_window_is_mirrored(tmp_path: Path):
    windows = Windows(read(pictures(tmp_path, ((20, 10),)), 1), 64, 1)
    assert windows.batch([0], torch.Generator().manual_seed(0))["images"].shape == (1, 1, 64, 64)


def test_whole_pictures_are_not_touched(tmp_path: Path):
    found = read(pictures(tmp_path), 1)
    batch = Whole(found).batch([1, 0], torch.Generator())
    assert batch["images"][0] is found[1].image and batch["masks"][1] is found[0].mask
