"""Find the graph's files and see that none is missing."""

from pathlib import Path

from cm4bench.errors import CMBenchError

NODES = ("paper", "author", "institute", "fos", "journal", "conference")
EDGES = (
    "paper__cites__paper",
    "paper__written_by__author",
    "author__affiliated_to__institute",
    "paper__topic__fos",
    "paper__published__journal",
    "paper__venue__conference",
)
FILES = (
    *(f"{kind}/node_feat.npy" for kind in NODES),
    *(f"{name}/edge_index.npy" for name in EDGES),
    "paper/node_label_2K.npy",
    "val_idx.pt",
)
HINT = (
    "add --igbh_path=FOLDER (graph/R-GAT/tools of https://github.com/mlcommons/inference: download_igbh_full.sh, then "
    "split_seeds.py, which writes val_idx.pt), or use _synthetic instead of _full"
)


def preprocess(i):
    env = i["env"]
    if env["CM_DATASET_TIER"] == "full":
        env["CM_DATASET_IGBH_PATH"] = str(processed(str(env.get("CM_DATASET_IGBH_GIVEN_PATH") or "").strip()))
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    if env["CM_DATASET_TIER"] == "synthetic":
        env["CM_DATASET_IGBH_PATH"] = str(Path.cwd() / "made" / "processed")
    env["CM_DATASET_PATH"] = env["CM_DATASET_IGBH_PATH"]
    return {"return": 0}


def processed(given):
    """The folder with the files, which is the one given or below it. Raises CMBenchError naming what is missing."""
    if not given:
        raise CMBenchError("the graph IGBH-full is not here, and was not given", hint=HINT)
    root = Path(given).expanduser().absolute()
    if not root.is_dir():
        raise CMBenchError(f"no graph at {root}: there is no such folder", hint=HINT)
    folder = next((root / name for name in ("full/processed", "processed") if (root / name).is_dir()), root)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise CMBenchError(f"{len(missing)} of {len(FILES)} files are missing in {folder}: {missing[0]}", hint=HINT)
    return folder
