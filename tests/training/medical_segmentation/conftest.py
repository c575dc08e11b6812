"""Small cases in KiTS19's layout, raw and prepared, and trainings in this process."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.workbench import ROOT, Bench

from cm4bench import Repo
from trainer.config import TrainConfig
from trainer.engine import Engine
from trainer.listener import Silence
from trainer.loop import Training
from trainer.registry import load_task

nibabel = pytest.importorskip("nibabel")
FAMILY = ROOT / "script" / "get-mlperf-training-task-medical-segmentation"


def program(name, file):
    """A program of a script directory as a module, with its neighbours in reach."""
    folder = ROOT / "script" / name
    sys.path.append(str(folder))
    spec = importlib.util.spec_from_file_location(f"{name}_{file}".replace("-", "_"), folder / f"{file}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(folder))
    return module


@pytest.fixture(scope="session")
def preparing():
    pytest.importorskip("scipy")
    return program("get-preprocessed-dataset-kits19", "for_training")


@pytest.fixture(scope="session")
def blocks():
    return program("get-dataset-mni152-tissue", "blocks")


def write_case(folder, number, shape=(20, 24, 28), spacing=(1.0, 1.0, 1.0), seed=0, label_shape=None):
    """A bright ball (1) with a brighter core (2) in noise."""
    random = np.random.default_rng(seed + number)
    case = folder / f"case_{number:05d}"
    case.mkdir(parents=True)
    axes = np.ogrid[tuple(slice(0, length) for length in shape)]
    distance = sum((axis - length / 2) ** 2 for axis, length in zip(axes, shape, strict=True)) ** 0.5
    label = (distance < 7).astype(np.uint8) + (distance < 4)
    image = (100 + 60 * label + random.normal(0, 8, shape)).astype(np.float32)
    affine = np.diag([*spacing, 1.0])
    nibabel.save(nibabel.Nifti1Image(image, affine), case / "imaging.nii.gz")
    label = label if label_shape is None else np.zeros(label_shape, np.uint8)
    nibabel.save(nibabel.Nifti1Image(label, affine), case / "segmentation.nii.gz")
    return image, label


@pytest.fixture
def raw(tmp_path):
    """Five cases, the last of them for evaluation."""
    for number in range(5):
        write_case(tmp_path / "raw", number)
    (tmp_path / "raw" / "evaluation_cases.txt").write_text("00004\n")
    return tmp_path / "raw"


@pytest.fixture
def prepared(raw, preparing, tmp_path):
    preparing.convert(raw, "mr", 5, 1, tmp_path / "prepared")
    return tmp_path / "prepared"


@pytest.fixture
def prepare(tmp_path):
    """A training in this process, not yet run."""
    pytest.importorskip("monai")

    def make(data, task="unet3d:SmallUNet3D", **changes):
        fields = {
            "task": f"medical_training.{task}",
            "task_path": (str(FAMILY),),
            "benchmark": "own",
            "data": str(data),
            "output_dir": str(tmp_path / "run"),
            "tier": "synthetic",
            "threads": 1,
        }
        config = TrainConfig(**(fields | changes))
        Path(config.output_dir).mkdir(exist_ok=True)
        return Training(load_task(config), config, Engine(config), Silence(), Path(config.output_dir))

    return make


@pytest.fixture
def ours(tmp_path, monkeypatch):
    """An engine factory over this repository, with a private CM home, in an empty folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("CM_REPOS", str(tmp_path / "CM"))
    return Bench(tmp_path / "CM", Repo("cm4bench", ROOT, "c4be0c1d2f7a4e63", "", True))
