"""The data sets and models of object detection as steps: copies at hand are checked, made data are reproducible."""

import json
from pathlib import Path

import numpy as np
import pytest

from cm4bench.errors import CMBenchError

LICENCES = [
    {"id": 1, "url": "http://creativecommons.org/licenses/by-nc-sa/2.0/"},
    {"id": 4, "url": "http://creativecommons.org/licenses/by/2.0/"},
    {"id": 7, "url": "http://flickr.com/commons/usage/"},
]


def write_coco(path, licences):
    """A COCO file with one image per licence and one box on each; the names of the images."""
    images = [
        {"id": k + 1, "file_name": f"{k:04d}.jpg", "width": 8, "height": 8, "license": key}
        for k, key in enumerate(licences)
    ]
    boxes = [{"id": k, "image_id": k, "category_id": 1, "bbox": [0, 0, 4, 4]} for k in range(1, len(images) + 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "x"}], "licenses": LICENCES}
    path.write_text(json.dumps(content))
    return [image["file_name"] for image in images]


def touch(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def test_coco_keeps_images_with_accepted_licences_only(ours, tmp_path):
    names = write_coco(tmp_path / "coco" / "annotations" / "instances_val2017.json", [1, 4, 7, 1] * 10)
    touch(tmp_path / "coco" / "val2017", names)
    options = {"coco_path": str(tmp_path / "coco")}
    with pytest.raises(CMBenchError, match="20 images have an accepted licence, 1525 are needed"):
        ours.run("get,dataset,coco2017-safe", options=options)
    names = write_coco(tmp_path / "coco" / "annotations" / "instances_val2017.json", [4, 1] * 1525)
    touch(tmp_path / "coco" / "val2017", names)
    env = ours.run("get,dataset,coco2017-safe", options=options).outcome.new_env
    kept = json.loads(Path(env["CM_DATASET_ANNOTATIONS_FILE_PATH"]).read_text())
    assert [image["license"] for image in kept["images"]] == [4] * 1525
    assert {box["image_id"] for box in kept["annotations"]} == {image["id"] for image in kept["images"]}
    info = json.loads((Path(env["CM_DATASET_PATH"]) / "dataset.json").read_text())
    assert (info["tier"], info["count"], info["images"]) == ("full", 1525, str(tmp_path / "coco" / "val2017"))


def test_coco_says_what_is_missing(ours, tmp_path):
    with pytest.raises(CMBenchError, match="were not given") as caught:
        ours.run("get,dataset,coco2017-safe")
    assert "--coco_path=" in caught.value.hint
    with pytest.raises(CMBenchError, match="no val2017 folder"):
        ours.run("get,dataset,coco2017-safe", options={"coco_path": str(tmp_path)})
    names = write_coco(tmp_path / "annotations" / "instances_val2017.json", [4] * 1525)
    touch(tmp_path / "val2017_safe", names[:-2])
    with pytest.raises(CMBenchError, match=r"2 of 1525 images are missing .* the first is 1523\.jpg"):
        ours.run("get,dataset,coco2017-safe", options={"coco_path": str(tmp_path)})


def test_openimages_finds_upstreams_layout(ours, tmp_path):
    names = write_coco(tmp_path / "oi" / "annotations" / "openimages-mlperf.json", [0] * 24781)
    touch(tmp_path / "oi" / "validation" / "data", names)
    env = ours.run("get,dataset,openimages,original", options={"openimages_path": str(tmp_path / "oi")}).outcome.new_env
    info = json.loads((Path(env["CM_DATASET_PATH"]) / "dataset.json").read_text())
    assert (info["count"], info["tier"], env["CM_DATASET_SIZE"]) == (24781, "full", "24781")
    assert info["annotations"] == str(tmp_path / "oi" / "annotations" / "openimages-mlperf.json")


def test_openimages_says_what_is_missing(ours, tmp_path):
    with pytest.raises(CMBenchError, match="were not given") as caught:
        ours.run("get,dataset,openimages,original")
    assert "--openimages_path=" in caught.value.hint
    with pytest.raises(CMBenchError, match="no such folder"):
        ours.run("get,dataset,openimages,original", options={"openimages_path": str(tmp_path / "none")})
    names = write_coco(tmp_path / "annotations" / "openimages-mlperf.json", [0] * 5)
    touch(tmp_path / "data", names)
    with pytest.raises(CMBenchError, match="lists 5 images, 24781 are needed"):
        ours.run("get,dataset,openimages,original", options={"openimages_path": str(tmp_path)})
    (tmp_path / "annotations" / "openimages-mlperf.json").write_text("[]")
    with pytest.raises(CMBenchError, match="not an annotation file"):
        ours.run("get,dataset,openimages,original", options={"openimages_path": str(tmp_path)})


def test_yolo11_needs_its_weights_or_synthetic(ours, tmp_path):
    with pytest.raises(CMBenchError, match="were not given") as caught:
        ours.run("get,ml-model,yolov11")
    assert "--model_path=" in caught.value.hint
    with pytest.raises(CMBenchError, match="no such file"):
        ours.run("get,ml-model,yolov11", options={"model_path": str(tmp_path / "none.pt")})
    (tmp_path / "yolo11l.pt").write_bytes(b"weights")
    env = ours.run("get,ml-model,yolov11", options={"model_path": str(tmp_path / "yolo11l.pt")}).outcome.new_env
    assert env["CM_ML_MODEL_FILE_WITH_PATH"] == str(tmp_path / "yolo11l.pt")
    assert not ours.run("get,ml-model,yolov11,_synthetic").outcome.new_env.get("CM_ML_MODEL_FILE_WITH_PATH")


def test_only_the_official_retinanet_is_full(ours, tmp_path):
    (tmp_path / "mine.pth").write_bytes(b"other weights")
    with pytest.raises(CMBenchError, match="checksum mismatch"):
        ours.run("get,ml-model,retinanet", options={"model_path": str(tmp_path / "mine.pth")})


def test_made_pictures_are_reproducible(ours):
    first = ours.run("get,dataset,detection-scenes,_synthetic,_size.3").outcome.new_env
    second = ours.run("get,dataset,detection-scenes,_synthetic,_size.3", options={"seed": "1"}).outcome.new_env
    coco = json.loads(Path(first["CM_DATASET_ANNOTATIONS_FILE_PATH"]).read_text())
    assert len(coco["images"]) == len(list((Path(first["CM_DATASET_PATH"]) / "images").iterdir())) == 3
    assert len(coco["categories"]) == 80
    assert max(category["id"] for category in coco["categories"]) == 90
    assert coco != json.loads(Path(second["CM_DATASET_ANNOTATIONS_FILE_PATH"]).read_text())
    third = ours.run("get,dataset,detection-scenes,_classes.264,_size.2").outcome.new_env
    coco = json.loads(Path(third["CM_DATASET_ANNOTATIONS_FILE_PATH"]).read_text())
    assert [category["id"] for category in coco["categories"]] == list(range(264))


def test_boxes_are_where_the_cut_outs_are(script_file, tmp_path):
    import random

    from PIL import Image

    compose = script_file("get-dataset-detection-scenes", "compose.py")
    stamp = np.zeros((50, 40, 4), np.uint8)
    stamp[10:40, 5:25] = (255, 0, 255, 255)
    (tmp_path / "a").mkdir()
    Image.fromarray(stamp).save(tmp_path / "a" / "thing.png")
    scene = compose.compose(compose.Stamps(tmp_path, {"thing": ["a/thing"]}), random.Random(0))
    seen = (np.asarray(scene.picture) == (255, 0, 255)).all(axis=2)
    assert len(scene.objects) == 2
    for name, (left, top, width, height) in scene.objects:
        assert name == "thing"
        assert seen[top : top + height, left : left + width].mean() > 0.98
        seen[top : top + height, left : left + width] = False
    assert not seen.any()


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        ("_retinanet", "get-ml-model-yolov3-tiny"),
        ("_yolo-95", "get-ml-model-yolov3-tiny"),
        ("_retinanet,_synthetic", "get-ml-model-retinanet"),
        ("_yolo-99,_synthetic", "get-ml-model-yolov11"),
    ],
)
def test_without_data_at_hand_each_task_has_something_to_run(ours, asked, model):
    names = {step.script.alias for step in ours.plan(f"get,mlperf,inference,task,{asked}").steps()}
    assert {"get-dataset-detection-scenes", model} <= names


def test_what_does_not_exist_is_refused(ours):
    with pytest.raises(CMBenchError):
        ours.plan("get,mlperf,inference,task,_yolov3-tiny,_synthetic")
