"""DeepCAM: the files, the score, the training."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hpc_training.climate import RECIPES, DeepCam, deeplab, intersection_over_union
from tests.training.hpc.conftest import Train, facts, generator, needs, setup, to_target, unsealed

from trainer.errors import TrainingError

h5py = pytest.importorskip("h5py")
pytestmark = needs("monai", "transformers")
fields = generator("climate-fields")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("climate") / "fields"
    fields.write(folder, train=8, validation=3, size=(16, 24), seed=0)
    return folder


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    return unsealed(Path(shutil.copytree(made, tmp_path / "own")))


def test_maps_have_all_classes_and_the_official_layout(made: Path) -> None:
    labels = np.concatenate([h5py.File(path)["climate/labels_0"][...].ravel() for path in made.glob("*/*.h5")])
    assert set(labels) == {0, 1, 2}
    with h5py.File(made / "train" / "data-00000.h5") as file:
        assert file["climate/data"].shape == (16, 24, 16)
    assert facts(made)["tier"] == "synthetic"


def test_equal_seeds_make_equal_maps() -> None:
    one, two, other = (fields.sample(16, 24, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_channels_are_scaled_by_the_extremes_of_the_training_maps(made: Path) -> None:
    train, _ = DeepCam(setup(made)).splits()
    batch = train.batch(range(8), torch.Generator())
    assert batch["x"].shape == (8, 16, 16, 24)
    assert batch["y"].shape == (8, 16, 24)
    assert torch.allclose(batch["x"].amin((0, 2, 3)), torch.zeros(16), atol=1e-4)
    assert torch.allclose(batch["x"].amax((0, 2, 3)), torch.ones(16), atol=1e-4)


def test_the_score_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import jaccard_score

    draw = torch.Generator().manual_seed(0)
    predicted, truth = (torch.randint(0, 3, (4, 8, 8), generator=draw) for _ in range(2))
    predicted[1][predicted[1] == 1] = 0
    truth[1][truth[1] == 1] = 0  # neither has a cyclone in the second map
    wanted = [
        jaccard_score(t.ravel(), p.ravel(), labels=[0, 1, 2], average="macro", zero_division=1.0)
        for t, p in zip(truth, predicted, strict=True)
    ]
    assert intersection_over_union(predicted, truth).tolist() == pytest.approx(wanted)


def test_it_learns(made: Path, train: Train) -> None:
    found = train(DeepCam(setup(made)), 6)
    assert found[-1] > found[0]


def test_the_official_network_gives_logits_of_the_maps_size() -> None:
    network = deeplab().eval()
    with torch.no_grad():
        assert network(torch.rand(1, 16, 32, 48)).shape == (1, 3, 32, 48)


def test_the_official_recipe_comes_with_the_official_network() -> None:
    assert DeepCam(setup(None, network="deeplabv3+")).recipe is RECIPES["deeplabv3+"]
    with pytest.raises(TrainingError, match="no network 'resnet'"):
        DeepCam(setup(None, network="resnet"))


def change(path: Path, name: str, values: object) -> None:
    with h5py.File(path, "a") as file:
        del file[name]
        file[name] = values


FAULTS = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:500]),
    "empty": lambda path: path.write_bytes(b""),
    "no HDF5": lambda path: path.write_text("hello"),
    "without labels": lambda path: change(path, "climate/labels_0", np.zeros((3, 3))),
    "another class": lambda path: change(path, "climate/labels_0", np.full((16, 24), 7)),
    "not a number": lambda path: change(path, "climate/data", np.full((16, 24, 16), np.nan)),
    "four channels": lambda path: change(path, "climate/data", np.zeros((16, 24, 4))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_map_is_named(own: Path, fault: str) -> None:
    path = own / "train" / "data-00003.h5"
    FAULTS[fault](path)
    train, _ = DeepCam(setup(own)).splits()
    with pytest.raises(TrainingError, match=str(path)) as caught:
        train.batch(range(8), torch.Generator())
    assert caught.value.kind == "data"


def test_maps_of_two_sizes_are_refused(own: Path) -> None:
    fields.write_sample(own / "train" / "data-00003.h5", np.zeros((8, 8, 16), "f4"), np.zeros((8, 8), "f4"))
    train, _ = DeepCam(setup(own)).splits()
    with pytest.raises(TrainingError, match="maps differ in size"):
        train.batch(range(8), torch.Generator())


def test_a_damaged_map_is_found_before_training_where_sums_are_known(made: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    path = copy / "train" / "data-00003.h5"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(TrainingError, match=r"data-00003\.h5 is damaged"):
        DeepCam(setup(copy)).splits()


def test_missing_parts_are_named(own: Path) -> None:
    with pytest.raises(TrainingError, match=r"needs a folder with train") as caught:
        DeepCam(setup(None)).splits()
    assert caught.value.hint == "--cam5_path=FOLDER"
    change(own / "stats.h5", "climate/maxval", np.zeros(16))
    with pytest.raises(TrainingError, match="maxval is not above"):
        DeepCam(setup(own)).splits()
    change(own / "stats.h5", "climate/maxval", np.zeros(3))
    with pytest.raises(TrainingError, match="must have 16 values"):
        DeepCam(setup(own)).splits()
    (own / "stats.h5").unlink()
    with pytest.raises(TrainingError, match=r"stats\.h5 cannot be read"):
        DeepCam(setup(own)).splits()


def test_an_empty_part_is_named(own: Path) -> None:
    for path in (own / "validation").iterdir():
        path.unlink()
    with pytest.raises(TrainingError, match=r"validation has no \*.h5"):
        DeepCam(setup(own)).splits()


@pytest.mark.slow
def test_the_small_default_reaches_its_target(tmp_path: Path) -> None:
    fields.write(tmp_path / "fields", train=160, validation=40, size=(48, 72), seed=0)
    assert to_target("climate:DeepCam", tmp_path / "fields", tmp_path / "out").reached
