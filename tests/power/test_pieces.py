"""Wire, clocks, settings, samples, loadgen's logs and the figure, each alone."""

import socket
import threading
from pathlib import Path

import pytest
from mlperf_power import clocks
from mlperf_power.errors import ConnectionLost, PowerError
from mlperf_power.figure import metric
from mlperf_power.loadgenlogs import find_run, read_window
from mlperf_power.samples import merge, moment, peaks, read_sample
from mlperf_power.settings import read_settings
from mlperf_power.wire import LONGEST_LINE, Lines
from tests.power.timeserver import TimeServer


def connected() -> tuple[Lines, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    return Lines(ours, "the peer", 0.3), theirs


class TestWire:
    def test_lines_end_with_lf_or_crlf(self):
        lines, peer = connected()
        peer.sendall(b"one\r\ntwo\nthr")
        assert [lines.receive(), lines.receive()] == ["one", "two"]
        peer.sendall(b"ee\r\n")
        assert lines.receive() == "three"
        lines.send("four")
        assert peer.recv(100) == b"four\r\n"

    def test_silence_ends(self):
        lines, _peer = connected()
        with pytest.raises(ConnectionLost, match=r"the peer did not answer within 0.3 s"):
            lines.receive()

    def test_a_closed_connection_is_told(self):
        lines, peer = connected()
        peer.close()
        with pytest.raises(ConnectionLost, match="the peer closed the connection"):
            lines.receive()

    def test_a_line_without_end_is_given_up(self):
        lines, peer = connected()
        threading.Thread(target=lambda: peer.sendall(b"x" * (LONGEST_LINE + 100_000)), daemon=True).start()
        with pytest.raises(ConnectionLost, match="without a line end"):
            lines.receive()
        lines.close()

    def test_files_arrive_as_they_were(self, tmp_path: Path):
        lines, peer = connected()
        (tmp_path / "sent").write_bytes(b"\r\n0\n" * 600_000)
        thread = threading.Thread(target=lambda: Lines(peer, "", 5).send_file(tmp_path / "sent"))
        thread.start()
        lines.receive_file(tmp_path / "got")
        thread.join()
        assert (tmp_path / "got").read_bytes() == (tmp_path / "sent").read_bytes()

    @pytest.mark.parametrize("sent", [b"100\r\nshort", b"Error: no\r\n", b"-1\r\n"])
    def test_half_a_file_is_none(self, tmp_path: Path, sent: bytes):
        lines, peer = connected()
        peer.sendall(sent)
        peer.close()
        with pytest.raises(ConnectionLost):
            lines.receive_file(tmp_path / "got")
        assert not (tmp_path / "got").exists()


class TestClocks:
    @pytest.mark.parametrize("skew", [0.0, 0.25, -0.25])
    def test_the_offset_is_the_servers(self, skew: float):
        server = TimeServer(skew=skew)
        assert clocks.require_ntp(server.address).seconds == pytest.approx(skew, abs=0.1)
        server.close()

    @pytest.mark.parametrize("skew", [1.0, -1.0, 86400.0])
    def test_too_much_is_refused_with_the_command_to_type(self, skew: float):
        server = TimeServer(skew=skew)
        with pytest.raises(PowerError, match="the limit is 400 ms") as caught:
            clocks.require_ntp(server.address)
        assert "sudo ntpdate -b 127.0.0.1" in caught.value.hint
        server.close()

    @pytest.mark.parametrize(
        ("fault", "says"),
        [
            ({"silent": True}, "it does not answer"),
            ({"short": True}, "its answer has 20 bytes"),
            ({"stratum": 0}, "not that of a synchronised"),
            ({"stratum": 16}, "not that of a synchronised"),
        ],
    )
    def test_what_is_no_time_is_refused(self, fault: dict, says: str):
        server = TimeServer(**fault)
        with pytest.raises(PowerError, match=says):
            clocks.ask_ntp(server.address, patience=0.2)
        server.close()

    def test_an_unknown_host(self):
        with pytest.raises(PowerError, match=r"no time from the NTP server nowhere\.invalid"):
            clocks.ask_ntp("nowhere.invalid")

    @pytest.mark.parametrize("ahead", [0.6, -0.6])
    def test_client_and_server_must_agree(self, ahead: float):
        import time

        with pytest.raises(PowerError, match=r"differ by -?\d+ ms; the limit is 400 ms"):
            clocks.require_close(lambda: time.time() + ahead)
        assert clocks.require_close(time.time) <= 0.4

    def test_a_late_answer_is_no_clock_that_is_off(self):
        import time

        late = iter([0.6, 0.0])
        assert abs(clocks.require_close(lambda: time.time() - next(late))) <= 0.4


CONF = """[server]
ntpServer: time.example
listen: 127.0.0.1 4950
[ptd]
ptd: /opt/ptd
analyzerCount: 2
[analyzer1]
networkPort: 8888
deviceType: 77
interfaceFlag: -U
devicePort: C2PH13047V
channel: 1,2
[analyzer2]
networkPort: 8889
deviceType: 549
interfaceFlag: -g
devicePort: 0
dcFlag: -D
gpibBoard: 3
"""


class TestSettings:
    def read(self, folder: Path, text: str):
        (folder / "server.conf").write_text(text)
        return read_settings(folder / "server.conf")

    def test_the_command_lines_are_those_of_ptdaemon(self, tmp_path: Path):
        one, two = self.read(tmp_path, CONF).analyzers
        assert one.command("/opt/ptd", Path("l")) == [
            "/opt/ptd",
            "-l",
            "l",
            "-p",
            "8888",
            "-c",
            "1,2",
            "-U",
            "77",
            "C2PH13047V",
        ]
        assert two.command("/opt/ptd", Path("l")) == [
            "/opt/ptd",
            "-l",
            "l",
            "-p",
            "8889",
            "-b",
            "3",
            "-D",
            "-g",
            "549",
            "0",
        ]

    def test_keys_of_the_only_analyzer_may_stand_under_ptd(self, tmp_path: Path):
        old = "[server]\nntpServer: t\n[ptd]\nptd: p\ndeviceType: 49\ninterfaceFlag:\ndevicePort: COM1\n"
        assert self.read(tmp_path, old).analyzers[0].command("p", Path("l")) == [
            "p",
            "-l",
            "l",
            "-p",
            "8888",
            "49",
            "COM1",
        ]

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("ntpServer: time.example", "", r"\[server\] ntpServer: is missing"),
            ("ptd: /opt/ptd", "", r"\[ptd\] ptd: is missing"),
            ("deviceType: 77", "deviceType: WT310", r"\[analyzer1\] deviceType: 'WT310' cannot be used"),
            ("deviceType: 77", "deviceType: 12", "12 is no analyzer this server knows"),
            ("channel: 1,2", "", r"channel: WT330, several channels needs 2 number"),
            ("deviceType: 549", "deviceType: 49\nchannel: 1,2", "takes one number or none"),
            ("listen: 127.0.0.1 4950", "listen: 4950", r"\[server\] listen: '4950' cannot be used"),
            ("listen: 127.0.0.1 4950", "listen: localhost 4950", "cannot be used"),
            ("networkPort: 8889", "networkPort: 99999", "a port is a number from 1 to 65535"),
            ("networkPort: 8889", "networkPort: 8888", "two analyzers have the same networkPort"),
            ("dcFlag: -D", "dcFlga: -D", r"dcflga: is not known; known are channel, dcflag"),
            ("analyzerCount: 2", "analyzerCount: 0", "0 is not a number of analyzers"),
            ("analyzerCount: 2", "analyzerCount: 3", r"\[analyzer3\] deviceType: is missing"),
            ("listen:", "rangingMode: BEST\nlisten:", "AUTO or MAX is asked for"),
            ("[server]", "server", "is no INI file"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path: Path, old: str, new: str, says: str):
        assert old in CONF
        with pytest.raises(PowerError, match=says) as caught:
            self.read(tmp_path, CONF.replace(old, new))
        assert caught.value.hint

    def test_no_file_and_no_text(self, tmp_path: Path):
        (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
        for name in ("nothing", "binary"):
            with pytest.raises(PowerError, match="cannot be read"):
                read_settings(tmp_path / name)


LINE = "Time,07-25-2024 10:58:47.252,Watts,521.1,Volts,118.8,Amps,4.413,PF,0.994"


class TestSamples:
    def test_the_mark_is_put_where_ptdaemon_logs_it(self):
        assert read_sample(LINE).line("s_testing") == f"{LINE},Mark,s_testing"

    def test_channels_get_their_numbers(self):
        quantities = ",Watts,1,Volts,2,Amps,3,PF,0.5"
        logged = read_sample(LINE + quantities * 2).line("m", first_channel=2)
        assert logged == f"{LINE},Mark,m,Ch2{quantities},Ch3{quantities}"

    @pytest.mark.parametrize(
        "line", ["", "Time", LINE[:-9], LINE.replace("521.1", "x"), LINE.replace("07-25", "25-07")]
    )
    def test_what_is_none_is_refused(self, line: str):
        with pytest.raises(PowerError, match="a line that is not a sample"):
            read_sample(line)

    def test_peaks_are_of_the_sum_and_the_chosen_channels(self):
        sample = read_sample(LINE + ",Watts,1,Volts,300,Amps,1,PF,1" + ",Watts,1,Volts,2,Amps,9,PF,1")
        assert peaks([sample], 0, 0) == (118.8, 4.413)
        assert peaks([sample], 2, 1) == (118.8, 9)
        assert peaks([sample], 1, 2) == (300, 9)

    def test_meters_that_were_off_add_nothing_and_wrong_wiring_does(self):
        lines = [read_sample(LINE.replace("521.1", watts)).line("m") for watts in ("100", "-50", "-1")]
        merged = merge([[line] for line in lines])
        assert merged[0].split(",")[:4] == ["Time", "07-25-2024 10:58:47.252", "Watts", "150.000000"]
        assert merged[0].split(",")[11] == "m"

    def test_the_shortest_log_decides(self):
        line = read_sample(LINE).line("m")
        assert len(merge([[line] * 3, [line] * 2])) == 2


def write_run(folder: Path, watts: list[str], **changes) -> Path:
    """A run of ten seconds with a sample at each of its seconds, both ends included."""
    import json

    values = {
        "power_begin": "07-25-2024 10:00:00.000",
        "power_end": "07-25-2024 10:00:10.000",
        "effective_scenario": "SingleStream",
        "result_query_count": 100,
        "result_samples_per_second": 50.0,
    } | changes
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        ":::MLLOG " + json.dumps({"key": key, "value": value}) for key, value in values.items() if value is not None
    ]
    (folder / "mlperf_log_detail.txt").write_text("\n".join(["# other text", *lines]) + "\n")
    spl = (f"Time,07-25-2024 10:00:{n:02d}.000,Watts,{w},Volts,1,Amps,1,PF,1,Mark,m\n" for n, w in enumerate(watts))
    (folder / "spl.txt").write_text("".join(spl))
    return folder


# Both ends are outside: only 100 and 200 count, and not what is below zero.
WATTS = ["900", "100", "200", "-50", "0", "100", "200", "100", "200", "nan", "900"]


class TestFigure:
    def test_watts(self, tmp_path: Path):
        figure = metric(write_run(tmp_path / "run_1", WATTS).parent, "offline")
        assert (figure.value, figure.unit, figure.samples) == (150, "W", 6)
        assert figure.samples_per_joule == pytest.approx(50 / 150)
        assert figure.joules == 1500

    def test_another_unit_of_performance(self, tmp_path: Path):
        assert metric(write_run(tmp_path, WATTS), "Offline", performance=3000).samples_per_joule == 20

    def test_a_scenario_whose_rate_the_log_lacks(self, tmp_path: Path):
        assert metric(write_run(tmp_path, WATTS), "Server").samples_per_joule is None

    def test_millijoules_per_query(self, tmp_path: Path):
        figure = metric(write_run(tmp_path, WATTS), "SingleStream")
        assert (figure.value, figure.unit) == (pytest.approx(150 * 10 * 1000 / 100), "mJ/query")
        assert figure.samples_per_joule == pytest.approx(1 / 15)

    def test_multistream_and_multistream_inferred_from_singlestream(self, tmp_path: Path):
        real = metric(write_run(tmp_path, WATTS, effective_scenario="MultiStream"), "MultiStream")
        inferred = metric(write_run(tmp_path, WATTS), "MultiStream")
        assert not real.inferred and inferred.inferred
        assert inferred.value == pytest.approx(8 * real.value)
        assert real.samples_per_joule == pytest.approx(8 * 1000 / real.value)

    @pytest.mark.parametrize(
        ("watts", "changes", "scenario", "says"),
        [
            (["-1"] * 11, {}, "Offline", "no power sample within the measured part"),
            (WATTS, {"power_end": None}, "Offline", "does not say when the measured part began and ended"),
            (WATTS, {"power_end": "soon"}, "Offline", "does not say when the measured part began and ended"),
            (WATTS, {"result_query_count": 0}, "SingleStream", "how many queries"),
            (WATTS, {"result_query_count": "many"}, "SingleStream", "not a number"),
            (WATTS, {}, "Sideways", "'Sideways' is no scenario"),
            (["1", "x"], {}, "Offline", r"spl.txt:2 is not a sample"),
        ],
    )
    def test_what_gives_no_figure(self, tmp_path: Path, watts: list[str], changes: dict, scenario: str, says: str):
        with pytest.raises(PowerError, match=says):
            metric(write_run(tmp_path, watts, **changes), scenario)

    def test_no_files(self, tmp_path: Path):
        with pytest.raises(PowerError, match="cannot be read: No such file"):
            metric(tmp_path, "Offline")


class TestLoadgenLogs:
    def test_the_run_of_that_time_is_found_among_others(self, tmp_path: Path):
        write_run(tmp_path / "a", WATTS, power_begin="07-24-2024 10:00:00.000", power_end="07-24-2024 10:00:10.000")
        write_run(tmp_path / "b" / "c", WATTS)
        (tmp_path / "d").mkdir()
        (tmp_path / "d/mlperf_log_detail.txt").write_bytes(b"\xff\x00:::MLLOG {\n")
        begin = moment("07-25-2024 10:00:00.000")
        assert find_run(tmp_path, begin - 1, begin + 11) == tmp_path / "b" / "c"
        with pytest.raises(PowerError, match="found there: 3 of other runs"):
            find_run(tmp_path, begin + 1, begin + 11)

    def test_a_harnesss_own_small_runs_below_the_run_are_not_taken(self, tmp_path: Path):
        write_run(tmp_path / "run_1" / "ledger" / "null", WATTS)
        write_run(tmp_path / "run_1", WATTS)
        begin = moment("07-25-2024 10:00:00.000")
        assert find_run(tmp_path, begin - 1, begin + 11) == tmp_path / "run_1"

    def test_several_runs_are_one_too_many(self, tmp_path: Path):
        for name in ("performance", "accuracy"):
            write_run(tmp_path / name, WATTS)
        begin = moment("07-25-2024 10:00:00.000")
        with pytest.raises(PowerError, match="made 2 loadgen runs"):
            find_run(tmp_path, begin - 1, begin + 11)

    def test_cut_json_is_no_window(self, tmp_path: Path):
        (tmp_path / "log").write_text(':::MLLOG {"key": "power_begin", "value": "07-25-\n')
        with pytest.raises(PowerError, match="does not say"):
            read_window(tmp_path / "log")
