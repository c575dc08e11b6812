"""The simulator speaks as PTDaemon does: line by line, over its socket."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from analyzer_simulator.devices import DEVICES, Channels
from analyzer_simulator.load import Load, follow
from analyzer_simulator.measurement import complaints, logged, sent
from analyzer_simulator.meter import Meter, Range
from analyzer_simulator.options import Fault, read
from mlperf_power.samples import read_sample
from tests.power.conftest import PATIENCE_S, SIMULATOR, free_port

WT310 = DEVICES[49]


class Daemon:
    """A simulator process and one connection to it."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.port = free_port()
        self.log = folder / "samples.log"
        self.output = folder / "stdout"
        given = ["-l", str(self.log), "-p", str(self.port), *words, "-U"]
        environment = {**os.environ, "CM_PYTHON_BIN_WITH_PATH": sys.executable}
        device = [] if words and words[-1] == "sim0" else ["49", "sim0"]
        with self.output.open("w") as output:
            self.process = subprocess.Popen([str(SIMULATOR), *given, *device], stdout=output, env=environment)
        self.stream = self.connect().makefile("rw", newline="\r\n")

    def connect(self) -> socket.socket:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
            except ConnectionRefusedError:
                assert self.process.poll() is None and time.monotonic() < until, self.output.read_text()
                time.sleep(0.02)

    def ask(self, request: str, further: int = 0) -> str:
        self.stream.write(f"{request}\r\n")
        self.stream.flush()
        return "\n".join(self.stream.readline().rstrip("\r\n") for _ in range(1 + further))

    def measure(self, seconds: float = 0.2) -> None:
        self.ask("Go,1000,0,mark")
        time.sleep(seconds)
        self.ask("Stop")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    made: list[Daemon] = []

    def start(*words: str) -> Daemon:
        made.append(Daemon(tmp_path, "--sample-ms", "20", "--range-delay", "0", *words))
        return made[-1]

    yield start
    for one in made:
        one.close()


