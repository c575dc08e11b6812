"""Side by side with power-dev: its programs against our simulator and ours, its checker on what ours leave.

Takes a checkout of github.com/mlcommons/power-dev from the variable POWER_DEV; the time server needs port 123, since
power-dev's client asks no other. Each test takes a minute: power-dev rests ten seconds before and after each run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlperf_power import check
from mlperf_power.record import own_sources
from tests.power.conftest import LOADGEN, PATIENCE_S, Rig
from tests.power.timeserver import TimeServer

POWER_DEV = Path(os.environ.get("POWER_DEV", "/nowhere"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (POWER_DEV / "compliance").is_dir(), reason="set POWER_DEV to a checkout of power-dev"),
]
RESTS = 10.0


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    try:
        clock = TimeServer(port=123)
    except OSError as error:
        pytest.skip(f"no time server can be had on port 123: {error}")
    made = Rig(tmp_path, "127.0.0.1")
    yield made
    made.close()
    clock.close()


def power_dev_serves(rig: Rig) -> None:
    """power-dev's server, started by ours, on settings that both understand."""
    conf = rig.conf()
    conf.write_text(conf.read_text().replace(f"outDir: {rig.sessions}\n", ""))
    words = [sys.executable, "-m", "mlperf_power", "server", str(conf), "--power-dev", str(POWER_DEV)]
    environment = {**rig.environment, "ANALYZER_SIMULATOR": "--sample-ms 50 --range-delay 0.05"}
    log = (rig.folder / "server.out").open("w")
    rig._server = subprocess.Popen(words, env=environment, stdout=log, stderr=log, text=True)
    rig.wait_for("Ready to accept connections")


def upstream_says(folder: Path, checker: Path = POWER_DEV / "compliance" / "check.py") -> tuple[int, str]:
    """How many of the eleven checks passed, and the last line."""
    done = subprocess.run([sys.executable, str(checker), str(folder)], capture_output=True, text=True)
    return done.stderr.count("[x]"), done.stderr.strip().splitlines()[-1]


def test_their_client_and_server_with_our_simulator(rig: Rig) -> None:
    power_dev_serves(rig)
    done = rig.measure(LOADGEN, "out", "--power-dev", str(POWER_DEV), "--stop-server")
    assert done.returncode == 0, done.stdout + done.stderr
    assert upstream_says(rig.folder / "out") == (11, "All checks passed")
    assert {finding.rule for finding in check(rig.folder / "out")} == {"simulated"}


def test_our_client_and_server_are_objected_to_for_their_sources_alone(rig: Rig) -> None:
    rig.serve(settle=RESTS)
    done = rig.measure(LOADGEN, "out", "--stop-server")
    assert done.returncode == 0, done.stdout + done.stderr
    assert upstream_says(rig.folder / "out")[0] == 9
    told = shutil.copytree(POWER_DEV / "compliance", rig.folder / "compliance")
    (told / "sources_checksums.json").write_text(json.dumps([own_sources()]))
    assert upstream_says(rig.folder / "out", told / "check.py") == (11, "All checks passed")


def test_their_client_with_our_server(rig: Rig) -> None:
    rig.serve()
    done = rig.measure(LOADGEN, "out", "--power-dev", str(POWER_DEV), "--stop-server")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (rig.folder / "out/run_1/ptd_out.txt").read_text().startswith("Analyzer 1:\nPower: Watts,")
    assert {finding.rule for finding in check(rig.folder / "out")} == {"server-sources", "simulated", "debug"}


def test_our_client_with_their_server(rig: Rig) -> None:
    power_dev_serves(rig)
    done = rig.measure(LOADGEN, "out", "--stop-server")
    assert done.returncode == 0, done.stdout + done.stderr
    assert rig._server is not None and rig._server.wait(PATIENCE_S) == 0
    assert {finding.rule for finding in check(rig.folder / "out")} == {"client-sources", "simulated"}


@pytest.mark.parametrize(
    ("device", "more", "passed"),
    [("77", "channel: 1,3\n", 11), ("549", "dcFlag: -D\n", 11)],
    ids=["channels", "dc"],
)
def test_their_server_with_other_simulated_meters(rig: Rig, device: str, more: str, passed: int) -> None:
    text = rig.conf().read_text().replace("deviceType: 49\n", f"deviceType: {device}\n{more}")
    rig.conf = lambda: _written(rig.folder / "server.conf", text)  # type: ignore[method-assign]
    power_dev_serves(rig)
    done = rig.measure(LOADGEN, "out", "--power-dev", str(POWER_DEV), "--stop-server")
    assert done.returncode == 0, done.stdout + done.stderr
    assert upstream_says(rig.folder / "out")[0] == passed


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("fault", ["uncertain", "negative", "debris"])
def test_both_checkers_object_to_the_same_faults(rig: Rig, fault: str) -> None:
    """Uncertain samples are the exception: power-dev compares seconds with 800 ms, so a short run slips through."""
    rig.serve(f"--fault {fault}", settle=RESTS)
    done = rig.measure(LOADGEN.replace("logs 0.6", "logs 3"), "out", "--stop-server")
    assert done.returncode == 0, done.stdout + done.stderr
    told = shutil.copytree(POWER_DEV / "compliance", rig.folder / "compliance")
    (told / "sources_checksums.json").write_text(json.dumps([own_sources()]))
    ours = {finding.rule for finding in check(rig.folder / "out")} - {"client-sources", "server-sources", "simulated"}
    passed, _ = upstream_says(rig.folder / "out", told / "check.py")
    expected = {"uncertain": ({"ptd-log"}, 11), "negative": ({"average-power"}, 11), "debris": ({"ptd-log"}, 10)}
    assert (ours, passed) == expected[fault]
