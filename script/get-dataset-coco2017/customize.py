"""Check that a folder holds COCO 2017 as its archives unpack: every listed picture must be there."""

import json
from pathlib import Path

from cm4bench.errors import CMBenchError

HINT = (
    "add --coco_path=FOLDER with train2017, val2017 and annotations/instances_*2017.json (of https://cocodataset.org), "
    "or use _cutouts instead of _coco2017"
)
PARTS = {"train2017": "CM_DATASET_EXPECTED_TRAIN", "val2017": "CM_DATASET_EXPECTED_VAL"}


def preprocess(i):
    env = i["env"]
    given = str(env.get("CM_DATASET_COCO_GIVEN_PATH") or "").strip()
    if not given:
        raise CMBenchError("COCO 2017 is not here, and was not given", hint=HINT)
    root = Path(given).expanduser().absolute()
    counts = {part: count(root, part, int(env[key])) for part, key in PARTS.items()}
    env["CM_DATASET_PATH"] = str(root)
    env["CM_DATASET_SIZE"] = str(counts["train2017"])
    return {"return": 0}


def count(root, part, expected):
    """How many pictures a part lists. Raises CMBenchError naming what is missing."""
    path = root / "annotations" / f"instances_{part}.json"
    try:
        names = [image["file_name"] for image in json.loads(path.read_bytes())["images"]]
    except OSError as error:
        raise CMBenchError(f"{path} cannot be read: {error.strerror}", hint=HINT) from None
    except (ValueError, LookupError, TypeError) as error:
        raise CMBenchError(f"{path} is not an annotation file in COCO's format: {error!r}", hint=HINT) from None
    missing = [name for name in names if not (root / part / name).is_file()]
    if missing:
        raise CMBenchError(
            f"{root / part} lacks {len(missing)} of {len(names)} pictures; one is {missing[0]}", hint=HINT
        )
    if not names or expected not in (0, len(names)):
        raise CMBenchError(f"{path} lists {len(names)} pictures, {expected or 'at least 1'} are needed", hint=HINT)
    return len(names)
