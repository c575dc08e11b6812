"""Find the images, count them, and write one label per image into val_map.txt."""

import os
from pathlib import Path

from cm4bench.errors import CMBenchError

IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png")
LABEL_FILES = ("val_map.txt", "val.txt")
CLASSES = 1000
OFFICIAL_URL = "https://image-net.org/data/ILSVRC/2012/ILSVRC2012_img_val.tar"


def preprocess(i):
    env = i["env"]
    if env["CM_DATASET_TIER"] == "full":
        _prepare_full(env)
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    folder = _image_folder(env)
    images = find_images(folder)
    _require_count(folder, len(images), int(env.get("CM_DATASET_EXPECTED_SIZE") or 1))
    labels = _labels(env, folder, images)
    path = Path.cwd() / "val_map.txt"
    path.write_text("".join(f"{name} {labels[name]}\n" for name in images), encoding="utf-8")
    if env.get("CM_DATASET_IMAGENET_REQUIRE_DOWNLOAD") == "yes":
        Path(env["CM_DATASET_IMAGENET_ARCHIVE"]).unlink(missing_ok=True)  # 6.7 GB that are unpacked now
    env["CM_DATASET_PATH"] = env["CM_DATASET_IMAGENET_PATH"] = env["CM_DATASET_IMAGENET_VAL_PATH"] = str(folder)
    env["CM_DATASET_LABELS_PATH"] = str(path)
    env["CM_DATASET_SIZE"] = str(len(images))
    return {"return": 0}


def find_images(folder):
    """Names of the images in a folder and in its folders (one per class, as torchvision wants them), sorted."""
    names = []
    for entry in os.scandir(folder):
        if entry.is_dir():
            names += [f"{entry.name}/{inner.name}" for inner in os.scandir(entry.path) if _is_image(inner)]
        elif _is_image(entry):
            names.append(entry.name)
    return sorted(names)


def parse_labels(text, source):
    """Lines of image name and class → {name: class}. Raises CMBenchError naming the bad line."""
    labels = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or not words[1].isdecimal() or int(words[1]) >= CLASSES:
            raise CMBenchError(
                f"{source}:{number}: not an image name and a class from 0 to {CLASSES - 1}: {line[:80]!r}",
                hint="give another label file: --imagenet_labels=FILE",
            )
        labels[words[0]] = int(words[1])
    return labels


def label_in_name(name):
    """The class at the end of `imagenet_04_281.jpg`; None where the name has none."""
    tail = Path(name).stem.rpartition("_")[2]
    return int(tail) if tail.isdecimal() and int(tail) < CLASSES else None


def _is_image(entry):
    return entry.name.lower().endswith(IMAGE_SUFFIXES)


def _prepare_full(env):
    """Decide what is still missing: the archive, its unpacking, the labels."""
    given = str(env.get("IMAGENET_PATH") or "").strip()
    url = str(env.get("CM_DATASET_IMAGENET_URL") or "").strip()
    path = Path(given).expanduser().absolute() if given else None
    env["CM_DATASET_IMAGENET_REQUIRE_DOWNLOAD"] = env["CM_DATASET_IMAGENET_REQUIRE_EXTRACT"] = "no"
    env["CM_DATASET_IMAGENET_REQUIRE_LABELS"] = "no"
    if path and path.is_dir():
        folder = _official_folder(path)
        _require_count(folder, len(find_images(folder)), int(env["CM_DATASET_EXPECTED_SIZE"]))
        env["CM_DATASET_IMAGENET_EXTRACTED_PATH"] = str(folder)
    elif path and path.is_file():
        env["CM_DATASET_IMAGENET_ARCHIVE"] = str(path)
        env["CM_DATASET_IMAGENET_REQUIRE_EXTRACT"] = "yes"
    elif path:
        raise CMBenchError(f"no ImageNet images at {path}: there is no such folder or file", hint=_how_to_give())
    elif url:
        env["CM_DATASET_IMAGENET_REQUIRE_DOWNLOAD"] = env["CM_DATASET_IMAGENET_REQUIRE_EXTRACT"] = "yes"
    else:
        raise CMBenchError("the full ImageNet validation set is not here, and was not given", hint=_how_to_give())
    if not _label_file(env, path):
        env["CM_DATASET_IMAGENET_REQUIRE_LABELS"] = "yes"


def _how_to_give():
    return (
        "add --imagenet_path=FOLDER with the 50,000 images (or the .tar), or --imagenet_url="
        f"{OFFICIAL_URL} if you accept ImageNet's terms, or use _embedded instead of _full"
    )


def _official_folder(path):
    """The folder itself, or its usual sub-folder."""
    return next((path / name for name in ("imagenet-2012-val", "val") if (path / name).is_dir()), path)


def _image_folder(env):
    tier = env["CM_DATASET_TIER"]
    if tier == "embedded":
        return Path(env["CM_PYPI_ARTIFACT_PATH"]) / "foolbox" / "data"
    if tier == "synthetic":
        return Path.cwd() / "synthetic"
    return Path(env["CM_DATASET_IMAGENET_EXTRACTED_PATH"])


def _require_count(folder, found, expected):
    if found < expected:
        raise CMBenchError(
            f"{folder} holds {found} images, {expected} are needed",
            hint="complete the folder, or give another: --imagenet_path=FOLDER (_embedded needs none)",
        )


def _label_file(env, path):
    """The file the user named, or one that lies in or beside the images; None when there is none."""
    given = str(env.get("CM_DATASET_IMAGENET_LABELS") or "").strip()
    if given:
        return Path(given).expanduser().absolute()
    folders = [path, path.parent] if path and path.is_dir() else []
    return next((folder / name for folder in folders for name in LABEL_FILES if (folder / name).is_file()), None)


def _labels(env, folder, images):
    """A class for each image name; all of them or an error."""
    if env["CM_DATASET_TIER"] == "full":
        source = _label_file(env, folder) or Path(env["CM_DATASET_AUX_PATH"]) / "val.txt"
        if not source.is_file():
            raise CMBenchError(f"no such label file: {source}", hint="give another: --imagenet_labels=FILE")
        known = parse_labels(source.read_text(encoding="utf-8"), source)
        labels = {name: known.get(name, known.get(Path(name).name)) for name in images}
    else:
        source, labels = "its name", {name: label_in_name(name) for name in images}
    missing = [name for name in images if labels[name] is None]
    if missing:
        raise CMBenchError(
            f"{len(missing)} of {len(images)} images have no label in {source}; the first is {missing[0]}",
            hint="give a label file: --imagenet_labels=FILE",
        )
    return labels
