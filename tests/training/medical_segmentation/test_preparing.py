"""From raw cases to prepared ones, and the cases that are cut out of the head template."""

import json

import numpy as np
import pytest

from trainer.datafiles import verify
from trainer.errors import TrainingError

from .conftest import nibabel, write_case

torch = pytest.importorskip("torch")


def load(folder, name):
    return np.load(folder / "volumes" / f"{name}.npy"), np.load(folder / "labels" / f"{name}.npy")


def test_magnetic_resonance_is_scaled_by_its_brightest_tissue(raw, preparing, tmp_path):
    image, label = write_case(tmp_path / "again", 0)
    assert preparing.convert(raw, "mr", 5, 1, tmp_path / "out") == 5
    volume, labels = load(tmp_path / "out", "case_00000")
    assert volume.shape == (1, *image.shape)
    assert (labels == label).all()
    assert np.percentile(volume, 99) == pytest.approx(2, abs=0.01)
    described = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert described["evaluation"] == ["case_00004"]
    assert described["classes"] == ["grey matter", "white matter"]
    assert verify(tmp_path / "out") == 11


def test_ct_gets_the_references_spacing_brightness_and_size(preparing, tmp_path):
    write_case(tmp_path / "raw", 3, spacing=(3.2, 1.2, 0.6))
    preparing.convert(tmp_path / "raw", "ct", 1, 1, tmp_path / "out")
    volume, labels = load(tmp_path / "out", "case_00003")
    assert volume.shape == (1, 128, 128, 128)
    assert labels.shape == (128, 128, 128)
    assert volume.min() == pytest.approx((100 - 101) / 76.9, abs=0.5)
    assert set(np.unique(labels)) == {0, 1, 2}
    # MLPerf's own list is used where the folder has none; case 3 is on it
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["evaluation"] == ["case_00003"]


def test_a_number_of_cases_can_be_required(raw, preparing, tmp_path):
    with pytest.raises(ValueError, match="holds 5 cases, 210 are expected"):
        preparing.convert(raw, "mr", 210, 1, tmp_path / "out")
    with pytest.raises(ValueError, match="holds 0 cases, at least 1"):
        preparing.convert(tmp_path, "mr", 0, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_raw_files_that_cannot_be_used_are_named(raw, preparing, tmp_path):
    image = raw / "case_00002" / "imaging.nii.gz"
    whole = image.read_bytes()
    image.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"case_00002/imaging.nii.gz cannot be read"):
        preparing.convert(raw, "mr", 0, 1, tmp_path / "out")
    nibabel.save(nibabel.Nifti1Image(np.zeros((20, 24, 28), np.float32), np.eye(4)), image)
    with pytest.raises(ValueError, match=r"case_00002/imaging.nii.gz: there is no signal"):
        preparing.convert(raw, "mr", 0, 1, tmp_path / "out")
    nibabel.save(nibabel.Nifti1Image(np.ones((20, 24, 20), np.float32), np.eye(4)), image)
    with pytest.raises(ValueError, match="case_00002: imaging"):
        preparing.convert(raw, "mr", 0, 1, tmp_path / "out")
    (raw / "evaluation_cases.txt").write_text("00017\n")
    with pytest.raises(ValueError, match="names case_00017, which is not there"):
        preparing.convert(raw, "mr", 0, 1, tmp_path / "out")


def test_the_program_says_it_in_one_line(preparing, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["for_training.py", "--raw", str(tmp_path / "no"), "--out", str(tmp_path / "out")])
    assert preparing.main() == 1
    assert capsys.readouterr().err.startswith("cannot prepare: ")


@pytest.fixture
def template(tmp_path, blocks, monkeypatch):
    """A head of 40 voxels a side, white inside and grey around."""
    monkeypatch.setattr(blocks, "SIDE", 16)
    monkeypatch.setattr(blocks, "MIDDLE", 20)
    monkeypatch.setattr(blocks, "EVALUATION", ((22, 4, 4), (22, 20, 20)))
    axes = np.ogrid[:40, :40, :40]
    distance = sum((axis - 20) ** 2 for axis in axes) ** 0.5
    white, head = distance < 12, distance < 19
    parts = {"t1": 250 * white + 180 * (head & ~white), "wm": 255 * white, "gm": 255 * (head & ~white)}
    for part, voxels in parts.items():
        name = f"mni_icbm152_{part}_tal_nlin_sym_09a_converted.nii.gz"
        nibabel.save(nibabel.Nifti1Image(voxels.astype(np.uint8), np.eye(4)), tmp_path / name)
    return tmp_path


def test_blocks_of_the_template(template, blocks):
    head = blocks.read(template)
    assert blocks.write(head, 3, 0, template / "one") == 5
    assert blocks.write(head, 3, 0, template / "same") == 5
    assert (template / "one" / "SHA256SUMS").read_text() == (template / "same" / "SHA256SUMS").read_text()
    assert (template / "one" / "evaluation_cases.txt").read_text() == "00003\n00004\n"
    label = np.asarray(nibabel.load(template / "one" / "case_00003" / "segmentation.nii.gz").dataobj)
    assert (label == head.label[22:38, 4:20, 4:20]).all()
    assert set(np.unique(head.label)) == {0, 1, 2}


def test_training_blocks_lie_in_the_left_half(template, blocks):
    head = blocks.read(template)
    corners = list(blocks.places(head.label, 20, np.random.default_rng(1)))
    assert max(x for x, _, _ in corners) + blocks.SIDE <= blocks.MIDDLE
    assert min(x for x, _, _ in blocks.EVALUATION) >= blocks.MIDDLE


def test_a_damaged_template_is_named(template, blocks):
    path = next(template.glob("*_wm_*"))
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(OSError, match=path.name):
        blocks.read(template)


def test_a_damaged_case_is_found_by_its_sum(template, blocks, preparing, tmp_path):
    blocks.write(blocks.read(template), 2, 0, tmp_path / "raw")
    path = tmp_path / "raw" / "case_00001" / "imaging.nii.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TrainingError, match=r"case_00001/imaging.nii.gz is damaged"):
        preparing.convert(tmp_path / "raw", "mr", 0, 1, tmp_path / "out")
