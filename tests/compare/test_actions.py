"""`cm compare|detect|bisect|pareto experiment` over stored records."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "results"))  # samples.py
from samples import performance, record

from cm4bench_compare import actions
from cm4bench_compare.command import command
from cm4bench_compare.replayrun import LockRunner
from cm4bench_compare.versiontable import version_order
from cm4bench_results import Figure, Quality, Request, ResultStore


def save(home: Path, day: int, value: float, threads: int = 2, torch: str = "2.13.0", accuracy: float = 90.0) -> str:
    name = f"2026{1 + day // 28:02d}{1 + day % 28:02d}-120000-net-{threads}{day:03d}/offline"
    run = performance(
        figures=(Figure("samples per second", value, "samples/s"),), configuration={"threads": threads, "batch_size": 4}
    )
    made = record(
        id=name,
        created=f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}T12:00:00Z",
        runs=(run,),
        versions={"torch": torch},
        quality=Quality("top-1", accuracy, "%", 20, 18, 50.0),
        request=Request(("run mlperf inference _short", f"--threads={threads}")),
    )
    ResultStore(home).save(made)
    return name


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Twelve quick results, then twelve slow ones with one thread less."""
    chance = random.Random(3)
    for day in range(24):
        threads = 2 if day < 12 else 1
        save(tmp_path / "results", day, (100 if day < 12 else 80) * (1 + chance.gauss(0, 0.01)), threads)
    return tmp_path / "results"


def test_compare_by_flags(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = actions.compare({"results_dir": str(home), "a": {"threads": 2}, "b": {"threads": 1}, "out": "con"})
    (one,) = done["compared"]
    assert one["verdict"] == "worse" and one["change"] == pytest.approx(-0.2, abs=0.02)
    assert "slower, beyond noise" in capsys.readouterr().out


def test_single_results_are_judged_by_the_noise_of_the_others(home: Path) -> None:
    names = [save(home, 40, 100.0, 2), save(home, 41, 101.0, 2)]
    done = actions.compare({"results_dir": str(home), "artifact": names[0], "artifacts": [names[1]]})
    assert done["compared"][0]["verdict"] == "same"
    paths = [str(home / name) for name in names]
    assert actions.compare({"results_dir": str(home), "artifact": paths[0], "artifacts": paths[1:]}) == done


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({}, "two things"),
        ({"artifact": "nothing-like-it", "artifacts": ["net-2000"]}, "names no result"),
        ({"a": {"threads": 2}, "b": {"thread": 1}}, "--threads"),
        ({"by": "no-such-software"}, "no result tells"),
        ({"by": "x'; DROP"}, "no name of a software"),
    ],
)
def test_mistakes_are_named(home: Path, given: dict, word: str) -> None:
    assert word in actions.compare({"results_dir": str(home), **given})["error"]


def test_versions_beside_each_other(home: Path) -> None:
    for day in range(30, 36):
        save(home, day, 130.0 + day / 100, 2, torch="2.9.1")
    rows = actions.compare({"results_dir": str(home), "by": "torch", "threads": 2})["rows"]
    assert [(row["torch"], row["runs"]) for row in rows] == [("2.9.1", 6), ("2.13.0", 12)]
    assert rows[1]["against the one before"].endswith("worse")


def test_versions_in_their_order() -> None:
    assert sorted(["2.13.0+cpu", "2.9", "10.0", "2.13.0"], key=version_order) == ["2.9", "2.13.0", "2.13.0+cpu", "10.0"]


def test_the_planted_slowdown_is_detected_and_what_changed_is_said(home: Path) -> None:
    (found,) = actions.detect({"results_dir": str(home)})["changes"]
    assert found["regression"] and found["index"] == 12
    assert found["changed"] == ["threads 2 → 1"]
    assert "0012" not in found["before_id"] and found["after_id"].endswith("1012/offline")


