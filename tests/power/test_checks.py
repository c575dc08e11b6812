"""The checks: a measurement made to look as the rules want it passes; each thing that is wrong is found and named."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlperf_power import PowerError, check
from mlperf_power.checks import ptdlog
from mlperf_power.figure import lines_within
from mlperf_power.loadgenlogs import read_window
from mlperf_power.record import hash_folder
from mlperf_power.rounds import facts
from tests.power.conftest import Rig


class Tree:
    """A measurement on disk that tests may bend."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / name

    def edit(self, name: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Change a record: `client` or `server`."""
        path = self.path(f"power/{name}.json")
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data))

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a text file, and the hash that the records have of it."""
        path = self.path(name)
        assert old in path.read_text(), old
        path.write_text(path.read_text().replace(old, new))
        self.rehash()

    def rehash(self) -> None:
        now = hash_folder(self.folder)
        for name in ("client", "server"):
            self.edit(name, lambda data: data.update(results={key: now[key] for key in data["results"] if key in now}))

    def say(self, text: str, when: str) -> None:
        """Add a line to PTDaemon's log: in `ranging`, under `load`, or `after` all."""
        lines = self.path("power/ptd_logs.txt").read_text().splitlines(keepends=True)
        index = next(i for i, line in enumerate(lines) if "Go with mark" in line and "_ranging'" in line) + 2
        time = lines[index][:23]
        if when != "ranging":
            window = read_window(self.path("run_1/mlperf_log_detail.txt"))
            loaded = [words[1] for words in lines_within(self.path("run_1/spl.txt"), window)]
            last = self.path("run_1/spl.txt").read_text().splitlines()[-1].split(",")[1]
            time = loaded[len(loaded) // 2] if when == "load" else last
        lines.append(f"{time}: {text}\n")
        self.path("power/ptd_logs.txt").write_text("".join(lines))
        self.rehash()

    def rules(self, severity: str = "error", round_version: str = "v6.1") -> set[str]:
        found = check(self.folder, round_version)
        for finding in found:
            assert finding.cause and finding.remedy and str(self.folder) in finding.path
        return {finding.rule for finding in found if finding.severity == severity}


@pytest.fixture
def tree(measured: Rig, tmp_path: Path) -> Tree:
    """The real measurement, with the names of what it would need to be: power-dev's code, a real meter, full rests."""
    shutil.copytree(measured.folder / "out", tmp_path / "performance")
    made = Tree(tmp_path / "performance")
    for name in ("client", "server"):
        made.edit(name, lambda data: data.update(sources=facts("v6.1").sources[0]))
    made.edit("server", lambda data: data.pop("debug"))
    made.edit("server", lambda data: set_reply(data, "Identify", lambda text: text.replace("simulated", "20240101")))
    return made


def set_reply(data: dict[str, Any], command: str, change: Callable[[str], str], which: int = 0) -> None:
    found = [one for one in data["ptd_messages"] if one["cmd"].startswith(command)]
    found[which]["reply"] = change(found[which]["reply"])


def test_what_is_as_it_should_be_passes(tree: Tree) -> None:
    assert check(tree.folder) == []


RECORDS: dict[str, tuple[str, Callable[[dict[str, Any]], object], str]] = {
    "other client": ("client", lambda d: d["sources"].update({"lib/client.py": "0"}), "client-sources"),
    "other server": ("server", lambda d: d["sources"].pop("lib/server.py"), "server-sources"),
    "uuid of the client": ("client", lambda d: d["uuid"].update(client="0" * 32), "uuid"),
    "uuid of the server": ("server", lambda d: d["uuid"].update(server="1" * 32), "uuid"),
    "name of the session": ("client", lambda d: d.update(session_name="other"), "session-name"),
    "a command less": ("server", lambda d: d["messages"].pop(), "messages"),
    "another command": ("server", lambda d: d["messages"][2].update(cmd="new,x"), "messages"),
    "another reply": ("client", lambda d: d["messages"][3].update(reply="Error"), "messages"),
    "another version of the protocol": ("both", lambda d: d["messages"][0].update(reply="power v4"), "messages"),
    "debug": ("server", lambda d: d.update(debug=True), "debug"),
    "clock skew": ("client", lambda d: d["phases"]["testing"][0].__setitem__(0, 0.0), "phases"),
    "skew of just too much": ("client", lambda d: shift(d, "ranging", 0.9), "phases"),
    "a phase less": ("server", lambda d: d["phases"]["ranging"].pop(), "phases"),
    "phases of another time": ("both", lambda d: shift(d, "testing", -50.0), "window"),
    "old PTDaemon": ("server", lambda d: set_reply(d, "Identify", lambda t: t.replace("1.11", "1.10")), "ptd-version"),
    "no version": ("server", lambda d: set_reply(d, "Identify", lambda t: "YokogawaWT310"), "ptd-version"),
    "another meter": ("server", lambda d: set_reply(d, "Identify", lambda t: t.replace("WT310", "WT9")), "analyzer"),
    "simulated": ("server", lambda d: set_reply(d, "Identify", lambda t: t + ";simulated"), "simulated"),
    "range not set": ("server", lambda d: set_reply(d, "SR,A", lambda t: "Error", 2), "ptd-replies"),
    "volts not set": ("server", lambda d: set_reply(d, "SR,V", lambda t: "Error"), "ptd-replies"),
    "Go refused": ("server", lambda d: set_reply(d, "Go", lambda t: "Error"), "ptd-replies"),
    "Stop refused": ("server", lambda d: set_reply(d, "Stop", lambda t: "Error: no measurement", 1), "ptd-replies"),
    "first ranges unknown": ("server", lambda d: set_reply(d, "RR", lambda t: "Ranges"), "ptd-replies"),
    "amperes not given back": ("server", lambda d: drop_last(d, "SR,A"), "ptd-replies"),
    "volts not given back": ("server", lambda d: drop_last(d, "SR,V"), "ptd-replies"),
    "another range given back": (
        "server", lambda d: set_reply(d, "RR", lambda t: "Ranges,0,5.000000,1,300.000000"), "ptd-replies"
    ),
    "two analyzers": ("server", lambda d: d["ptd_messages"].extend(d["ptd_messages"]), "several-analyzers"),
    "no settings": ("server", lambda d: d.update(ptd_config=[]), "ptd-config"),
    "settings of before v5.0": ("server", lambda d: d.update(ptd_config=d["ptd_config"][0]), "ptd-config"),
    "unknown device": ("server", lambda d: d["ptd_config"][0].update(device_type=66), "ptd-config"),
    "one of many channels": ("server", lambda d: d["ptd_config"][0].update(device_type=77, channel=[1]), "ptd-config"),
    "forged hash": ("server", lambda d: d["results"].update({"run_1/spl.txt": "0"}), "results"),
    "no hash": ("client", lambda d: d["results"].pop("run_1/mlperf_log_detail.txt"), "results"),
    "hashes differ": ("client", lambda d: d["results"].update({"run_1/spl.txt": "0"}), "results"),
}  # fmt: skip


def shift(data: dict[str, Any], mode: str, seconds: float) -> None:
    for pair in data["phases"][mode]:
        pair[0] += seconds


def drop_last(data: dict[str, Any], command: str) -> None:
    found = [one for one in data["ptd_messages"] if one["cmd"].startswith(command)]
    data["ptd_messages"].remove(found[-1])


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_is_bent_is_found(tree: Tree, name: str) -> None:
    where, change, rule = RECORDS[name]
    for side in ("client", "server") if where == "both" else (where,):
        tree.edit(side, change)
    assert rule in tree.rules()


WRONG_TYPES = ["version", "messages", "uuid", "session_name", "results", "phases", "sources"]


@pytest.mark.parametrize("key", WRONG_TYPES[1:])
@pytest.mark.parametrize("value", [None, 7, [7], {"a": 7}, "text", True])
def test_a_record_of_wrong_types_is_a_finding_and_no_traceback(tree: Tree, key: str, value: object) -> None:
    tree.edit("server", lambda data: data.update({key: value}))
    assert tree.rules()


@pytest.mark.parametrize("key", ["messages", "uuid", "session_name", "results", "phases", "sources"])
def test_a_key_that_is_missing(tree: Tree, key: str) -> None:
    tree.edit("client", lambda data: data.pop(key))
    assert [f"has no {key!r}" in finding.cause for finding in check(tree.folder)] == [True]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("name", ["power/client.json", "power/server.json"])
def test_what_is_no_record(tree: Tree, name: str, content: bytes) -> None:
    tree.path(name).write_bytes(content)
    assert tree.rules() == {"records"}


REQUIRED = ["client.log", "ptd_logs.txt", "server.log", "client.json", "server.json"]
FILES = [f"power/{name}" for name in REQUIRED] + [
    f"{folder}/{name}"
    for folder in ("ranging", "run_1")
    for name in ("mlperf_log_detail.txt", "mlperf_log_summary.txt", "spl.txt")
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "empty", "binary", "folder"])
def test_a_damaged_file(tree: Tree, name: str, damage: str) -> None:
    path = tree.path(name)
    path.unlink()
    if damage == "empty":
        path.touch()
    elif damage == "binary":
        path.write_bytes(bytes(range(256)) * 100)
    elif damage == "folder":
        path.mkdir()
    assert tree.rules() & {"results", "records"}


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_in_the_middle(tree: Tree, name: str) -> None:
    path = tree.path(name)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert tree.rules()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, -(10**30), "1", None, [], True])
