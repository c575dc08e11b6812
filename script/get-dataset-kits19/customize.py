"""Find the cases of MLPerf inference, or fetch them one by one."""

from pathlib import Path

from cm4bench.errors import CMBenchError
from cm4bench.fetch.download import download, partial_path

# meta/inference_cases.json of the reference, without case 400, which is its case 185 once more
CASES = (
    *(0, 3, 5, 6, 12, 24, 34, 41, 44, 49, 52, 56, 61, 65, 66, 70, 76, 78, 80, 84, 86, 87, 92, 111, 112, 125, 128, 138),
    *(157, 160, 161, 162, 169, 171, 176, 185, 187, 189, 198, 203, 206, 207),
)
FILES = ("imaging.nii.gz", "segmentation.nii.gz")
TRAINING_CASES = 210  # those with published labels
HINT = "give --kits19_path=FOLDER with case_00000 and so on (the data folder of github.com/neheller/kits19)"


def preprocess(i):
    env = i["env"]
    cases = range(TRAINING_CASES) if env["CM_DATASET_KITS19_PART"] == "training" else CASES
    given = str(env.get("CM_DATASET_KITS19_GIVEN_PATH") or "").strip()
    folder = data_folder(Path(given).expanduser().absolute()) if given else Path.cwd() / "data"
    if not given:
        fetch(folder, env["CM_DATASET_KITS19_IMAGING_URL"], env["CM_DATASET_KITS19_SEGMENTATION_URL"], cases)
    missing = missing_files(folder, cases)
    if missing:
        raise CMBenchError(
            f"{folder} lacks {len(missing)} of {len(cases) * len(FILES)} files of the {len(cases)} cases; "
            f"the first is {missing[0]}",
            hint=HINT,
        )
    env["CM_DATASET_PATH"] = env["CM_DATASET_KITS19_PATH"] = str(folder)
    env["CM_DATASET_SIZE"] = str(len(cases))
    return {"return": 0}


def data_folder(path):
    """The folder itself, or its `data`; an error when there is none."""
    if not path.is_dir():
        raise CMBenchError(f"no KiTS19 at {path}: there is no such folder", hint=HINT)
    return path if (path / case_name(CASES[0])).is_dir() else next((p for p in [path / "data"] if p.is_dir()), path)


def case_name(number):
    return f"case_{number:05d}"


def missing_files(folder, cases=None):
    """Names of the files that are not there, in order."""
    names = [f"{case_name(number)}/{file}" for number in cases or CASES for file in FILES]
    return [name for name in names if not (folder / name).is_file()]


def fetch(folder, imaging, segmentation, cases=None):
    """Download what is missing; each file resumes where it broke off."""
    for number in cases or CASES:
        case = folder / case_name(number)
        case.mkdir(parents=True, exist_ok=True)
        addresses = (f"{imaging}{number:05d}.nii.gz", f"{segmentation}/{case.name}/segmentation.nii.gz")
        for url, name in zip(addresses, FILES, strict=True):
            if not (case / name).is_file():
                download(url, case / name, partial=partial_path(url))
