"""Find the captions and count them."""

import csv
from pathlib import Path

from cm4bench.errors import CMBenchError

NAMES = ("captions/captions.tsv", "captions/captions_source.tsv", "captions.tsv", "captions_source.tsv")
LATENTS = ("latents/latents.pt", "latents.pt", "../latents/latents.pt", "../../tools/latents.pt")
HINT = (
    "add --coco2014_path=FILE with captions_source.tsv (text_to_image/coco2014/captions in "
    "https://github.com/mlcommons/inference), or use _synthetic instead of _full"
)


def preprocess(i):
    env = i["env"]
    captions = _captions(str(env.get("CM_DATASET_COCO2014_GIVEN_PATH") or "").strip())
    count, expected = len(read(captions)), int(env["CM_DATASET_EXPECTED_SIZE"])
    if count != expected:
        raise CMBenchError(f"{captions} has {count} captions, {expected} are needed", hint=HINT)
    env["CM_DATASET_PATH"] = str(captions.parent)
    env["CM_DATASET_CAPTIONS_FILE_PATH"] = str(captions)
    env["CM_DATASET_SIZE"] = str(count)
    roots = (captions.parent, captions.parent.parent)
    latents = next((path for root in roots for name in LATENTS if (path := root / name).is_file()), None)
    if latents:
        env["CM_DATASET_LATENTS_FILE_PATH"] = str(latents.resolve())
    return {"return": 0}


def read(path):
    """The captions in file order. Raises CMBenchError when the file is no table with such a column."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [row["caption"] for row in csv.DictReader(file, delimiter="\t")]
    except (OSError, ValueError, KeyError) as error:
        raise CMBenchError(f"{path} is not a tab-separated table with a column caption: {error!r}", hint=HINT) from None


def _captions(given):
    if not given:
        raise CMBenchError("the captions of COCO 2014 are not here, and were not given", hint=HINT)
    path = Path(given).expanduser().absolute()
    if path.is_file():
        return path
    found = next((path / name for name in NAMES if (path / name).is_file()), None)
    if found is None:
        raise CMBenchError(f"no captions at {path}", hint=HINT)
    return found
