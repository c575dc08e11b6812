"""The detectors: torchvision without its compiled part, the references' networks, and trainings of small ones."""

import json
import pickle

import pytest
from detection_training import operators

from trainer.errors import TrainingError
from trainer.task import Setup

torch = pytest.importorskip("torch")
pytest.importorskip("pycocotools")


def boxes(count, seed=0, size=60.0):
    draw = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, 2, generator=draw) * size
    return torch.cat((corners.amin(1), corners.amax(1) + 1), 1)


def overlap(one, other):
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def test_nms_keeps_what_overlaps_no_better_one():
    found, scores = boxes(40), torch.rand(40, generator=torch.Generator().manual_seed(1))
    kept = []
    for place in scores.argsort(descending=True).tolist():
        if all(overlap(found[place].tolist(), found[other].tolist()) <= 0.4 for other in kept):
            kept.append(place)
    assert operators.nms(found, scores, 0.4).tolist() == kept
    assert operators.nms(found[:0], scores[:0], 0.4).tolist() == []


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("points", [1, 2])
def test_roi_align_equals_torchvisions_own_fallback(torchvision, points, aligned):
    from torchvision.ops.roi_align import _roi_align

    features = torch.randn(2, 3, 16, 20, generator=torch.Generator().manual_seed(0), requires_grad=True)
    regions = torch.cat((torch.tensor([[1.0], [0.0]]).repeat(4, 1), boxes(8)), 1)
    ours = operators.roi_align(features, regions, (5, 7), 0.25, points, aligned)
    theirs = _roi_align.__wrapped__(features, regions, 0.25, 5, 7, points, aligned)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    grads = [torch.autograd.grad(one.square().sum(), features)[0] for one in (ours, theirs)]
    torch.testing.assert_close(*grads, rtol=1e-4, atol=1e-4)
    lists = [regions[regions[:, 0] == image][:, 1:] for image in (0, 1)]
    order = torch.cat([(regions[:, 0] == image).nonzero()[:, 0] for image in (0, 1)])
    assert torch.equal(operators.roi_align(features, lists, (5, 7), 0.25, points, aligned), ours[order])


def test_torchvision_uses_our_operators(torchvision):
    found, scores = boxes(10), torch.rand(10)
    assert torch.equal(torchvision.ops.nms(found, scores, 0.5), operators.nms(found, scores, 0.5))
    assert torchvision.ops.roi_align is operators.roi_align


def test_without_torchvision_there_is_a_diagnosis(monkeypatch, tmp_path):
    from detection_training import vision

    monkeypatch.setattr(vision, "_kept", [])
    monkeypatch.setattr(vision, "_forget", lambda: None)
    monkeypatch.setattr(vision.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(vision.importlib, "import_module", raising)
    monkeypatch.setattr(vision.sys, "path", list(vision.sys.path))
    with pytest.raises(TrainingError, match="neither installed nor in") as caught:
        vision.load(tmp_path)
    assert caught.value.kind == "setup"


def raising(name):
    raise ModuleNotFoundError(f"No module named {name}", name=name)


def test_the_references_networks(torchvision):
    """Mask R-CNN's parameters are as many as torchvision counts for COCO; SSD has 8732 default boxes."""
    from detection_training import networks

    with torch.device("meta"):
        detector = networks.maskrcnn_resnet50(91, None)
    assert sum(one.numel() for one in detector.parameters()) == 44_401_393
    with torch.device("meta"):
        maps = networks.ResNet34Features(None)(torch.zeros(1, 3, 300, 300))
    assert [features.shape[-1] for features in maps.values()] == [38, 19, 10, 5, 3, 1]
    per_cell = networks.DefaultBoxGenerator(networks.SSD_RATIOS, scales=networks.SSD_SCALES).num_anchors_per_location()
    cells = [features.shape[-1] ** 2 for features in maps.values()]
    assert sum(count * number for count, number in zip(cells, per_cell, strict=True)) == 8732


def test_backbone_weights(torchvision, tmp_path):
    """Loaded where they fit; a file that does not is named."""
    from detection_training import networks

    network = torchvision.models.resnet34()
    torch.save(network.state_dict(), tmp_path / "good.pth")
    backbone = networks.ResNet34Features(tmp_path / "good.pth")
    assert torch.equal(backbone.body[0].weight, network.conv1.weight)
    torch.save({"conv1.weight": network.conv1.weight}, tmp_path / "part.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "good.pth").read_bytes()[:5000])
    for name, words in (
        ("part.pth", "bn1.weight is not there"),
        ("cut.pth", "no readable"),
        ("none.pth", "no readable"),
    ):
        with pytest.raises(TrainingError, match=f"{name}: .*{words}"):
            networks.ResNet34Features(tmp_path / name)


def test_mask_rcnn_trains_and_is_judged_by_boxes_and_masks(prepare, shapes):
    training = prepare("maskrcnn:SmallMaskRCNN", shapes, recipe={"epochs": 1, "batch_size": 4})
    trained = training.run()
    assert trained.ended_by == "epochs"
    assert set(training.task.logged(trained.quality)) == {"BBOX", "SEGM"}
    logged = training.task.hyperparameters(training.recipe.replaced({"decay_at": [2, 3]}))
    assert (logged["opt_learning_rate_decay_steps"], logged["max_image_size"]) == ([6, 9], 64)
    assert 0 <= trained.quality <= 3
    batch = training.eval_split.batch([0, 1], torch.Generator())
    with torch.no_grad():
        evidence = training.task.judge(training.bare.eval(), batch)
    assert pickle.loads(pickle.dumps(evidence)) == evidence
    truth = [one | {"score": 1.0} for one in training.eval_split.coco.anns.values()]
    assert training.task.quality([truth]) == pytest.approx(1 / 0.377)
    assert training.task.logged(0) == {"BBOX": pytest.approx(1), "SEGM": pytest.approx(1)}


def test_ssd_trains(prepare, shapes):
    training = prepare("ssd:SmallSSD", shapes, recipe={"epochs": 1, "batch_size": 4})
    assert 0 <= training.run().quality <= 1
    assert training.task.hyperparameters(training.recipe)["model_bn_span"] == 4


def test_damaged_data_end_before_the_training(prepare, shapes):
    picture = next((shapes / "train2017").iterdir())
    picture.write_bytes(picture.read_bytes()[:100])
    with pytest.raises(TrainingError, match=f"{picture.name} is damaged"):
        prepare("ssd:SmallSSD", shapes)


def test_no_pictures_at_all(prepare, shapes):
    (shapes / "SHA256SUMS").unlink()
    path = shapes / "annotations" / "instances_val2017.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"images": [], "annotations": []}))
    with pytest.raises(TrainingError, match="the evaluation set has no samples"):
        prepare("ssd:SmallSSD", shapes)


def test_without_a_folder_there_is_a_diagnosis():
    from detection_training.ssd import SSD

    with pytest.raises(TrainingError, match="needs a folder"):
        SSD(Setup())
