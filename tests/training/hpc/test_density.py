"""CosmoFlow: the files, the network, the training."""

from __future__ import annotations

import gzip
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hpc_training.cosmonet import REACH, network
from hpc_training.density import RECIPES, CosmoFlow
from hpc_training.density_files import read
from hpc_training.sizes import OFFICIAL, SMALL
from tests.training.hpc.conftest import Train, facts, generator, needs, setup, to_target, unsealed

from trainer.errors import TrainingError

pytestmark = needs("tfrecord")
fields = generator("density-fields")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("density") / "fields"
    fields.write(folder, train=16, validation=5, side=8, seed=0)
    return folder


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    return unsealed(Path(shutil.copytree(made, tmp_path / "own")))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).integers(0, 300, (4, 4, 4, 4)).astype(np.int16)
    fields.write_sample(tmp_path / "one.tfrecord", counts, np.array([0.5, -0.25, 0.0, 1.0]))
    cube, parameters = read(tmp_path / "one.tfrecord")
    assert cube.shape == (4, 4, 4, 4)
    assert torch.allclose(cube[3], torch.log1p(torch.tensor(counts[..., 3]).float()))
    assert parameters.tolist() == [0.5, -0.25, 0.0, 1.0]


def test_a_file_may_be_plain(own: Path) -> None:
    path = own / "train" / "univ_000000.tfrecord"
    before = read(path)[0]
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert torch.equal(read(path)[0], before)


def test_parameters_show_in_the_fields() -> None:
    def counts(**changes: float) -> np.ndarray:
        names = ("density", "today", "slope", "first")
        given = np.array([changes.get(name, 0.0) for name in names])
        return fields.universe(16, given, np.random.default_rng(3)).astype(float)

    assert counts(density=1).mean() > 2 * counts(density=-1).mean()
    assert counts(today=1)[..., 3].std() > 1.5 * counts(today=-1)[..., 3].std()
    assert counts(first=1)[..., 0].std() > 1.5 * counts(first=-1)[..., 0].std()
    rough, even = (np.abs(np.diff(counts(slope=s)[..., 3], axis=0)).mean() for s in (1, -1))
    assert rough > 1.2 * even


def test_equal_seeds_make_equal_files(made: Path, tmp_path: Path) -> None:
    fields.write(tmp_path / "again", train=16, validation=5, side=8, seed=0)
    assert (tmp_path / "again" / "SHA256SUMS").read_text() == (made / "SHA256SUMS").read_text()
    assert facts(made)["tier"] == "synthetic"


def test_the_official_network_has_the_official_size() -> None:
    with torch.device("meta"):
        official = network(128, OFFICIAL)
    # 32 to 512 channels of 3³ kernels, 4³ · 512 → 128 → 64 → 4
    widths = [4, 32, 64, 128, 256, 512]
    wanted = sum(27 * a * b + b for a, b in itertools.pairwise(widths))
    wanted += 4**3 * 512 * 128 + 128 + 128 * 64 + 64 + 64 * 4 + 4
    assert sum(one.numel() for one in official.parameters()) == wanted
    assert CosmoFlow(setup(None, network="official")).recipe is RECIPES["official"]


def test_answers_reach_a_little_beyond_the_parameters() -> None:
    torch.manual_seed(0)
    answers = network(8, SMALL)(1e4 * torch.randn(3, 4, 8, 8, 8))
    assert answers.shape == (3, 4)
    assert answers.abs().max() <= REACH


def test_it_trains_and_the_error_is_the_mean_one(made: Path, train: Train) -> None:
    task = CosmoFlow(setup(made))
    assert train(task, 2)[-1] < 1.0
    assert task.quality([[0.1, 0.3], [0.2]]) == pytest.approx(0.2)


def write(path: Path, **features: tuple[object, str]) -> None:
    from tfrecord.writer import TFRecordWriter

    writer = TFRecordWriter(str(path))
    writer.write(features)
    writer.close()


X, Y = (np.zeros((8, 8, 8, 4), "<i2").tobytes(), "byte"), ([0.0] * 4, "float")
FAULTS = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-30]),
    "one byte changed": lambda path: path.write_bytes(path.read_bytes()[:-6] + b"!" + path.read_bytes()[-5:]),
    "empty": lambda path: path.write_bytes(b""),
    "no TFRecord": lambda path: path.write_text("hello world, this is no record"),
    "without y": lambda path: write(path, x=X),
    "two parameters": lambda path: write(path, x=X, y=([0.0] * 2, "float")),
    "not a number": lambda path: write(path, x=X, y=([float("nan")] * 4, "float")),
    "no cube": lambda path: write(path, x=(b"1234567890", "byte"), y=Y),
    "negative": lambda path: write(path, x=(np.full(32, -1, "<i2").tobytes(), "byte"), y=Y),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_universe_is_named(own: Path, fault: str) -> None:
    path = own / "train" / "univ_000003.tfrecord"
    FAULTS[fault](path)
    train, _ = CosmoFlow(setup(own)).splits()
    with pytest.raises(TrainingError, match=path.name) as caught:
        train.batch(range(8), torch.Generator())
    assert caught.value.kind == "data"


def test_universes_of_two_sizes_are_refused(own: Path) -> None:
    write(own / "train" / "univ_000003.tfrecord", x=(np.zeros(16**3 * 4, "<i2").tobytes(), "byte"), y=Y)
    train, _ = CosmoFlow(setup(own)).splits()
    with pytest.raises(TrainingError, match="differ in size"):
        train.batch(range(8), torch.Generator())


def test_a_cube_must_fit_the_network(made: Path) -> None:
    with pytest.raises(TrainingError, match="a cube of 8 cannot be halved 5 times"):
        CosmoFlow(setup(made, network="official")).splits()


def test_missing_parts_are_named(made: Path, own: Path) -> None:
    (made / "train" / "univ_000001.tfrecord").rename(made / "away")
    try:
        with pytest.raises(TrainingError, match=r"univ_000001.tfrecord is missing"):
            CosmoFlow(setup(made)).splits()
    finally:
        (made / "away").rename(made / "train" / "univ_000001.tfrecord")
    shutil.rmtree(own / "validation")
    with pytest.raises(TrainingError, match=r"validation has no \*.tfrecord"):
        CosmoFlow(setup(own)).splits()


@pytest.mark.slow
def test_the_small_default_reaches_its_target(tmp_path: Path) -> None:
    fields.write(tmp_path / "fields", train=1600, validation=200, side=16, seed=0)
    assert to_target("density:CosmoFlow", tmp_path / "fields", tmp_path / "out").reached
