"""Client, server and simulator together, each a process of its own."""

import json
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from mlperf_power import check, metric
from tests.power.conftest import FAKE, HERE, PATIENCE_S, Rig
from tests.power.timeserver import TimeServer

LAYOUT = {
    "power/client.json", "power/client.log", "power/ptd_logs.txt", "power/server.json", "power/server.log",
    "ranging/mlperf_log_detail.txt", "ranging/mlperf_log_summary.txt", "ranging/spl.txt",
    "run_1/mlperf_log_detail.txt", "run_1/mlperf_log_summary.txt", "run_1/spl.txt",
}  # fmt: skip


def wait_until(condition):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


class TestARealRun:
    def test_it_leaves_the_files_of_a_submission_and_no_other(self, measured: Rig):
        out = measured.folder / "out"
        assert {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} == LAYOUT

    def test_all_that_speaks_against_it_is_what_we_are(self, measured: Rig):
        """The rules ask for power-dev's own programs and a real analyzer; all else is as they want it."""
        found = {finding.rule for finding in check(measured.folder / "out")}
        assert found == {"client-sources", "server-sources", "simulated", "debug"}

    def test_the_figure_is_that_of_the_simulated_load(self, measured: Rig):
        figure = metric(measured.folder / "out", "SingleStream")
        assert figure.watts == pytest.approx(120, rel=0.02)
        assert figure.unit == "mJ/query"
        assert figure.samples_per_joule == pytest.approx(1000 / figure.value)

    def test_testing_has_the_ranges_that_ranging_found(self, measured: Rig):
        said = json.loads((measured.folder / "out/power/server.json").read_text())["ptd_messages"]
        amps = [one["cmd"] for one in said if one["cmd"].startswith("SR,A")]
        peak = max(float(line.split(",")[7]) for line in (measured.folder / "out/ranging/spl.txt").open())
        assert amps == ["SR,A,Auto", "SR,A,Auto", f"SR,A,{peak * 1.1:.6f}", "SR,A,Auto"]

    def test_both_logs_tell_the_session(self, measured: Rig):
        power = measured.folder / "out/power"
        assert re.search(r"^client .* \[INFO\] session ", (power / "client.log").read_text(), re.MULTILINE)
        assert re.search(r"^ptd-server .* starting testing$", (power / "server.log").read_text(), re.MULTILINE)

    def test_the_server_ends_when_asked_to_and_keeps_nothing_that_was_delivered(self, measured: Rig):
        assert measured._server is not None and measured._server.wait(PATIENCE_S) == 0
        assert not [path for path in measured.sessions.iterdir() if path.is_dir()]


class TestTheCommand:
    def test_its_failure_in_ranging_is_told(self, rig: Rig):
        rig.serve()
        done = rig.measure(f"{FAKE} 3")
        assert done.returncode == 1
        assert "error: the command failed with exit code 3 in the ranging run" in done.stderr
        assert "Traceback" not in done.stderr + rig.said()

    def test_its_time_can_be_bounded(self, rig: Rig):
        rig.serve()
        done = rig.measure("sleep 60", "out", "--command-timeout", "0.3")
        assert "the command took longer than 0.3 s in the ranging run" in done.stderr

    def test_logs_of_another_run_are_not_taken(self, rig: Rig):
        subprocess.run(FAKE, shell=True, cwd=rig.folder, check=True)
        rig.serve()
        done = rig.measure("true")
        assert "left no loadgen log of this run in logs (found there: 1 of other runs)" in done.stderr
        assert not (rig.folder / "out" / "run_1").exists()


