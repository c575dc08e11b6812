"""Sessions in this process, against simulated analyzers: ranges, channels, order, and every fault of an analyzer."""

import json
from pathlib import Path

import pytest
from mlperf_power.errors import PowerError
from mlperf_power.record import Record
from mlperf_power.server import probe
from mlperf_power.session import Session
from tests.power.conftest import analyzer, settings


def session(folder: Path, *analyzers, rest=0.1, **more) -> Session:
    import time

    return Session(settings(folder, *analyzers, **more), "label", lambda _: time.sleep(rest), Record())


def commands(made: Session, start: str) -> list[str]:
    return [exchange.cmd for exchange in made.record.ptd_messages or () if exchange.cmd.startswith(start)]


def run(made: Session) -> Session:
    """Ranging and testing, then the end."""
    try:
        for mode in ("ranging", "testing"):
            made.start(mode)
            made.stop(mode)
    finally:
        made.end()
    return made


def spl(made: Session, folder: str = "run_1") -> list[str]:
    return (made.folder / folder / "spl.txt").read_text().splitlines()


@pytest.fixture(autouse=True)
def quick(simulate):
    return simulate


class TestMeasuring:
    def test_the_label_is_in_the_name_and_the_mark(self, tmp_path: Path):
        made = run(session(tmp_path))
        assert made.name.endswith("_label")
        assert all(line.endswith(f"Mark,{made.name}_testing") for line in spl(made))

    def test_max_mode_begins_with_the_largest_range(self, tmp_path: Path):
        made = run(session(tmp_path, ranging_mode="MAX"))
        assert commands(made, "SR,A")[:2] == ["SR,A,20", "SR,A,20"]

    def test_all_channels_are_logged_and_ranged(self, tmp_path: Path, quick):
        quick("--busy-watts 300")
        made = run(session(tmp_path, analyzer(device=77, channel=(1, 3))))
        words = spl(made)[0].split(",")
        assert [word for word in words if word.startswith("Ch")] == ["Ch1", "Ch2", "Ch3"]
        assert float(words[3]) == pytest.approx(300, rel=0.03)
        assert sum(
            float(words[index + 2]) for index, word in enumerate(words) if word.startswith("Ch")
        ) == pytest.approx(float(words[3]), abs=0.001)

    def test_more_channels_in_the_settings_than_in_the_meter(self, tmp_path: Path):
        made = session(tmp_path, analyzer(device=48, channel=(2,)))
        object.__setattr__(made._daemons[0].analyzer, "channel", (4,))
        with pytest.raises(PowerError, match=r"name 4 channel\(s\) from 1 on, the meter shows 2"):
            run(made)

    def test_a_dc_meter(self, tmp_path: Path):
        made = run(session(tmp_path, analyzer(device=549, dc_flag="-D")))
        assert commands(made, "DC-RL") == ["DC-RL", "DC-RL"]
        assert float(spl(made)[0].split(",")[5]) == pytest.approx(48, rel=0.01)

    def test_two_analyzers_are_added_up(self, tmp_path: Path):
        made = run(session(tmp_path, analyzer(1), analyzer(2)))
        assert float(spl(made)[0].split(",")[3]) == pytest.approx(240, rel=0.03)
        assert "Analyzer2" in spl(made)[0]
        assert len(made.record.ptd_config or ()) == 2
        assert (made.power / "ptd_logs.txt").read_text().count("Analyzer ") >= 2

    def test_samples_are_not_from_the_ranging_run(self, tmp_path: Path):
        made = run(session(tmp_path))
        assert not set(spl(made)) & set(spl(made, "ranging"))

    def test_out_of_turn(self, tmp_path: Path):
        made = session(tmp_path)
        for action in (lambda: made.start("testing"), lambda: made.stop("ranging"), lambda: made.stop("testing")):
            with pytest.raises(PowerError, match="out of turn: the session is new"):
                action()

    def test_a_command_that_is_over_at_once(self, tmp_path: Path, quick):
        quick("--sample-ms 1000")
        with pytest.raises(PowerError, match="ended before the analyzer had a sample"):
            run(session(tmp_path, rest=0))


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "says"),
        [
            ("drop --drop-after 0.01", "analyzer 1: PTDaemon has ended"),
            ("cut-line", "sent a line that is not a sample: 'Time,"),
            ("no-hello", "is no PTDaemon: it says 'Good day'"),
            ("mute", "did not answer within 0.3 s"),
            ("unreachable", "its last words: .*no answer from sim1; no meter is connected"),
        ],
    )
    def test_the_cause_is_told_and_nothing_hangs(self, tmp_path: Path, quick, fault: str, says: str):
        quick(f"--fault {fault}")
        made = session(tmp_path, **({"reply_patience": 0.3} if fault == "mute" else {}))
        with pytest.raises(PowerError, match=says) as caught:
            run(made)
        assert caught.value.hint or "did not answer" in says
        assert made._daemons[0]._process is None

    def test_a_daemon_that_never_listens(self, tmp_path: Path):
        lazy = tmp_path / "ptd"
        lazy.write_text("#!/bin/sh\nexec sleep 60\n")
        lazy.chmod(0o755)
        given = settings(tmp_path, start_patience=0.3)
        object.__setattr__(given, "ptd", str(lazy))
        with pytest.raises(PowerError, match=r"did not open port \d+ within 0.3 s"):
            probe(given)

    def test_no_such_program(self, tmp_path: Path):
        given = settings(tmp_path)
        object.__setattr__(given, "ptd", str(tmp_path / "nothing"))
        with pytest.raises(PowerError, match="cannot be started: No such file") as caught:
            probe(given)
        assert 'cmr "get spec ptd"' in caught.value.hint

    def test_a_slow_analyzer_is_waited_for(self, tmp_path: Path, quick, monkeypatch):
        quick("--fault slow")
        made = session(tmp_path)
        made._daemons[0].start()
        assert made._daemons[0].ask("RR").startswith("Ranges,")
        made.end()

    def test_watts_below_zero_stay_in_the_log_and_out_of_the_figure(self, tmp_path: Path, quick):
        from mlperf_power.figure import watts_within
        from mlperf_power.loadgenlogs import Window

        quick("--fault negative")
        made = run(session(tmp_path))
        assert all(watts < 0 for watts in watts_within(made.folder / "run_1/spl.txt", Window(0, 4e9)))

    def test_the_folder_cannot_be_made(self, tmp_path: Path):
        (tmp_path / "file").touch()
        with pytest.raises(PowerError, match=r"folder .* cannot be made"):
            session(tmp_path / "file")


def test_the_record_is_json_with_what_the_checker_asks_for(tmp_path: Path):
    made = run(session(tmp_path))
    made.identify("5f8f3a4e-52c2-4d26-9f0f-f5ec4c2f2b61")
    data = json.loads(made.record.to_json())
    asked = "version timezone modules sources messages uuid session_name results phases ptd_messages ptd_config"
    assert set(asked.split()) <= set(data)
    assert [len(data["phases"][mode]) for mode in ("ranging", "testing")] == [4, 4]
    assert data["sources"]["session.py"]
    assert data["debug"] is True
