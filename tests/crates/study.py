"""A small real study in a repository of its own: a cached data set, and a script that measures and stores a record."""

from __future__ import annotations

from pathlib import Path

from tests.workbench import ROOT, CommandLine, RepoBuilder

MEASURE = """
import hashlib, os, platform, secrets, sys, time
from datetime import datetime, timezone
from pathlib import Path

sys.path.append(os.environ["STUDY_RECORDS"])


def postprocess(i):
    from cm4bench_results import Figure, FileHash, Host, LoadgenRun, Quality, Request, ResultRecord, ResultStore
    from cm4bench_results import Subject, Validity
    from cm4bench_results.store import default_results_dir, new_run_id

    env = i["env"]
    store = ResultStore(default_results_dir(env, Path(env["CM_TMP_CURRENT_PATH"])))
    data = Path(env["CM_SAMPLES_FILE"]).read_bytes()
    until, count = time.perf_counter() + float(env["CM_STUDY_SECONDS"]), 0
    began = time.perf_counter()
    while time.perf_counter() < until:
        digest = hashlib.sha256(data).hexdigest()
        count += 1
    rate = count / (time.perf_counter() - began)
    name = f"{new_run_id('hashing')}/offline"
    folder = store.folder(name)
    (folder / "performance").mkdir(parents=True)
    log = folder / "performance" / "study.log"
    log.write_text(f"sha256 {digest}\\ncount {count}\\nlogin {env.get('CM_STUDY_TOKEN', '')}\\n")
    files = (FileHash("performance/study.log", log.stat().st_size, hashlib.sha256(log.read_bytes()).hexdigest()),)
    run = LoadgenRun(
        "performance", Validity(True), {"seconds": env["CM_STUDY_SECONDS"]},
        (Figure("samples per second", rate, "samples/s"),), files=files,
    )
    options = {key: value for key, value in i["input"].items() if isinstance(value, str)}
    record = ResultRecord(
        name, datetime.now(timezone.utc).isoformat(timespec="seconds"),
        Request(tuple(sys.argv[1:]), ("measure", "hashing"), tuple(i["variation_tags"]), options),
        Subject("hashing", "sha256", "Offline", "hashlib", "cpu", "int8"), "synthetic", "demonstration",
        Host(platform.system(), platform.machine(), os.cpu_count(), 0, platform.python_version()), (run,),
        Quality("digest", float(int(digest[:8], 16)), "", 1), versions={"hashlib": platform.python_version()},
    )
    print("record:", store.save(record))
    return {"return": 0}
"""


def make_repository(path: Path) -> Path:
    """Write the study's repository of scripts."""
    repo = RepoBuilder(path)
    repo.script(
        "get-samples",
        tags="get,dataset,samples",
        cache=True,
        default_env={"CM_SAMPLES_COUNT": "1000"},
        run='seq "$CM_SAMPLES_COUNT" > samples.txt\necho "CM_SAMPLES_FILE=$PWD/samples.txt" > tmp-run-env.out',
        outputs={"CM_SAMPLES_FILE": {"type": "file", "help": "one number a line"}},
    )
    repo.script(
        "measure-hashing",
        tags="measure,hashing",
        customize=MEASURE,
        default_env={"CM_STUDY_SECONDS": "0.05"},
        input_mapping={"results_dir": "CM_MLPERF_RESULTS_DIR", "study_token": "CM_STUDY_TOKEN"},
        deps=[{"tags": "get,dataset,samples", "names": ["samples"]}],
    )
    (path / "LICENSE").write_text("MIT License\n\nCopyright\n")
    return path


def clone(base: Path, repository: Path) -> CommandLine:
    """A machine of its own as far as CM can tell: an empty home with cm4bench and the study's repository."""
    base.mkdir(parents=True, exist_ok=True)
    line = CommandLine(base)
    line.env["STUDY_RECORDS"] = str(ROOT / "automation" / "experiment")
    for path in (ROOT, repository):
        done = line("cm", "add", "repo", f"--path={path}")
        assert done.returncode == 0, done.stderr + done.stdout
    return line
