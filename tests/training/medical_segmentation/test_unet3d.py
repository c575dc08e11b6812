"""3D U-Net: patches and volumes, the reference's network and metric, a short training, and what stops it."""

import json
import math

import numpy as np
import pytest
from medical_training.unet3d import SmallUNet3D, UNet3D
from medical_training.volumes import Patches, Volumes, read

from trainer.errors import TrainingError
from trainer.task import Setup

torch = pytest.importorskip("torch")
pytest.importorskip("monai")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_folders_list_decides_which_case_is_for_what(prepared):
    folder = read(prepared)
    assert [case.image.stem for case in folder.training] == [f"case_{number:05d}" for number in range(4)]
    assert [case.image.stem for case in folder.evaluation] == ["case_00004"]
    assert folder.classes == 2


def test_patches_repeat_and_show_classes(prepared):
    patches = Patches(read(prepared).training, 8)
    one, same, other = (patches.batch([0, 1, 2, 3], generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one["image"], same["image"])
    assert not torch.equal(one["image"], other["image"])
    assert one["image"].shape == one["label"].shape == (4, 1, 8, 8, 8)
    shown = [bool(patches.batch([0], generator(seed))["label"].any()) for seed in range(40)]
    assert sum(shown) / 40 > 0.4


def test_a_patch_and_its_labels_stay_together(prepared):
    """Where the ball's core is, the volume is bright, mirrored or not."""
    batch = Patches(read(prepared).training, 16).batch([0, 1, 2, 3], generator(3))
    core, outside = batch["image"][batch["label"] == 2], batch["image"][batch["label"] == 0]
    assert core.min() > outside.mean()


def test_volumes_come_whole(prepared):
    batch = Volumes(read(prepared).evaluation).batch([0], generator())
    assert batch["image"][0].shape == batch["label"][0].shape == (1, 20, 24, 28)


def test_dice_is_the_textbooks(prepared):
    """A model that knows half of the ball: its score is twice the overlap by the sum of both; an empty class is 1."""
    task = SmallUNet3D(Setup(data=prepared))
    truth = torch.zeros(1, 32, 32, 32, dtype=torch.int64)
    truth[0, 8:24, 8:24, 8:24] = 1

    class Half(torch.nn.Module):
        def forward(self, windows):
            answer = torch.zeros(len(windows), 3, *windows.shape[2:])
            answer[:, 1] = 2 * windows[:, 0] - 1
            return answer

    seen = torch.zeros(1, 32, 32, 32)
    seen[0, 8:24, 8:24, 8:16] = 1
    scores = task.judge(Half(), {"image": [seen], "label": [truth]})
    assert scores.shape == (1, 2)
    assert scores[0].tolist() == pytest.approx([2 * 2048 / (2048 + 4096), 1.0])
    assert task.quality([scores, torch.tensor([[0.0, 0.0]])]) == pytest.approx((2 / 3 + 1) / 4)


def test_the_references_network(prepared):
    """Six levels, each half as large as the one before; one map per class at full size."""
    task = UNet3D(Setup(data=prepared))
    with torch.device("meta"):
        network = task.model()
        assert network(torch.zeros(1, 1, 128, 128, 128)).shape == (1, 3, 128, 128, 128)
    convolutions = [one for one in network.modules() if isinstance(one, torch.nn.Conv3d)]
    assert {one.out_channels for one in convolutions} == {3, 32, 64, 128, 256, 320}
    assert sum(one.stride == (2, 2, 2) for one in convolutions) == 5
    assert task.hyperparameters(task.recipe)["opt_learning_rate_warmup_epochs"] == 16800 // 2
    assert (task.metric.target, task.patch, task.recipe.learning_rate) == (0.908, 128, 0.8)


def test_a_short_training(prepare, prepared, monkeypatch):
    monkeypatch.setattr(SmallUNet3D, "patch", 16)
    training = prepare(prepared, recipe={"epochs": 2, "batch_size": 2})
    trained = training.run()
    assert 0 < trained.quality < 1
    assert (trained.train_samples, trained.eval_samples) == (4, 1)


@pytest.mark.parametrize("part", ["volumes", "labels"])
def test_arrays_that_are_missing_or_damaged(prepared, part):
    (prepared / "SHA256SUMS").unlink()
    path = prepared / part / "case_00001.npy"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(TrainingError, match=f"{part}/case_00001.npy: no readable array") as caught:
        Patches(read(prepared).training, 8).batch([1], generator())
    assert caught.value.kind == "data"
    path.unlink()
    with pytest.raises(TrainingError, match=f"{part}/case_00001.npy: missing"):
        read(prepared)


def test_labels_of_another_volume(prepared):
    np.save(prepared / "labels" / "case_00000.npy", np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(TrainingError, match="labels of"):
        read(prepared).training[0].open()


def test_a_volume_smaller_than_a_patch(prepared):
    with pytest.raises(TrainingError, match="smaller than a patch of 32 voxels"):
        Patches(read(prepared).training, 32).batch([0], generator())


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda content: content.pop("evaluation"), "'evaluation' is not there"),
        (lambda content: content.update(evaluation=["case_00077"]), "case_00077.npy: missing"),
        (lambda content: content.update(cases=3), "dataset.json"),
    ],
)
def test_an_index_that_cannot_be_used(prepared, edit, words):
    path = prepared / "dataset.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(TrainingError, match=words):
        read(prepared)
    path.write_text("{")
    with pytest.raises(TrainingError, match="dataset"):
        read(prepared)
    path.unlink()
    with pytest.raises(TrainingError, match="No such file"):
        read(prepared)


def test_damage_ends_before_the_training(prepare, prepared):
    path = prepared / "volumes" / "case_00003.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TrainingError, match=r"case_00003.npy is damaged"):
        prepare(prepared)


def test_nothing_to_evaluate_on(prepare, prepared):
    (prepared / "SHA256SUMS").unlink()
    content = json.loads((prepared / "dataset.json").read_text())
    (prepared / "dataset.json").write_text(json.dumps(content | {"evaluation": []}))
    with pytest.raises(TrainingError, match="the evaluation set has no samples"):
        prepare(prepared)


def test_without_a_folder_there_is_a_diagnosis():
    with pytest.raises(TrainingError, match="needs a folder"):
        UNet3D(Setup()).splits()


def test_the_loss_of_a_perfect_answer_is_near_zero(prepared):
    task = SmallUNet3D(Setup(data=prepared))
    label = Patches(read(prepared).training, 16).batch([0, 1], generator())["label"]
    answer = torch.nn.functional.one_hot(label[:, 0], 3).movedim(-1, 1).float() * 50
    perfect = float(task.loss(torch.nn.Identity(), {"image": answer, "label": label}))
    assert perfect < 0.01
    assert math.isfinite(float(task.loss(torch.nn.Identity(), {"image": -answer, "label": label})))
