"""The scripts that get the data: COCO at hand is checked, shapes are made and sealed."""

import json
from pathlib import Path

import pytest

from cm4bench.errors import CMBenchError
from trainer.datafiles import verify

COCO = "get,dataset,coco2017-training"


@pytest.fixture
def coco(tmp_path):
    """Three pictures for training and two for evaluation."""
    root = tmp_path / "coco"
    (root / "annotations").mkdir(parents=True)
    for part, count in (("train2017", 3), ("val2017", 2)):
        (root / part).mkdir()
        images = [{"id": number, "file_name": f"{number}.jpg"} for number in range(count)]
        for image in images:
            (root / part / image["file_name"]).write_bytes(b"")
        content = {"images": images, "annotations": [], "categories": []}
        (root / "annotations" / f"instances_{part}.json").write_text(json.dumps(content))
    return root


def test_a_folder_at_hand_is_taken_where_it_lies(ours, coco):
    env = ours.run(f"{COCO},_subset", options={"coco_path": str(coco)}).outcome.new_env
    assert (env["CM_DATASET_PATH"], env["CM_DATASET_SIZE"]) == (str(coco), "3")


def test_coco_must_be_complete(ours, coco):
    with pytest.raises(CMBenchError, match="lists 3 pictures, 118287 are needed"):
        ours.run(COCO, options={"coco_path": str(coco)})
    (coco / "val2017" / "1.jpg").unlink()
    with pytest.raises(CMBenchError, match=r"val2017 lacks 1 of 2 pictures; one is 1.jpg"):
        ours.run(f"{COCO},_subset", options={"coco_path": str(coco)})
    (coco / "annotations" / "instances_train2017.json").write_text("[]")
    with pytest.raises(CMBenchError, match="not an annotation file"):
        ours.run(f"{COCO},_subset", options={"coco_path": str(coco)})
    with pytest.raises(CMBenchError, match="was not given") as caught:
        ours.run(COCO)
    assert "--coco_path=" in caught.value.hint


def test_shapes_are_made_and_sealed(ours):
    pytest.importorskip("pycocotools")
    options = {"train": "3", "val": "2"}
    env = ours.run("get,dataset,detection-scenes,_instances,_synthetic", options=options).outcome.new_env
    folder = Path(env["CM_DATASET_PATH"])
    assert verify(folder) == 7
    assert len(json.loads((folder / "annotations" / "instances_train2017.json").read_text())["images"]) == 3
    assert env["CM_DATASET_TIER"] == "synthetic"
