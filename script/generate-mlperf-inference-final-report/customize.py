"""Hand the checker's table to mlperf_final_report."""

import shlex
from pathlib import Path

HERE = Path(__file__).parent
USAGE = 'cmr "run mlperf inference submission checker" --submission_dir=FOLDER writes it'


def preprocess(i):
    env = i["env"]
    start = Path(env.get("CM_TMP_CURRENT_PATH") or ".")
    table = (start / Path(str(env.get("CM_MLPERF_FINAL_REPORT_INPUT") or "summary.csv")).expanduser()).absolute()
    if not table.is_file():
        return {"return": 1, "error": f"there is no table {table}", "hint": USAGE}
    given = str(env.get("CM_MLPERF_FINAL_REPORT_OUTPUT") or "")
    folder = (start / Path(given).expanduser()).absolute() if given else table.parent
    words = [str(table), f"--output={folder}"]
    if address := str(env.get("CM_MLPERF_FINAL_REPORT_REPOSITORY") or ""):
        words.append(f"--repository={address}")
    env["CM_MLPERF_FINAL_REPORT_ARGUMENTS"] = shlex.join(words)
    env["CM_MLPERF_FINAL_REPORT_SHEETS"] = str(folder / "final-report.xlsx")
    env["CM_MLPERF_FINAL_REPORT_PAGE"] = str(folder / "final-report.html")
    env["CM_MLPERF_FINAL_REPORT_PYTHONPATH"] = f"{HERE}:{HERE.parent / 'app-mlperf-inference'}"
    return {"return": 0}