def test_a_quiet_history(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert actions.detect({"results_dir": str(home), "threads": 2, "out": "con"})["changes"] == []
    assert "no change of level" in capsys.readouterr().out


def test_pareto_ends_in_a_command(home: Path) -> None:
    name = save(home, 50, 60.0, 2, accuracy=99.0)
    done = actions.pareto({"results_dir": str(home)})
    assert name in [one["id"] for one in done["front"]]
    assert len(done["front"]) == 2
    assert done["command"].startswith("cmr 'run mlperf inference _offline _submission' --threads=2")
    assert "no column" in actions.pareto({"results_dir": str(home), "objectives": "speed"})["error"]
    assert "numbers" in actions.pareto({"results_dir": str(home), "objectives": "model"})["error"]
    other = record(id="20260301-120000-net-2/server", runs=(performance(figures=(Figure("p99", 3.0, "ms"),)),))
    ResultStore(home).save(other)
    assert "2 kinds" in actions.pareto({"results_dir": str(home)})["error"]


def test_a_hostile_option_stays_one_word() -> None:
    made = replace(record(), request=Request(("run mlperf inference _offline", "--x=$(rm -rf /); '")))
    assert command(made) == "cmr 'run mlperf inference _offline' '--x=$(rm -rf /); '\"'\"''"


LOCK = {
    "created": "2026-01-31T09:30:05+00:00",
    "request": {"tags": "run,mlperf,inference", "options": {}},
    "host": {},
    "repositories": [],
    "steps": [],
}


def lock(threads: int, **options: object) -> dict:
    return {**LOCK, "request": {"tags": "run,mlperf,inference", "options": {"threads": threads, **options}}}


def pretend(command: list[str], log: Path) -> int:
    """Stands for a replay: writes a record whose figure depends on the lock's threads."""
    flags = dict(word[2:].split("=", 1) for word in command if word.startswith("--") and "=" in word)
    asked = json.loads(Path(flags["replay"]).read_text())["request"]["options"]
    save(Path(flags["results_dir"]), 1, 50.0 * asked["threads"] + len(log.name) % 3, 1)
    return 3 if asked.get("seed") == 13 else 0


def test_a_lock_is_run_for_its_figures(tmp_path: Path) -> None:
    runner = LockRunner(tmp_path, "Offline", repeats=2, execute=pretend)
    assert [round(value, -1) for value in runner(lock(2))] == [100.0, 100.0]
    assert runner(lock(2, seed=13)) == []
    assert (tmp_path / "mix-01" / "lock.json").is_file()


def test_bisect_names_the_thread_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cm4bench_compare import lockmix, replayrun

    chance = random.Random(1)
    monkeypatch.setattr(
        replayrun.LockRunner, "_figure", lambda self, results: self.value * (1 + chance.gauss(0, 0.01)), raising=True
    )

    def execute(command: list[str], log: Path) -> int:
        (path,) = [word.partition("=")[2] for word in command if word.startswith("--replay=")]
        replayrun.LockRunner.value = 50.0 * lockmix.read(Path(path))["request"]["options"]["threads"]
        return 0

    monkeypatch.setattr(replayrun, "_run", execute)
    for name, made in {"good": lock(2, seed=1), "bad": lock(1, seed=2)}.items():
        lockmix.write(made, tmp_path / f"{name}.json")
    words = {"artifact": str(tmp_path / "good.json"), "artifacts": [str(tmp_path / "bad.json")]}
    done = actions.bisect({**words, "output": str(tmp_path / "mixes"), "out": "con"})
    assert done["return"] == 0, done
    assert done["culprits"] == ["--threads: 2 → 1"]
    assert "culprit: --threads: 2 → 1" in capsys.readouterr().out
    assert "--repeats" in actions.bisect({**words, "repeats": "1"})["error"]
    (tmp_path / "good.json").write_text("{}")
    assert "not a lock" in actions.bisect(words)["error"]


def test_results_without_locks_cannot_be_bisected(home: Path) -> None:
    words = {"artifact": "net-2000", "artifacts": ["net-1012"]}
    assert "no lock" in actions.bisect({"results_dir": str(home), **words})["error"]
    assert "good side" in actions.bisect({})["error"]