class TestInterruption:
    def test_ctrl_c_ends_command_and_measurement(self, rig: Rig):
        rig.serve()
        client = rig.begin("touch running; exec sleep 60")
        wait_until(lambda: (rig.folder / "running").exists())
        client.send_signal(signal.SIGINT)
        assert client.wait(PATIENCE_S) == 130
        rig.wait_for("the session ends before it was done")
        wait_until(lambda: list(rig.sessions.glob("*/power/server.json")))
        session = next(rig.sessions.glob("*/power"))
        said = [one["cmd"] for one in json.loads((session / "server.json").read_text())["ptd_messages"]]
        assert said[-3:] == ["Stop", "SR,V,Auto", "SR,A,Auto"]
        assert "Completed test" in (session / "ptd_logs.txt").read_text()

    def test_a_client_that_vanishes_makes_room_for_the_next(self, rig: Rig):
        rig.serve()
        client = rig.begin(f"{sys.executable} {HERE / 'orphan.py'} running")
        wait_until(lambda: (rig.folder / "running").exists())
        client.kill()
        client.wait()
        rig.wait_for("its logs stay in")
        assert rig.measure().returncode == 0

    def test_a_server_that_is_ended_leaves_the_analyzer_as_it_was(self, rig: Rig):
        rig.serve()
        client = rig.begin("touch running; exec sleep 0.5")
        wait_until(lambda: (rig.folder / "running").exists())
        assert rig.end(signal.SIGTERM) == 130
        assert client.wait(PATIENCE_S) == 1
        assert "the power server 127.0.0.1" in (rig.folder / "client.out").read_text()
        session = next(rig.sessions.glob("*/power"))
        said = [one["cmd"] for one in json.loads((session / "server.json").read_text())["ptd_messages"]]
        assert said[-2:] == ["SR,V,Auto", "SR,A,Auto"]

    def test_an_analyzer_that_drops_in_the_middle_is_named_and_its_logs_are_kept(self, rig: Rig):
        rig.serve("--fault drop --drop-after 0.1")
        done = rig.measure()
        assert done.returncode == 1
        assert "analyzer 1: PTDaemon has ended" in done.stderr
        assert next(rig.sessions.glob("*/power/ptd_logs.txt")).stat().st_size
        assert not (rig.folder / "out" / "power").exists()


class TestPlaces:
    def test_a_second_client_is_told_to_wait(self, rig: Rig):
        rig.serve()
        with socket.create_connection(("127.0.0.1", rig.port)) as first:
            first.sendall(b"mlcommons/power client v3\r\n")
            assert first.recv(100) == b"mlcommons/power server v3\r\n"
            done = rig.measure()
        assert "the server is busy with another client" in done.stderr

    def test_no_server(self, rig: Rig):
        done = rig.measure()
        assert done.returncode == 1
        assert "cannot be reached: Connection refused" in done.stderr
        assert 'cmr "run mlperf power server"' in done.stderr

    def test_no_power_server_but_something_else(self, rig: Rig, clock: TimeServer):
        with socket.create_server(("127.0.0.1", rig.port)) as other:
            client = rig.begin(FAKE)
            connection, _ = other.accept()
            connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
            assert client.wait(PATIENCE_S) == 1
        assert "no power server answers there, but 'SSH-2.0" in (rig.folder / "client.out").read_text()

    def test_the_port_is_taken(self, rig: Rig):
        with socket.create_server(("127.0.0.1", rig.port)), pytest.raises(AssertionError, match="cannot listen on"):
            rig.serve()

    def test_the_port_of_ptdaemon_is_taken(self, rig: Rig):
        with (
            socket.create_server(("127.0.0.1", rig.ptd_port)),
            pytest.raises(AssertionError, match=r"analyzer 1: port .* is in use"),
        ):
            rig.serve()

    def test_an_old_ptdaemon_is_refused_at_once(self, rig: Rig):
        with pytest.raises(AssertionError, match=r"none that round v6.1 accepts .*1.11.1.*1.9.2"):
            rig.serve("--fault wrong-version")

    def test_a_measurement_of_before_is_not_overwritten(self, rig: Rig):
        (rig.folder / "out/power").mkdir(parents=True)
        assert "already holds power" in rig.measure().stderr

    def test_the_output_may_not_lie_in_the_logs(self, rig: Rig):
        assert "must not lie within the loadgen logs" in rig.measure(FAKE, "logs/out").stderr


class TestClocks:
    def test_a_client_whose_clock_is_off_does_not_measure(self, rig: Rig):
        rig.serve()
        skewed = TimeServer(skew=0.7)
        rig.ntp = skewed.address
        done = rig.measure()
        skewed.close()
        assert re.search(r"this host's clock is off by \d{3} ms from .*; the limit is 400 ms", done.stderr)
        assert "sudo ntpdate" in done.stderr

    def test_nor_does_a_server(self, rig: Rig):
        skewed = TimeServer(skew=-1.0)
        rig.ntp = skewed.address
        with pytest.raises(AssertionError, match=r"the power server's clock is off by -\d+ ms"):
            rig.serve()
        skewed.close()


def test_ranges_given_by_hand_need_no_ranging_run(rig: Rig):
    rig.serve()
    done = rig.measure(FAKE, "out", "--max-volts", "300", "--max-amps", "1")
    assert done.returncode == 0, done.stderr
    assert not (rig.folder / "out/ranging").exists()
    said = json.loads((rig.folder / "out/power/server.json").read_text())["ptd_messages"]
    assert [one["cmd"] for one in said if one["cmd"].startswith("SR")][:2] == ["SR,V,300", "SR,A,1"]
