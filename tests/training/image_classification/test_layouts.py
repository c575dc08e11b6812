"""Every data set in its own layout: what is read, and what is said of files that cannot be."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from image_training import cifar10 as cifar10_layout
from image_training import folders, generated
from image_training import idx as idx_layout
from PIL import Image
from tests.training.image_classification.conftest import cifar10, idx

from trainer import datafiles
from trainer.errors import TrainingError


def refused(read, folder: Path, *words: str) -> str:
    with pytest.raises(TrainingError) as caught:
        read(folder)
    assert caught.value.kind == "data"
    for word in words:
        assert word in caught.value.cause
    return caught.value.cause


def test_cifar10_planes_and_rows(tmp_path: Path):
    cifar10(tmp_path, each=3)
    first = pickle.loads((tmp_path / "data_batch_1").read_bytes())
    found = cifar10_layout.read(tmp_path)
    assert found.train.pixels.shape == (15, 3, 32, 32) and found.test.pixels.shape == (3, 3, 32, 32)
    assert found.train.pixels.dtype == torch.uint8 and found.classes == 10
    # byte 1024 + 32 × 2 + 5 of a row is green, row 2, column 5
    assert int(found.train.pixels[1, 1, 2, 5]) == first[b"data"][1, 1024 + 64 + 5]
    assert found.train.labels[:3].tolist() == first[b"labels"]


def test_cifar10_in_its_usual_folder(tmp_path: Path):
    cifar10(tmp_path / "cifar-10-batches-py", each=2)
    assert len(cifar10_layout.read(tmp_path).train) == 10


def test_cifar10_missing_batch(tmp_path: Path):
    (cifar10(tmp_path) / "data_batch_4").unlink()
    refused(cifar10_layout.read, tmp_path, "data_batch_4", "missing")


def test_cifar10_cut_batch(tmp_path: Path):
    path = cifar10(tmp_path) / "test_batch"
    path.write_bytes(path.read_bytes()[:-1000])
    refused(cifar10_layout.read, tmp_path, "test_batch", "damaged")


@pytest.mark.parametrize(
    "content",
    [
        {b"labels": [1]},
        {b"data": np.zeros((2, 3072), np.uint8), b"labels": [1]},
        {b"data": np.zeros((1, 3071), np.uint8), b"labels": [1]},
        [1, 2],
    ],
    ids=["no data", "fewer labels", "short images", "a list"],
)
def test_cifar10_other_content(tmp_path: Path, content: object):
    (cifar10(tmp_path) / "data_batch_2").write_bytes(pickle.dumps(content))
    refused(cifar10_layout.read, tmp_path, "data_batch_2", "no CIFAR-10 batch")


def test_cifar10_label_that_is_no_class(tmp_path: Path):
    content = {b"data": np.zeros((1, 3072), np.uint8), b"labels": [10]}
    (cifar10(tmp_path) / "data_batch_3").write_bytes(pickle.dumps(content))
    refused(cifar10_layout.read, tmp_path, "the label 10")


def test_cifar10_without_images(tmp_path: Path):
    refused(cifar10_layout.read, cifar10(tmp_path, each=0), "no images")


def test_a_batch_cannot_run_code(tmp_path: Path):
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "canary",)

    (cifar10(tmp_path) / "data_batch_5").write_bytes(pickle.dumps({b"data": Bomb()}))
    refused(cifar10_layout.read, tmp_path, "data_batch_5", "no array needs")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "write, read, name",
    [(cifar10, cifar10_layout.read, "test_batch"), (idx, idx_layout.read, "t10k-labels-idx1-ubyte.gz")],
)
def test_sums_are_checked_where_they_are(tmp_path: Path, write, read, name: str):
    datafiles.seal(write(tmp_path))
    read(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[-1] ^= 1
    (tmp_path / name).write_bytes(content)
    refused(read, tmp_path, name, "damaged")


def test_idx(tmp_path: Path):
    found = idx_layout.read(idx(tmp_path))
    assert found.train.pixels.shape == (40, 1, 28, 28) and len(found.test) == 10
    assert found.train.pixels[7].unique().tolist() == [175] and int(found.train.labels[7]) == 7


def test_idx_unpacked(tmp_path: Path):
    for path in list(idx(tmp_path).iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert len(idx_layout.read(tmp_path).train) == 40


def test_idx_missing(tmp_path: Path):
    (idx(tmp_path) / "train-labels-idx1-ubyte.gz").unlink()
    refused(idx_layout.read, tmp_path, "train-labels-idx1-ubyte.gz", "missing")


def test_idx_cut(tmp_path: Path):
    path = idx(tmp_path) / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    refused(idx_layout.read, tmp_path, path.name, "damaged")


def test_idx_of_another_form(tmp_path: Path):
    path = idx(tmp_path) / "t10k-images-idx3-ubyte.gz"
    path.write_bytes((tmp_path / "t10k-labels-idx1-ubyte.gz").read_bytes())
    refused(idx_layout.read, tmp_path, path.name, "no IDX file of 3 dimensions")


def test_idx_shorter_than_its_head_says(tmp_path: Path):
    path = idx(tmp_path) / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-784]))
    refused(idx_layout.read, tmp_path, path.name, "7056 bytes", "7840")


def test_idx_of_differing_lengths(tmp_path: Path):
    idx(tmp_path / "other", train=30)
    labels = "train-labels-idx1-ubyte.gz"
    (idx(tmp_path) / labels).write_bytes((tmp_path / "other" / labels).read_bytes())
    refused(idx_layout.read, tmp_path, "40 images and 30 labels")


def test_idx_without_images(tmp_path: Path):
    refused(idx_layout.read, idx(tmp_path, train=0), "no images")


def imagenet(folder: Path, classes: tuple[str, ...] = ("n01", "n02"), each: int = 2) -> Path:
    for split in ("train", "val"):
        for number, name in enumerate(classes):
            (folder / split / name).mkdir(parents=True)
            for image in range(each):
                picture = Image.new("RGB", (40 + image, 30), (200 * number, 50, 200 - 200 * number))
                picture.save(folder / split / name / f"{name}_{image}.JPEG")
    return folder


def test_folders_of_classes(tmp_path: Path):
    found = folders.find(imagenet(tmp_path) / "train")
    assert found.classes == ["n01", "n02"] and found.labels == [0, 0, 1, 1]
    batch = folders.Pictures(found, 16, random=True).batch([0, 3], torch.Generator().manual_seed(0))
    assert batch["pixels"].shape == (2, 3, 16, 16) and batch["pixels"].dtype == torch.uint8
    assert batch["labels"].tolist() == [0, 1]
    assert batch["pixels"][0, 2].float().mean() > 150 > batch["pixels"][1, 2].float().mean()


def test_windows_repeat_with_their_draws_and_the_centre_does_not_move(tmp_path: Path):
    rng = np.random.default_rng(0)
    imagenet(tmp_path)
    path = tmp_path / "train" / "n01" / "n01_0.JPEG"
    Image.fromarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)).save(path)
    found = folders.find(tmp_path / "train")
    moving, still = (folders.Pictures(found, 32, random=random) for random in (True, False))
    first, again, other = (moving.batch([0], torch.Generator().manual_seed(seed))["pixels"] for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(*(still.batch([0], torch.Generator().manual_seed(seed))["pixels"] for seed in (1, 2)))


def test_folder_that_is_missing(tmp_path: Path):
    refused(folders.find, tmp_path / "train", "train is missing")


def test_folder_without_classes(tmp_path: Path):
    refused(folders.find, tmp_path, "no folders of images")


def test_class_without_images(tmp_path: Path):
    (imagenet(tmp_path) / "train" / "n03").mkdir()
    refused(folders.find, tmp_path / "train", "n03 has no images")


def test_class_that_training_lacks(tmp_path: Path):
    found = folders.find(imagenet(tmp_path) / "train")
    (tmp_path / "val" / "n99").mkdir()
    refused(lambda folder: folders.find(folder, found.classes), tmp_path / "val", "n99", "train/ lacks")


def test_damaged_picture_is_named(tmp_path: Path):
    path = imagenet(tmp_path) / "train" / "n02" / "n02_1.JPEG"
    path.write_bytes(path.read_bytes()[:200])
    pictures = folders.Pictures(folders.find(tmp_path / "train"), 16, random=False)
    refused(lambda _: pictures.batch([3], torch.Generator()), tmp_path, "n02_1.JPEG", "damaged")


def test_digits_are_the_real_ones_and_divided():
    from sklearn.datasets import load_digits

    found = generated.digits()
    assert len(found.train) == 1437 and len(found.test) == 360
    assert int(found.train.pixels.max()) == 255 and found.train.pixels.shape[1:] == (1, 8, 8)
    both = torch.cat([found.train.labels, found.test.labels]).bincount()
    assert both.tolist() == np.bincount(load_digits().target).tolist()


def test_stripes_are_always_the_same():
    first, again = generated.stripes(20, 10), generated.stripes(20, 10)
    assert torch.equal(first.train.pixels, again.train.pixels)
    assert not torch.equal(first.train.pixels[:10], first.test.pixels)
