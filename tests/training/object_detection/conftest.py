"""Small data in COCO's layout, torchvision's sources for the length of a module, and trainings in this process."""

from __future__ import annotations

import importlib.util
import random
import sys
import zipfile
from pathlib import Path

import pytest
from tests.workbench import ROOT, Bench

from cm4bench import Repo
from trainer.config import TrainConfig
from trainer.engine import Engine
from trainer.listener import Silence
from trainer.loop import Training
from trainer.registry import load_task

SCENES = ROOT / "script" / "get-dataset-detection-scenes"
FAMILY = ROOT / "script" / "get-mlperf-training-task-object-detection"
WHEEL = "torchvision-0.28.0-cp311-cp311-manylinux_2_28_x86_64.whl"
SHA256 = "7e80f543b22503d9415e126db5f0ff3917036925e38560ee6b9ae38c571a4002"


@pytest.fixture(scope="session")
def instances():
    """The program that makes data in COCO's layout."""
    sys.path.append(str(SCENES))
    spec = importlib.util.spec_from_file_location("detection_instances", SCENES / "instances.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(SCENES))
    return module


@pytest.fixture
def shapes(instances, tmp_path):
    """Twelve pictures of 64 pixels for training and four for evaluation."""
    pytest.importorskip("pycocotools")
    pick, categories = instances._source(None, "", random.Random(0))
    instances.write(tmp_path / "shapes", (12, 4), 64, pick, categories)
    return tmp_path / "shapes"


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """torchvision's Python files, fetched once per machine."""
    platformdirs = pytest.importorskip("platformdirs")
    from cm4bench.errors import CMBenchError
    from cm4bench.fetch.artifact import PipSettings, PyPIArtifact, fetch_pypi

    cache = Path(platformdirs.user_cache_dir("cm4bench-tests"))
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / WHEEL).is_file():
        artifact = PyPIArtifact("torchvision", "0.28.0", SHA256, WHEEL)
        try:
            fetch_pypi(artifact, cache, settings=PipSettings.of(), partial=cache / f"{WHEEL}.partial")
        except CMBenchError as error:
            pytest.skip(f"needs a package index: {error.cause}")
    folder = tmp_path_factory.mktemp("torchvision")
    with zipfile.ZipFile(cache / WHEEL) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.endswith(".py") or "dist-info" in name])
    return folder


@pytest.fixture(scope="module")
def torchvision(sources):
    """torchvision with our operators; gone again afterwards, since other libraries look for it."""
    from detection_training import vision

    loaded = vision.load(sources)
    yield loaded
    vision._forget()
    sys.modules.pop("detection_training.networks", None)
    if str(sources) in sys.path:
        sys.path.remove(str(sources))


@pytest.fixture
def prepare(tmp_path, torchvision, sources):
    """A training in this process, not yet run."""

    def make(task, data, options=None, **changes):
        fields = {
            "task": f"detection_training.{task}",
            "task_path": (str(FAMILY),),
            "benchmark": "own",
            "data": str(data),
            "options": {"torchvision": str(sources), "size": "64"} | (options or {}),
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
