"""get-preprocessed-dataset-imagenet: the arithmetic of both preprocessings, the files, and what stops them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.workbench import ROOT

SCRIPT = ROOT / "script" / "get-preprocessed-dataset-imagenet" / "preprocess.py"


@pytest.fixture(scope="module")
def preprocess(script_file):
    return script_file("get-preprocessed-dataset-imagenet", "preprocess.py")


def picture(width, height, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def images(tmp_path):
    """Ten pictures of various shapes and kinds with labels; the folder and the label file."""
    folder = tmp_path / "images"
    folder.mkdir()
    shapes = [(500, 375), (375, 500), (224, 224), (256, 256), (300, 1000), (64, 48)]
    for number, shape in enumerate(shapes):
        picture(*shape, seed=number).save(folder / f"{number}.png")
    picture(300, 300).convert("L").save(folder / "grey.jpg")
    picture(300, 300).convert("CMYK").save(folder / "cmyk.jpg")
    picture(300, 300).convert("RGBA").save(folder / "alpha.png")
    picture(300, 260).convert("P").save(folder / "palette.gif")
    labels = tmp_path / "val_map.txt"
    labels.write_text("".join(f"{path.name} {n}\n" for n, path in enumerate(sorted(folder.iterdir()))))
    return folder, labels


def test_files_as_the_harness_wants_them(preprocess, images, tmp_path):
    preprocess.convert(*images, "embedded", "resnet50", 1, tmp_path / "out")
    samples, labels = np.load(tmp_path / "out" / "samples.npy"), np.load(tmp_path / "out" / "labels.npy")
    assert (samples.shape, samples.dtype) == ((10, 224, 224, 3), np.uint8)
    assert (labels.tolist(), labels.dtype) == (list(range(10)), np.int64)
    assert json.loads((tmp_path / "out" / "dataset.json").read_text()) == {
        **{"schema": 1, "name": "imagenet2012-val resnet50", "tier": "embedded", "count": 10, "shape": [224, 224, 3]},
        **{"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "labels_offset": 0},
    }
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["dataset.json", "labels.npy", "samples.npy"]


def test_processes_write_what_one_would(preprocess, tmp_path):
    """Seventy pictures are two pieces of work, hence two processes on one array."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(70):
        picture(60 + number, 80, seed=number).save(folder / f"{number}.png")
    labels = tmp_path / "val_map.txt"
    labels.write_text("".join(f"{number}.png {number}\n" for number in range(70)))
    preprocess.convert(folder, labels, "synthetic", "efficientnet-lite", 1, tmp_path / "one")
    command = [sys.executable, SCRIPT, "--images", folder, "--labels", labels, "--tier", "synthetic"]
    more = ["--preprocessing", "efficientnet-lite", "--processes", "2", "--out", tmp_path / "two"]
    subprocess.run([*command, *more], check=True)
    one, two = (np.load(tmp_path / name / "samples.npy") for name in ("one", "two"))
    assert np.array_equal(one, two)
    assert all(sample.std() > 5 for sample in one)


def test_resnet50_crop_of_a_known_picture(preprocess):
    """A picture whose short side is 256 is only cropped."""
    image = picture(500, 256)
    result = np.asarray(preprocess.short_side_256(image))
    assert np.array_equal(result, np.asarray(image)[16:240, 138:362])


def test_efficientnet_crop_of_a_known_picture(preprocess):
    """Of 256 x 256 the centre 224 remain, and are not resized."""
    image = picture(256, 256)
    result = np.asarray(preprocess.centre_seven_eighths(image))
    assert np.array_equal(result, np.asarray(image)[16:240, 16:240])


def torchvision_reference(image):
    """Resize(256) and center_crop(224) of torchvision's functional API, written from its documentation of the sizes."""
    width, height = image.size
    size = (256, int(256 * height / width)) if width < height else (int(256 * width / height), 256)
    image = image.resize(size, Image.Resampling.BILINEAR)
    top, left = round((size[1] - 224) / 2.0), round((size[0] - 224) / 2.0)
    return image.crop((left, top, left + 224, top + 224))


@settings(max_examples=30, deadline=None)
@given(width=st.integers(10, 700), height=st.integers(10, 700))
def test_any_shape(preprocess, width, height):
    image = picture(width, height)
    assert np.array_equal(np.asarray(preprocess.short_side_256(image)), np.asarray(torchvision_reference(image)))
    assert preprocess.centre_seven_eighths(image).size == (224, 224)


def test_pictures_are_turned_upright(preprocess, tmp_path):
    image = picture(400, 300)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    image.save(tmp_path / "upright.png")
    turned, upright = (preprocess.convert_image(str(tmp_path / f"{n}.png"), "resnet50") for n in ("turned", "upright"))
    assert np.array_equal(turned, upright)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off"])
def test_broken_picture_is_named_and_nothing_is_left(preprocess, images, tmp_path, content):
    (images[0] / "3.png").write_bytes(content)
    with pytest.raises(OSError, match=r"3\.png"):
        preprocess.convert(*images, "full", "resnet50", 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_picture_through_the_command(images, tmp_path):
    (images[0] / "3.png").unlink()
    command = [sys.executable, SCRIPT, "--images", images[0], "--labels", images[1], "--tier", "full"]
    done = subprocess.run(
        [*command, "--preprocessing", "resnet50", "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "3.png" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["", "a.jpg\n", "a.jpg x\n"])
def test_label_files_that_will_not_do(preprocess, tmp_path, text):
    (tmp_path / "val_map.txt").write_text(text)
    with pytest.raises(ValueError, match="val_map"):
        preprocess.read_labels(tmp_path / "val_map.txt")


def test_chain_of_synthetic_images(ours):
    report = ours.run("get,dataset,imagenet,preprocessed,_resnet50,_size.3")
    folder = Path(report.outcome.new_env["CM_DATASET_PREPROCESSED_PATH"])
    assert json.loads((folder / "dataset.json").read_text())["tier"] == "synthetic"
    assert np.load(folder / "samples.npy").shape == (3, 224, 224, 3)
    again = ours.run("get,dataset,imagenet,preprocessed,_resnet50,_size.3")
    assert again.made == ()
    assert again.outcome.new_env["CM_DATASET_PREPROCESSED_PATH"] == str(folder)
