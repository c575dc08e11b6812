"""Our verdict beside the official checker's on public power results.

Takes a folder of the v4.1 results repository from POWER_RESULTS, and that round's tools/submission/power/ (with
power_checker.py and sources_checksums.json) from POWER_CHECKER.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlperf_power import check, metric

RESULTS = Path(os.environ.get("POWER_RESULTS", "/nowhere"))
CHECKER = Path(os.environ.get("POWER_CHECKER", "/nowhere")) / "power_checker.py"
MEASURED = sorted(path.parent for path in RESULTS.rglob("power") if (path / "server.json").is_file())
BENT = {
    "as it is": lambda folder: None,
    "another sample": lambda folder: replace(folder / "run_1" / "spl.txt", "Watts,", "Watts,1"),
    "another session": lambda folder: replace(
        folder / "power" / "client.json", '"session_name": "', '"session_name": "x'
    ),
    "an error in the log": lambda folder: replace(folder / "power" / "ptd_logs.txt", "Connected to", "ERROR: to"),
    "no log": lambda folder: (folder / "power" / "server.log").unlink(),
    "another reply": lambda folder: replace(folder / "power" / "server.json", "Range A changed", "Error"),
}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (MEASURED and CHECKER.is_file()), reason="set POWER_RESULTS and POWER_CHECKER"),
]


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("bent", BENT)
@pytest.mark.parametrize("folder", MEASURED, ids=lambda path: "-".join(path.parts[-4:-1]))
def test_the_verdict_is_the_official_checkers(tmp_path: Path, folder: Path, bent: str) -> None:
    copy = shutil.copytree(folder, tmp_path / "performance")
    BENT[bent](copy)
    theirs = subprocess.run([sys.executable, str(CHECKER), str(copy)], capture_output=True).returncode
    ours = any(finding.severity == "error" for finding in check(copy, "v4.1"))
    assert ours == bool(theirs)
    if bent == "as it is":
        assert not ours and metric(copy, folder.parent.name).watts > 0
