"""The five scripts: what they say when something is missing, and what they start."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mlperf_power import PowerError, check
from mlperf_power.launch import client_command, server_command
from mlperf_power.settings import read_settings
from mlperf_power.wrapping import adopt, wrap
from tests.power.conftest import HERE, LOADGEN, PATIENCE_S, SIMULATOR, Rig, TimeServer, free_port
from tests.workbench import ROOT, Bench, CommandLine

from cm4bench import Repo


def hooks(name: str) -> ModuleType:
    path = ROOT / "script" / name / "customize.py"
    spec = importlib.util.spec_from_file_location(f"{name}_customize".replace("-", "_"), path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prepare(name: str, folder: Path, **env: str) -> tuple[dict[str, Any], dict[str, str]]:
    given = {"CM_TMP_CURRENT_PATH": str(folder), **env}
    return hooks(name).preprocess({"env": given}), given


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Bench(tmp_path / "CM", Repo("cm4bench", ROOT, "c4be0c1d2f7a4e63", "", True))


@pytest.mark.parametrize(
    "tags",
    [
        "get,spec,ptd,_simulator",
        "run,mlperf,power,server,_simulated",
        "run,mlperf,power,client",
        "check,mlperf,power",
        "run,mlperf,power,analyzer-simulator",
    ],
)
def test_each_is_found_by_its_tags_and_can_be_planned(ours: Bench, tags: str) -> None:
    assert ours.plan(tags).steps


class TestPtdaemon:
    def prepare(self, folder: Path, **env: str) -> tuple[dict[str, Any], dict[str, str]]:
        return prepare("get-spec-ptd", folder, CM_SPEC_PTD_ORIGIN="licensed", **env)

    def test_it_is_never_fetched_but_said_how_to_come_by(self, tmp_path: Path) -> None:
        result, _ = self.prepare(tmp_path)
        assert result["error"] == "PTDaemon was not given"
        assert "Power working group" in result["hint"] and "--ptd_path=FILE" in result["hint"]

    def test_a_path_of_ones_own(self, tmp_path: Path) -> None:
        (tmp_path / "ptd").write_text("")
        result, _ = self.prepare(tmp_path, CM_MLPERF_PTD_PATH="ptd")
        assert "may not be executed" in result["error"] and result["hint"] == f"chmod +x {tmp_path / 'ptd'}"
        (tmp_path / "ptd").chmod(0o755)
        result, env = self.prepare(tmp_path, CM_INPUT="ptd")
        assert result == {"return": 0} and env["CM_SPEC_PTD_PATH"] == str(tmp_path / "ptd")

    def test_no_such_path(self, tmp_path: Path) -> None:
        assert "there is no PTDaemon at" in self.prepare(tmp_path, CM_MLPERF_PTD_PATH="nothing")[0]["error"]

    def test_a_clone_of_ones_own(self, tmp_path: Path) -> None:
        assert "holds neither PTD/binaries" in self.prepare(tmp_path, CM_MLPERF_POWER_SOURCE=".")[0]["error"]
        program = tmp_path / "PTD" / "binaries" / "ptd-linux-x86"
        program.parent.mkdir(parents=True)
        program.write_text("")
        program.chmod(0o755)
        result, env = self.prepare(tmp_path, CM_MLPERF_POWER_SOURCE=".")
        assert result == {"return": 0} and env["CM_MLPERF_PTD_PATH"] == str(program)

    def test_the_simulator(self, tmp_path: Path) -> None:
        _, env = prepare("get-spec-ptd", tmp_path, CM_SPEC_PTD_ORIGIN="simulator")
        assert env["CM_MLPERF_PTD_PATH"] == str(SIMULATOR)


OPTIONS = {
    "CM_MLPERF_POWER_NTP_SERVER": "t",
    "CM_MLPERF_POWER_SERVER_ADDRESS": "0.0.0.0",
    "CM_MLPERF_POWER_SERVER_PORT": "4950",
    "CM_MLPERF_POWER_NETWORK_PORT_START": "8888",
    "CM_MLPERF_POWER_DEVICE_TYPE": "77",
    "CM_MLPERF_POWER_DEVICE_PORT": "C2PH13047V",
    "CM_MLPERF_POWER_INTERFACE_FLAG": "-y",
    "CM_MLPERF_POWER_SESSION_DIR": "sessions",
    "CM_MLPERF_PTD_PATH": "/opt/p t d",
}


class TestServer:
    def test_options_become_a_file(self, tmp_path: Path) -> None:
        result, env = prepare("run-mlperf-power-server", tmp_path, **OPTIONS, CM_MLPERF_POWER_CHANNEL="1,2")
        assert result == {"return": 0}
        settings = read_settings(Path(env["CM_MLPERF_POWER_SERVER_CONF"]))
        command = settings.analyzers[0].command(settings.ptd, Path("l"))
        assert command == ["/opt/p t d", *["-l", "l", "-p", "8888", "-c", "1,2", "-y", "77", "C2PH13047V"]]
        assert settings.out_dir == tmp_path / "sessions"

    def test_a_wrong_option_is_said_before_anything_starts(self, tmp_path: Path) -> None:
        result, _ = prepare("run-mlperf-power-server", tmp_path, **OPTIONS)
        assert result["return"] == 1 and "channel: WT330, several channels needs 2 number" in result["error"]

    def test_a_file_of_ones_own(self, tmp_path: Path) -> None:
        result, _ = prepare("run-mlperf-power-server", tmp_path, CM_MLPERF_POWER_SERVER_CONF_FILE="no.conf")
        assert "no.conf cannot be read" in result["error"]


class TestClient:
    def test_no_command(self, tmp_path: Path) -> None:
        result, _ = prepare("run-mlperf-power-client", tmp_path)
        assert result["error"] == "no command to measure was given" and "--command=" in result["hint"]

    def test_paths_are_those_of_the_user(self, tmp_path: Path) -> None:
        places = {"CM_MLPERF_LOADGEN_LOGS_DIR": "lg", "CM_MLPERF_POWER_LOG_DIR": "out"}
        _, env = prepare("run-mlperf-power-client", tmp_path, CM_MLPERF_RUN_CMD="true", **places)
        assert env["CM_MLPERF_LOADGEN_LOGS_DIR"] == str(tmp_path / "lg")
        assert env["CM_MLPERF_POWER_OUTPUT_DIR"] == str(tmp_path / "out")


def test_a_check_without_a_folder(tmp_path: Path) -> None:
    assert "no folder of a power measurement" in prepare("check-mlperf-power", tmp_path)[0]["error"]


class TestWrapping:
    def test_a_command_line_becomes_another(self, tmp_path: Path) -> None:
        words = wrap(["run", "a b", "it's"], tmp_path, "h", "t", "--port=1")
        assert words[:4] == [sys.executable, "-m", "mlperf_power", "wrap"]
        assert words[-5:] == ["--port=1", "--", "run", "a b", "it's"]

    def test_the_measurement_is_put_beside_the_run(self, rig: Rig) -> None:
        rig.serve()
        performance = rig.folder / "perf"
        fake = [sys.executable, str(HERE / "fakeload.py"), str(performance / "run_1"), "0.2"]
        words = wrap(fake, performance, "127.0.0.1", rig.ntp, f"--port={rig.port}")
        subprocess.run(words, env=rig.environment, check=True, timeout=PATIENCE_S)
        assert sorted(path.name for path in performance.iterdir()) == ["power", "ranging", "run_1"]
        found = {finding.rule for finding in check(performance)}
        assert found == {"client-sources", "server-sources", "simulated", "debug"}

    @pytest.mark.parametrize(
        ("name", "says"), [("run_1/mlperf_log_detail.txt", "not the one that was measured"), ("power/x", "of another")]
    )
    def test_another_run_is_not_dressed_up(self, tmp_path: Path, name: str, says: str) -> None:
        for folder in (tmp_path / "run_1", tmp_path / "measured" / "run_1"):
            folder.mkdir(parents=True)
            for log in ("mlperf_log_detail.txt", "mlperf_log_summary.txt"):
                (folder / log).write_text("log")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("other")
        with pytest.raises(PowerError, match=says):
            adopt(tmp_path)
        assert not (tmp_path / "run_1" / "spl.txt").exists()

    def test_power_devs_own_programs(self, tmp_path: Path) -> None:
        from mlperf_power.client import ClientSettings

        settings = ClientSettings("h", "t", "run it", Path("lg"), Path("out"), label="l", fixed_ranges=("230", "2"))
        with pytest.raises(PowerError, match="no checkout of power-dev"):
            client_command(tmp_path, settings, "python")
        (tmp_path / "ptd_client_server").mkdir()
        for name in ("client.py", "server.py"):
            (tmp_path / "ptd_client_server" / name).touch()
        client = client_command(tmp_path, settings, "python")
        given = " ".join(word if word != "run it" else "run_it" for word in client[2:])
        assert given == "-a h -p 4950 -n t -w run_it -L lg -o out -T -l l -V 230 -A 2"
        assert server_command(tmp_path, Path("/c"), "python")[2:] == ["-c", "/c"]


@pytest.mark.slow
def test_server_client_and_check_through_cmr(tmp_path: Path, clock: TimeServer) -> None:

    line = CommandLine(tmp_path)
    assert line("cm", "add", "repo", f"--path={ROOT}").returncode == 0
    port, ptd_port = free_port(), free_port()
    place = ["--ntp_server=" + clock.address, f"--port={port}"]
    tool = str(Path(sys.executable).parent / "cmr")
    words = [tool, "run mlperf power server _simulated", *place, "--host=127.0.0.1", "--settle=0.2"]
    environment = {**line.env, "ANALYZER_SIMULATOR": "--sample-ms 50 --range-delay 0"}
    log = (tmp_path / "server.out").open("w")
    server = subprocess.Popen([*words, f"--ptd_port={ptd_port}"], cwd=line.cwd, env=environment, stdout=log, stderr=log)
    try:
        while "ready for clients" not in (tmp_path / "server.out").read_text():
            assert server.poll() is None, (tmp_path / "server.out").read_text()
        where = [*place, "--power_server=127.0.0.1", "--loadgen_logs_dir=logs", "--log_dir=out", "--stop_server"]
        done = line("cmr", "run mlperf power client", f"--command={LOADGEN}", *where)
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.wait(60) == 0
    finally:
        server.kill()
    checked = line("cmr", "check mlperf power", "--power_dir=out", "--scenario=SingleStream")
    assert '"unit": "mJ/query"' in checked.stdout and "4 errors, 0 warnings" in checked.stdout