def test_times_that_are_none(tree: Tree, value: object) -> None:
    tree.edit("server", lambda data: data["phases"]["testing"][1].__setitem__(0, value))
    tree.edit("client", lambda data: data["messages"][1].update(cmd_time=value))
    assert tree.rules()


@pytest.mark.parametrize("seed", range(60))
def test_bytes_that_flipped_never_raise(tree: Tree, seed: int) -> None:
    chance = random.Random(seed)
    path = tree.path(chance.choice(FILES))
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 3, 30])):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data)
    for finding in check(tree.folder):
        assert finding.cause and finding.remedy


class TestTimes:
    def test_testing_that_draws_less(self, tree: Tree) -> None:
        text = re.sub(r"Watts,\d+", "Watts,100", tree.path("run_1/spl.txt").read_text())
        tree.path("run_1/spl.txt").write_text(text)
        tree.rehash()
        assert tree.rules() == {"average-power"}

    def test_no_watt_above_zero(self, tree: Tree) -> None:
        """A meter that is wired the wrong way round."""
        for folder in ("run_1", "ranging"):
            tree.replace(f"{folder}/spl.txt", "Watts,", "Watts,-")
        assert tree.rules() == {"average-power"}

    def test_lines_that_are_no_samples(self, tree: Tree) -> None:
        tree.replace("run_1/spl.txt", "Watts,", "Watts,x")
        assert tree.rules() == {"average-power"}

    def test_ranging_much_shorter_than_testing(self, tree: Tree) -> None:
        self.shorten(tree, "ranging")
        assert tree.rules() == set() and tree.rules("warning") == {"duration"}

    def test_testing_much_shorter_than_ranging(self, tree: Tree) -> None:
        self.shorten(tree, "run_1")
        assert tree.rules() == set() and tree.rules("warning") == {"duration"}

    def test_logs_of_another_run(self, tree: Tree) -> None:
        shutil.copyfile(tree.path("ranging/mlperf_log_detail.txt"), tree.path("run_1/mlperf_log_detail.txt"))
        tree.rehash()
        assert tree.rules() == {"window", "average-power"}

    def test_a_clock_that_was_set_back(self, tree: Tree) -> None:
        for name in ("client", "server"):
            tree.edit(name, lambda data: data["phases"]["testing"][3].__setitem__(0, 5.0))
        assert tree.rules("warning") == {"phases"}

    @staticmethod
    def shorten(tree: Tree, folder: str) -> None:
        """Let the measured part end after 0.2 s of its 0.6."""
        text = tree.path(f"{folder}/mlperf_log_detail.txt").read_text()
        begin = re.search(r'"power_begin", "value": "(.*?)"', text)[1]
        end = re.search(r'"power_end", "value": "(.*?)"', text)[1]
        from datetime import datetime, timedelta

        form = "%m-%d-%Y %H:%M:%S.%f"
        early = (datetime.strptime(begin, form) + timedelta(seconds=0.2)).strftime(form)[:-3]
        tree.replace(f"{folder}/mlperf_log_detail.txt", end, early)


