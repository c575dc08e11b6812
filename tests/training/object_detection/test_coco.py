"""Data in COCO's layout: what is read from it, what stops it, and the metric over it."""

import json

import pytest
from detection_training.coco import Pictures, decode
from detection_training.metric import average_precision
from PIL import Image

from trainer.datafiles import SUMS
from trainer.errors import TrainingError

torch = pytest.importorskip("torch")
pytest.importorskip("pycocotools")


def change(root, part, edit):
    """Rewrite an annotation file through ``edit``."""
    path = root / "annotations" / f"instances_{part}.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def polygons(tmp_path):
    """Two pictures as COCO has them: a polygon, a crowd in run lengths, category ids with gaps, one without objects."""
    (tmp_path / "annotations").mkdir()
    (tmp_path / "train2017").mkdir()
    images = []
    for number in (7, 3, 9):
        Image.new("RGB", (20, 10), (number, 0, 255)).save(tmp_path / "train2017" / f"{number}.jpg")
        images.append({"id": number, "file_name": f"{number}.jpg", "width": 20, "height": 10})
    square = [[2, 1, 6, 1, 6, 5, 2, 5]]
    crowd = {"size": [10, 20], "counts": [0, 50, 150]}
    common = {"image_id": 7, "area": 16, "iscrowd": 0}
    annotations = [
        {"id": 1, "category_id": 90, "bbox": [2, 1, 4, 4], "segmentation": square, **common},
        {"id": 2, "category_id": 5, "bbox": [0, 0, 5, 10], "segmentation": crowd, **common, "iscrowd": 1},
        {"id": 3, "category_id": 5, "bbox": [0, 0, 0.2, 4], "segmentation": square, **common},
        {"id": 4, "category_id": 5, "bbox": [2, 1, 4, 4], "segmentation": square, **common, "image_id": 3},
    ]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 90}, {"id": 5}]}
    (tmp_path / "annotations" / "instances_train2017.json").write_text(json.dumps(content))
    return tmp_path


def test_training_leaves_out_crowds_slivers_and_empty_pictures(polygons):
    split = Pictures(polygons, "train2017", training=True, masks=True)
    assert split.ids == [3, 7]
    assert split.categories == [5, 90]
    target = split._sample(7)[1]
    assert target["boxes"].tolist() == [[2, 1, 6, 5]]
    assert target["labels"].tolist() == [2]
    assert target["masks"].shape == (1, 10, 20)
    assert target["masks"].sum() == 16
    assert target["masks"][0, 1:5, 2:6].all()


def test_evaluation_keeps_all_pictures(polygons):
    assert len(Pictures(polygons, "train2017", training=False, masks=True)) == 3


def test_batches_repeat_and_mirror(polygons):
    split = Pictures(polygons, "train2017", training=True, masks=True)
    seen = set()
    for seed in range(8):
        one, same = (split.batch([1], torch.Generator().manual_seed(seed)) for _ in range(2))
        assert torch.equal(one["targets"][0]["boxes"], same["targets"][0]["boxes"])
        box, mask = one["targets"][0]["boxes"][0].tolist(), one["targets"][0]["masks"][0]
        assert mask[1:5, int(box[0]) : int(box[2])].sum() == 16
        seen.add(tuple(box))
    assert seen == {(2, 1, 6, 5), (14, 1, 18, 5)}


def test_made_pictures_repeat_and_their_masks_fit_their_boxes(shapes):
    split = Pictures(shapes, "train2017", training=True, masks=True)
    assert len(split) == 12
    for image, target in (split._sample(number) for number in split.ids):
        assert image.shape == (3, 64, 64)
        for box, mask in zip(target["boxes"].int().tolist(), target["masks"], strict=True):
            rows, columns = mask.nonzero().unbind(1)
            assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == box


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda content: content.pop("images"), "no 'images'"),
        (lambda content: content["annotations"][0].update(image_id=99), "picture 99, which is not listed"),
        (lambda content: content["annotations"][0].update(category_id=99), "category 99, which is not listed"),
        (lambda content: content["annotations"][0].update(bbox=[1, 2]), "a box of 2 numbers"),
    ],
)
def test_annotations_that_contradict_themselves(shapes, edit, words):
    path = change(shapes, "train2017", edit)
    with pytest.raises(TrainingError, match=words) as caught:
        Pictures(shapes, "train2017", training=True, masks=True)
    assert caught.value.kind == "data"
    assert str(path) in caught.value.cause


def test_files_that_are_missing_or_damaged(shapes):
    path = shapes / "annotations" / "instances_train2017.json"
    picture = sorted((shapes / "train2017").iterdir())[4]
    whole = picture.read_bytes()
    picture.write_bytes(whole[:200])
    with pytest.raises(TrainingError, match=f"{picture.name}: no readable picture"):
        decode(picture)
    picture.unlink()
    with pytest.raises(TrainingError, match=rf"{picture.name}: missing \(1 of 12"):
        Pictures(shapes, "train2017", training=True, masks=True)
    path.write_text(path.read_text()[:300])
    with pytest.raises(TrainingError, match=path.name):
        Pictures(shapes, "train2017", training=True, masks=True)
    path.unlink()
    with pytest.raises(TrainingError, match=f"{path.name}: No such file"):
        Pictures(shapes, "train2017", training=True, masks=True)


def test_a_picture_of_another_size_than_listed(shapes):
    change(shapes, "train2017", lambda content: content["images"][0].update(width=32))
    split = Pictures(shapes, "train2017", training=True, masks=True)
    with pytest.raises(TrainingError, match="64x64 pixels, not as the annotations have it"):
        split.batch([0], torch.Generator())


def test_average_precision(shapes):
    """What is true counts as 1, half of it as less, nothing as 0."""
    truth = Pictures(shapes, "val2017", training=False, masks=True).coco
    found = [
        {key: one[key] for key in ("image_id", "category_id", "bbox", "segmentation")} | {"score": 0.9}
        for one in truth.anns.values()
    ]
    assert average_precision(truth, found, "bbox") == pytest.approx(1)
    assert average_precision(truth, found, "segm") == pytest.approx(1)
    assert 0 < average_precision(truth, found[::2], "bbox") < 1
    assert average_precision(truth, [], "bbox") == 0


def test_the_made_data_are_sealed(shapes):
    assert "annotations/instances_val2017.json\n" in (shapes / SUMS).read_text()
