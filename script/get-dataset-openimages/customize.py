"""Find the images and their boxes, compare the two, and write dataset.json."""

import json
from pathlib import Path

from cm4bench.errors import CMBenchError

ANNOTATIONS = "openimages-mlperf.json"
HINT = (
    "add --openimages_path=FOLDER (openimages_mlperf.sh in vision/classification_and_detection/tools of "
    "https://github.com/mlcommons/inference fetches the images), or use _embedded or _synthetic instead of _full"
)


def preprocess(i):
    env = i["env"]
    images = _images(env)
    env["CM_DATASET_OPENIMAGES_DATASET_PATH"] = str(images)
    env["CM_DATASET_OPENIMAGES_FETCH_ANNOTATIONS"] = "no" if _annotations(env, images) else "yes"
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    images = Path(env["CM_DATASET_OPENIMAGES_DATASET_PATH"])
    annotations = _annotations(env, images) or _fetched(Path(env["CM_DATASET_OPENIMAGES_ANNOTATIONS_PATH"]))
    count = check(images, annotations, int(env["CM_DATASET_EXPECTED_SIZE"]))
    described = {"schema": 1, "name": "openimages v6 mlperf", "tier": env["CM_DATASET_TIER"], "count": count}
    places = {"images": str(images), "annotations": str(annotations)}
    Path("dataset.json").write_text(json.dumps(described | places, indent=1) + "\n", encoding="utf-8")
    env["CM_DATASET_PATH"] = str(Path.cwd())
    env["CM_DATASET_ANNOTATIONS_FILE_PATH"] = str(annotations)
    env["CM_DATASET_SIZE"] = str(count)
    return {"return": 0}


def check(images, annotations, expected):
    """How many images the annotations list; all of them must be there. Raises CMBenchError."""
    try:
        listed = [entry["file_name"] for entry in json.loads(annotations.read_text(encoding="utf-8"))["images"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CMBenchError(f"{annotations} is not an annotation file in COCO's format: {error!r}", hint=HINT) from None
    if len(listed) != expected:
        raise CMBenchError(f"{annotations} lists {len(listed)} images, {expected} are needed", hint=HINT)
    missing = [name for name in listed if not (images / name).is_file()]
    if missing:
        cause = f"{len(missing)} of {len(listed)} images are missing in {images}; the first is {missing[0]}"
        raise CMBenchError(cause, hint=HINT)
    return len(listed)


def _images(env):
    """The folder that was given, or the one below it that upstream's tools make."""
    given = str(env.get("CM_DATASET_OPENIMAGES_GIVEN_PATH") or "").strip()
    if not given:
        raise CMBenchError("the OpenImages validation images are not here, and were not given", hint=HINT)
    path = Path(given).expanduser().absolute()
    if not path.is_dir():
        raise CMBenchError(f"no OpenImages images at {path}: there is no such folder", hint=HINT)
    return next((path / name for name in ("validation/data", "data") if (path / name).is_dir()), path)


def _annotations(env, images):
    """The file the user named, or one that lies near the images; None when there is none."""
    given = str(env.get("CM_DATASET_OPENIMAGES_GIVEN_ANNOTATIONS") or "").strip()
    if given:
        return Path(given).expanduser().absolute()
    near = [images, *list(images.parents)[:2]]
    places = [folder / inner / ANNOTATIONS for folder in near for inner in ("annotations", "labels", "")]
    return next((path for path in places if path.is_file()), None)


def _fetched(folder):
    found = sorted(folder.rglob("*.json"))
    if not found:
        raise CMBenchError(f"the archive in {folder} holds no annotations", hint=HINT)
    return found[0]
