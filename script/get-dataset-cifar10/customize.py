"""Find the six batches of CIFAR-10, and hold the official ones against their published sums."""

import hashlib
from pathlib import Path

from cm4bench.errors import CMBenchError

USUAL_FOLDER = "cifar-10-batches-py"
OFFICIAL_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
# md5 of each file of cifar-10-python.tar.gz, whose own md5 is on the data set's page
OFFICIAL = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}


def preprocess(i):
    env = i["env"]
    given = str(env.get("CM_DATASET_CIFAR10_GIVEN_PATH") or "").strip()
    if env["CM_DATASET_TIER"] == "full":
        _prepare_full(env, given)
    elif given:
        raise CMBenchError("--cifar10_path was given, and the packaged images were asked for", hint="add _full")
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    full = env["CM_DATASET_TIER"] == "full"
    folder = _inner(Path(env["CM_DATASET_CIFAR10_EXTRACTED_PATH"])) if full else Path.cwd() / USUAL_FOLDER
    if full:
        require_official(folder)
    env["CM_DATASET_PATH"] = env["CM_DATASET_CIFAR10_PATH"] = str(folder)
    return {"return": 0}


def require_official(folder, sums=OFFICIAL):
    """Every file there and as published, or an error that names the first that is not."""
    for name, expected in sums.items():
        path = folder / name
        if not path.is_file():
            raise CMBenchError(f"{path} is missing", hint=_how_to_give())
        found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        if found != expected:
            cause = f"{path} is damaged or not CIFAR-10's: its md5 is {found}, not {expected}"
            raise CMBenchError(cause, hint=_how_to_give())


def _prepare_full(env, given):
    """Decide what is still missing: the archive, its unpacking."""
    url = str(env.get("CM_DATASET_CIFAR10_URL") or "").strip()
    path = Path(given).expanduser().absolute() if given else None
    env["CM_DATASET_CIFAR10_REQUIRE_DOWNLOAD"] = env["CM_DATASET_CIFAR10_REQUIRE_EXTRACT"] = "no"
    if path and path.is_dir():
        env["CM_DATASET_CIFAR10_EXTRACTED_PATH"] = str(path)
    elif path and path.is_file():
        env["CM_DATASET_CIFAR10_ARCHIVE"] = str(path)
        env["CM_DATASET_CIFAR10_REQUIRE_EXTRACT"] = "yes"
    elif path:
        raise CMBenchError(f"no CIFAR-10 at {path}: there is no such folder or file", hint=_how_to_give())
    elif url:
        env["CM_DATASET_CIFAR10_REQUIRE_DOWNLOAD"] = env["CM_DATASET_CIFAR10_REQUIRE_EXTRACT"] = "yes"
    else:
        raise CMBenchError("the full CIFAR-10 is not here, and was not given", hint=_how_to_give())


def _inner(folder):
    """The folder with the batches: itself, or its usual sub-folder."""
    return folder / USUAL_FOLDER if (folder / USUAL_FOLDER).is_dir() else folder


def _how_to_give():
    return (
        f"add --cifar10_path=FOLDER with {next(iter(OFFICIAL))} and so on (or the .tar.gz), or --cifar10_url="
        f"{OFFICIAL_URL}, or use _embedded instead of _full"
    )
