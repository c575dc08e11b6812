"""Leave out the images whose licences MLPerf does not accept, and write annotations and dataset.json of the others."""

import json
from pathlib import Path

from cm4bench.errors import CMBenchError

# A licence is accepted when its address holds one of these, as in filter_coco_safe_images.py of MLPerf's reference.
ACCEPTED = (
    "creativecommons.org/licenses/by/",
    "creativecommons.org/licenses/by-sa/",
    "creativecommons.org/licenses/by-nd",
    "flickr.com/commons/usage",
    "www.usa.gov",
)
HINT = (
    "add --coco_path=FOLDER with val2017 and annotations/instances_val2017.json (val2017.zip and "
    "annotations_trainval2017.zip of https://cocodataset.org), or use _embedded or _synthetic instead of _full"
)


def preprocess(i):
    env = i["env"]
    given = str(env.get("CM_DATASET_COCO_GIVEN_PATH") or "").strip()
    if not given:
        raise CMBenchError("the COCO 2017 validation images are not here, and were not given", hint=HINT)
    root = Path(given).expanduser().absolute()
    images = next((root / name for name in ("val2017_safe", "val2017") if (root / name).is_dir()), None)
    source = next(iter(sorted((root / "annotations").glob("instances_val2017*.json"))), None)
    if images is None or source is None:
        raise CMBenchError(f"{root} has no val2017 folder or no annotations/instances_val2017.json", hint=HINT)
    content = accepted(read(source))
    require(content["images"], images, int(env["CM_DATASET_EXPECTED_SIZE"]))
    _write(env, content, images)
    return {"return": 0}


def read(path):
    """The parts of a COCO file that are needed. Raises CMBenchError when it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {key: content[key] for key in ("images", "annotations", "categories", "licenses")}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CMBenchError(f"{path} is not an annotation file in COCO's format: {error!r}", hint=HINT) from None


def accepted(content):
    """The images with an accepted licence, in their order, and their boxes."""
    addresses = {entry["id"]: str(entry.get("url", "")).lower() for entry in content["licenses"]}
    allowed = {key for key, address in addresses.items() if any(part in address for part in ACCEPTED)}
    images = [image for image in content["images"] if image.get("license") in allowed]
    known = {image["id"] for image in images}
    boxes = [box for box in content["annotations"] if box["image_id"] in known]
    return content | {"images": images, "annotations": boxes}


def require(listed, images, expected):
    """Raises CMBenchError unless the images are as many as MLPerf has, and all there."""
    if len(listed) != expected:
        raise CMBenchError(f"{len(listed)} images have an accepted licence, {expected} are needed", hint=HINT)
    missing = [entry["file_name"] for entry in listed if not (images / entry["file_name"]).is_file()]
    if missing:
        cause = f"{len(missing)} of {len(listed)} images are missing in {images}; the first is {missing[0]}"
        raise CMBenchError(cause, hint=HINT)


def _write(env, content, images):
    annotations = Path.cwd() / "instances_val2017_safe.json"
    annotations.write_text(json.dumps(content) + "\n", encoding="utf-8")
    count = len(content["images"])
    described = {"schema": 1, "name": "coco2017 safe", "tier": env["CM_DATASET_TIER"], "count": count}
    places = {"images": str(images), "annotations": annotations.name}
    Path("dataset.json").write_text(json.dumps(described | places, indent=1) + "\n", encoding="utf-8")
    env["CM_DATASET_PATH"] = str(Path.cwd())
    env["CM_DATASET_ANNOTATIONS_FILE_PATH"] = str(annotations)
    env["CM_DATASET_SIZE"] = str(count)
