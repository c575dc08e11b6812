"""Decide where the scans come from."""

from pathlib import Path

from cm4bench.errors import CMBenchError


def preprocess(i):
    env = i["env"]
    given = str(env.get("CM_DATASET_KITS19_PICKLES_PATH") or "").strip()
    env["CM_DATASET_KITS19_FROM_RAW"] = "yes" if env["CM_DATASET_TIER"] == "full" and not given else "no"
    if given and env["CM_DATASET_TIER"] == "full":
        path = Path(given).expanduser().absolute()
        if not path.is_dir():
            raise CMBenchError(
                f"no prepared KiTS19 at {path}: there is no such folder",
                hint="give the folder that the reference's preprocess.py wrote, or --kits19_path=FOLDER with raw scans",
            )
        env["CM_DATASET_KITS19_PICKLES_PATH"] = str(path)
    return {"return": 0}