class TestProtocol:
    def test_a_whole_conversation(self, daemon: Callable[..., Daemon]) -> None:
        ptd = daemon()
        assert ptd.ask("Hello") == "Hello, PTDaemon here!"
        assert re.match(r"YokogawaWT310,1000,.*version=1\.11\.1-.*,OS=.*,mode=power,1,1,1,", ptd.ask("Identify"))
        assert ptd.ask("RR") == "Ranges,1,1.000000,1,300.000000"
        assert ptd.ask("Watts") == "No data"
        assert ptd.ask("SR,V,231.4") == "Range V changed"
        assert ptd.ask("SR,A,0.6") == "Range A changed"
        assert ptd.ask("RR") == "Ranges,0,1.000000,0,300.000000"  # rounded up to what the meter has
        assert ptd.ask("SR,A,21").startswith("Error: no range of this meter holds 21")
        assert ptd.ask("Stop") == "Error: no measurement to stop"
        start = "Starting untimed measurement, maximum 500000 samples at 1000ms with 0 rampup samples"
        assert ptd.ask("Go,1000,0,mark") == start
        time.sleep(0.2)
        assert ptd.ask("Watts").startswith("Watts,1")
        assert ptd.ask("Stop") == "Stopping untimed measurement"
        assert ptd.ask("RL,*,*") == "Invalid number of parameters"
        count = int(re.fullmatch(r"Last (\d+) samples", ptd.ask("RL"))[1])
        samples = [read_sample(ptd.stream.readline()) for _ in range(count)]
        assert count > 1 and all(sample.time for sample in samples)
        assert ptd.ask("RL") == "Last 0 samples"
        assert re.match(rf"Uncertainty,0\.00\d+,0\.00\d+,0\.00\d+,{count},0,{count},0", ptd.ask("Uncertainty"))
        assert ptd.ask("Watts").endswith(f",{count},0,{count}")
        assert ptd.ask("Temperature") == "Unknown command"
        assert [line.rsplit(",Mark,")[-1] for line in ptd.log.read_text().splitlines()] == ["mark"] * count

    def test_what_it_says_meanwhile(self, daemon: Callable[..., Daemon]) -> None:
        ptd = daemon()
        ptd.measure()
        ptd.ask("Hello")
        said = ptd.output.read_text()
        order = ["Uncertainty checking for YokogawaWT310 is activated", ": Go with mark 'mark'"]
        order += [": ERROR: Can't evaluate uncertainty of this sample!", ": Completed test", ": Avg watts "]
        assert [said.find(words) for words in order] == sorted(said.find(words) for words in order)
        assert -1 not in [said.find(words) for words in order]

    def test_a_new_client_begins_anew(self, daemon: Callable[..., Daemon]) -> None:
        ptd = daemon()
        ptd.ask("Go,1000,0,first")
        ptd.stream.close()
        ptd.stream = ptd.connect().makefile("rw", newline="\r\n")
        assert ptd.ask("Stop") == "Error: no measurement to stop"

    def test_channels(self, daemon: Callable[..., Daemon]) -> None:
        ptd = daemon("-c", "2,2", "77", "sim0")
        ptd.measure()
        assert re.fullmatch(r"Last \d+ samples from sum channel and channels 2 - 3", ptd.ask("RL,*,*"))
        assert len(read_sample(ptd.stream.readline()).channels) == 2
        assert ",Ch2,Watts," in ptd.log.read_text() and ",Ch3,Watts," in ptd.log.read_text()

    def test_dc(self, daemon: Callable[..., Daemon]) -> None:
        ptd = daemon("-D", "549", "sim0")
        ptd.measure()
        assert ptd.ask("RL,*,*") == "Unknown command"
        assert re.fullmatch(r"Last \d+ samples", ptd.ask("DC-RL"))

    def test_the_port_is_taken(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            words = [str(SIMULATOR), "-p", str(other.getsockname()[1]), "49", "sim0"]
            done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 1
        assert "ERROR: " in done.stdout and "Address already in use" in done.stdout and "Traceback" not in done.stderr


class TestMeter:
    def meter(self, watts: float = 120.0, device: int = 49, channel: str | None = None) -> Meter:
        return Meter(DEVICES[device], Channels.of(device, channel), Load(watts, watts, lambda: 1.0, 230.0, 1))

    @pytest.mark.parametrize(("wanted", "value"), [("0.58", 1.0), ("1", 1.0), ("1.01", 2.0), ("20", 20.0)])
    def test_ranges_are_rounded_up(self, wanted: str, value: float) -> None:
        found = Range(WT310.amps)
        assert found.set(wanted) and found.value == value and not found.auto

    @pytest.mark.parametrize("wanted", ["20.1", "-", ""])
    def test_no_such_range(self, wanted: str) -> None:
        assert not Range(WT310.amps).set(wanted)

    def test_uncertainty_is_unknown_while_ranges_are_automatic(self) -> None:
        assert self.meter().sample("t").uncertainty is None

    def test_a_small_load_in_a_large_range_is_uncertain(self) -> None:
        meter = self.meter(watts=10)
        meter.volts.set("300"), meter.amps.set("20")
        found = meter.sample("t")
        assert found.uncertainty is not None and found.uncertainty > 0.01
        assert "above 1.00% limit" in complaints(found)[0]

    def test_too_much_current_is_complained_about(self) -> None:
        meter = self.meter(watts=2000)
        meter.volts.set("300"), meter.amps.set("1")
        assert complaints(meter.sample("t"))[0] == "ERROR: Current appears to be too high for set range"

    def test_lines_with_and_without_channels_and_mark(self) -> None:
        found = self.meter(device=77, channel="1,3").sample("07-25-2024 10:00:00.000")
        assert len(read_sample(sent(found, channels=True)).channels) == 3
        assert read_sample(sent(found, channels=False)).channels == ()
        assert logged(found, "m", 1).split(",")[10:12] == ["Mark", "m"]


class TestLoad:
    def test_ohms_law_holds(self) -> None:
        reading = Load(60, 120, lambda: 1.0, 230.0, 1).read(1, dc=False)[0]
        assert reading.volts * reading.amps * reading.power_factor == pytest.approx(reading.watts)

    def test_idle_and_busy(self) -> None:
        idle, busy = (Load(60, 120, lambda share=share: share, 230.0, 1).read(1, dc=False)[0] for share in (0.0, 1.0))
        assert (idle.watts, busy.watts) == (pytest.approx(60, rel=0.02), pytest.approx(120, rel=0.02))

    def test_a_seed_gives_the_same_ripple(self) -> None:
        one, other = (Load(60, 120, lambda: 1.0, 230.0, 7).read(2, dc=True) for _ in range(2))
        assert one == other

    def test_a_process_is_followed(self) -> None:
        share = follow(str(os.getpid()))
        while not share():
            sum(range(100_000))
        assert 0 < share() <= 1.5

    def test_the_host_is_followed(self) -> None:
        assert follow("cpu")() >= 0

    @pytest.mark.parametrize("name", ["gpu", "999999999", "../self"])
    def test_nothing_to_follow(self, name: str) -> None:
        with pytest.raises(ValueError, match="known are busy, cpu"):
            follow(name)


class TestOptions:
    def test_ptdaemons_own_words_and_the_environment(self) -> None:
        options = read(["-l", "x", "-p", "9", "-b", "0", "-y", "8", "d"], {"ANALYZER_SIMULATOR": "--fault usb,slow"})
        assert (options.device, options.port, options.log) == (8, 9, "x")
        assert options.faults == {Fault.USB, Fault.SLOW}

    def test_an_unknown_fault_or_device(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            read(["12", "d"], {})
        with pytest.raises(SystemExit):
            read(["--fault", "fire", "49", "d"], {})
        assert "fire" in capsys.readouterr().err