class TestWhatPtdaemonSaid:
    @pytest.mark.parametrize(
        ("text", "when", "severity"),
        [
            ("ERROR: Bad reading", "load", "error"),
            ("ERROR: Bad reading", "after", "error"),
            ("ERROR: Can't evaluate uncertainty of this sample!", "load", "error"),
            ("ERROR: USB.", "load", "warning"),
            ("ERROR: Can't evaluate uncertainty of this sample!", "ranging", None),
            ("ERROR: Bad watts reading nan from Yokogawa", "ranging", None),
            ("ERROR: Bad watts reading 9.91E37 from Yokogawa", "ranging", "warning"),
        ],
    )
    def test_errors(self, tree: Tree, text: str, when: str, severity: str | None) -> None:
        tree.say(text, when)
        found = [finding for finding in check(tree.folder) if finding.rule == "ptd-log"]
        assert [finding.severity for finding in found] == ([severity] if severity else [])

    @pytest.mark.parametrize(
        ("text", "severity"),
        [("Uncertainty 1.23%, which is above 1.00% limit for the last sample!", "error"), ("something", "warning")],
    )
    def test_warnings_under_load(self, tree: Tree, monkeypatch: pytest.MonkeyPatch, text: str, severity: str) -> None:
        monkeypatch.setattr(ptdlog, "TOLERANCE_S", 0.0)  # the run is shorter than twice the tolerance
        tree.say(f"WARNING: {text}", "load")
        assert tree.rules(severity) == {"ptd-log"}

    def test_a_usb_stutter_does_not_hide_an_error_after_it(self, tree: Tree) -> None:
        tree.say("ERROR: USB.", "load")
        tree.say("ERROR: Bad reading", "after")
        assert tree.rules() == {"ptd-log"} == tree.rules("warning")

    def test_a_thousand_complaints_are_a_handful_of_lines(self, tree: Tree) -> None:
        tree.say("\n".join(["ERROR: Bad reading"] + ["01-01-2024 00:00:00.000: ERROR: Bad reading"] * 1000), "load")
        found = check(tree.folder)
        assert len(found) == 6 and "996 more errors" in found[-1].cause

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("is activated", "is off"),
            ("Go with mark", "Gone with mark"),
            ("Completed test", "Complete"),
            ("Uncertainty checking for Yokogawa", "Uncertainty checking for Hioki"),
        ],
    )
    def test_what_it_must_have_said(self, tree: Tree, old: str, new: str) -> None:
        tree.replace("power/ptd_logs.txt", old, new)
        assert tree.rules() == {"ptd-log"}


class TestRounds:
    def test_another_round_accepts_another_ptdaemon_and_another_power_dev(self, tree: Tree) -> None:
        assert tree.rules(round_version="v5.0") == set()
        assert {"ptd-version", "client-sources", "server-sources"} <= tree.rules(round_version="v4.1")

    def test_an_unknown_round(self, tree: Tree) -> None:
        with pytest.raises(PowerError, match="no power rules of round v9") as caught:
            check(tree.folder, "v9")
        assert "v6.1" in caught.value.hint

    def test_nothing_there(self, tmp_path: Path) -> None:
        assert {finding.rule for finding in check(tmp_path / "nothing")} == {"records", "window"}
