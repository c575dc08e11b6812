"""Hand a finished run to the compliance tests; the tests themselves are in mlperf_compliance."""

import json
import shlex
from pathlib import Path

HERE = Path(__file__).parent
USAGE = 'cmr "run mlperf inference compliance" --result_dir=FOLDER'
REPORT = "compliance-report.json"
OPTIONS = {
    "--scenario": "CM_MLPERF_COMPLIANCE_SCENARIO",
    "--dtype": "CM_MLPERF_COMPLIANCE_DTYPE",
    "--accuracy_script": "CM_MLPERF_COMPLIANCE_ACCURACY_SCRIPT",
    "--eos_token_id": "CM_MLPERF_COMPLIANCE_EOS_TOKEN_ID",
}


def preprocess(i):
    env = i["env"]
    given = str(env.get("CM_MLPERF_COMPLIANCE_RUN_DIR") or "")
    if not given:
        return {"return": 1, "error": "no finished run was given", "hint": USAGE}
    folder = (Path(env.get("CM_TMP_CURRENT_PATH") or ".") / Path(given).expanduser()).absolute()
    if not folder.is_dir():
        return {"return": 1, "error": f"there is no folder {folder}", "hint": f"{USAGE}; ls cm4bench-results"}
    report = Path(env.get("CM_TMP_CURRENT_PATH") or ".").absolute() / REPORT
    env["CM_MLPERF_COMPLIANCE_REPORT"] = str(report)
    env["CM_MLPERF_COMPLIANCE_ARGUMENTS"] = shlex.join([*arguments(env, folder), f"--report={report}"])
    packages = (HERE, HERE.parent / "app-mlperf-inference")
    env["CM_MLPERF_COMPLIANCE_PYTHONPATH"] = ":".join(map(str, packages))
    return {"return": 0}


def postprocess(i):
    report = Path(i["env"]["CM_MLPERF_COMPLIANCE_REPORT"])
    failed = json.loads(report.read_bytes())
    report.unlink()
    if not failed:
        return {"return": 0}
    named = dict.fromkeys(f"{scenario} {test}" for scenario, test, _ in failed)
    scenario, test, check = failed[0]
    cause = f"not passed: {', '.join(named)}; {scenario} {test}, {check['name']}: {check['said']}"
    return {"return": 1, "error": cause, "hint": check["advice"]}


def arguments(env, folder):
    """The command line of `python -m mlperf_compliance run`."""
    tests = [word.strip().upper() for word in str(env.get("CM_MLPERF_COMPLIANCE_TEST") or "").split(",")]
    chosen = [word for name in tests if name for word in ("--test", name)]
    options = [f"{flag}={env[key]}" for flag, key in OPTIONS.items() if env.get(key) not in (None, "")]
    return [str(folder), *chosen, *options]
