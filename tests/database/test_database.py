"""The database follows the files, and can be thrown away at any time."""

import json
import os
import shutil
import signal
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest
from filelock import FileLock

from cm4bench_database import Database, DatabaseError
from cm4bench_database.generations import Busy

from .made import save

JUDGED = "SELECT id, scenario, metric, value, unit FROM results WHERE headline ORDER BY id"


def test_every_figure_is_a_row(home: Path) -> None:
    database = Database.open(home)
    assert len(database.query("SELECT * FROM results")) == 6
    assert database.query(JUDGED).rows[0] == (
        "20260131-093005-net-4f1a/offline", "Offline", "samples per second", 41.25, "samples/s"
    )  # fmt: skip


def test_columns_of_a_record(home: Path) -> None:
    (row,) = Database.open(home).records(scenario="offline", headline=True).dicts()
    told = {key: row[key] for key in ("source", "tier", "device", "precision", "batch_size", "accuracy", "valid")}
    assert told == {
        "source": "own",
        "tier": "embedded",
        "device": "cpu",
        "precision": "fp32",
        "batch_size": 4,
        "accuracy": 90.0,
        "valid": True,
    }
    assert row["created"] == "2026-01-31T09:30:05Z"
    assert json.loads(row["versions"])["torch"] == "2.13.0"
    assert row["per_core"] == pytest.approx(41.25 / 2)
    assert row["per_accelerator"] is None
    assert Path(row["path"]).is_file() and len(row["sha256"]) == 64


def test_a_latency_is_not_shared_out_among_cores(home: Path) -> None:
    assert Database.open(home).records(unit="ms").column("per_core") == [None] * 3


def test_the_lock_beside_a_run_is_part_of_it(home: Path) -> None:
    (home / "20260131-093005-net-4f1a/lock.json").write_text('{"kind": "cm4bench-lock"}')
    found = Database.open(home).query("SELECT DISTINCT lock->>'kind' FROM results")
    assert found.rows == [("cm4bench-lock",)]


def test_new_changed_and_gone_files_are_followed(home: Path) -> None:
    database = Database.open(home)
    path = save(home, "20260201-093005-net-aaaa/offline", 50.0)
    assert database.refresh()[:2] == (1, 0)
    save(home, "20260201-093005-net-aaaa/offline", 5000.0)
    assert database.refresh()[:2] == (1, 1)
    assert 5000.0 in database.query(JUDGED).column("value")
    path.unlink()
    assert database.refresh()[:2] == (0, 1)
    assert len(database.query(JUDGED)) == 3
    assert database.refresh()[:2] == (0, 0)


def test_rebuilding_gives_the_same(home: Path) -> None:
    database = Database.open(home)
    before = database.query("SELECT * FROM figures ORDER BY ALL").rows
    assert database.rebuild().read == 3
    assert database.query("SELECT * FROM figures ORDER BY ALL").rows == before


def test_further_folders(home: Path, tmp_path: Path) -> None:
    save(tmp_path / "other", "20260301-093005-net-bbbb/offline")
    database = Database.open(home)
    assert database.rebuild([tmp_path / "other"]).read == 4


@pytest.mark.parametrize(
    "text", ["{", "", "[]", '{"schema_version": 1}', '{"schema_version": 99}', "\x00\xff", "[" * 9999]
)
def test_what_is_no_record_is_set_aside_and_named(home: Path, text: str) -> None:
    path = home / "20260131-093005-net-4f1a/server/result.json"
    path.write_bytes(text.encode("latin-1"))
    database = Database.open(home)
    assert [one.path for one in database.set_aside()] == [str(path)]
    assert database.set_aside()[0].reason
    assert path.read_bytes() == text.encode("latin-1")
    assert len(database.query(JUDGED)) == 2


def test_a_mended_record_comes_back(home: Path) -> None:
    path = home / "20260131-093005-net-4f1a/server/result.json"
    good = path.read_text()
    path.write_text("{")
    database = Database.open(home)
    path.write_text(good)
    database.refresh()
    assert database.set_aside() == []
    assert len(database.query(JUDGED)) == 3


def test_a_deleted_database_is_made_anew(home: Path) -> None:
    Database.open(home)
    for path in (home / ".database").iterdir():
        path.unlink()
    assert len(Database.open(home).query(JUDGED)) == 3


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000])
def test_a_corrupt_database_is_made_anew(home: Path, content: bytes) -> None:
    Database.open(home)
    for path in (home / ".database").glob("*.duckdb"):
        path.write_bytes(content)
    assert len(Database.open(home).query(JUDGED)) == 3


def test_a_truncated_database_is_made_anew(home: Path) -> None:
    Database.open(home)
    for path in (home / ".database").glob("*.duckdb"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert len(Database.open(home).query(JUDGED)) == 3


def test_a_database_of_other_rules_is_made_anew(home: Path) -> None:
    import duckdb

    Database.open(home)
    (newest,) = (home / ".database").glob("*.duckdb")
    with duckdb.connect(str(newest)) as connection:
        connection.execute("UPDATE about SET schema = 0; DELETE FROM figures")
    assert len(Database.open(home).query(JUDGED)) == 3


def test_reading_does_not_wait_for_a_writer(home: Path) -> None:
    database = Database.open(home)
    save(home, "20260201-093005-net-aaaa/offline")
    with FileLock(home / ".database" / "writer.lock"):
        other = Database.open(home)
        assert len(other.query(JUDGED)) == 3
        assert database.refresh(wait_s=0).busy
    assert len(Database.open(home).query(JUDGED)) == 4


def test_a_first_build_that_is_locked_out_says_so(home: Path) -> None:
    (home / ".database").mkdir()
    with FileLock(home / ".database" / "writer.lock"), pytest.raises(Busy, match="another command is writing"):
        Database(home).refresh(wait_s=0.05)


def _write(home: str, number: int) -> None:
    for step in range(3):
        save(Path(home), f"20260201-093005-net-{number}{step}/offline")
        Database.open(Path(home)).refresh()


def test_two_writers_lose_nothing(home: Path) -> None:
    context = get_context("fork")
    writers = [context.Process(target=_write, args=(str(home), number)) for number in (1, 2)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert [one.exitcode for one in writers] == [0, 0]
    assert len(Database.open(home).query(JUDGED)) == 9


def test_a_killed_writer_leaves_only_a_draft(home: Path) -> None:
    Database.open(home)
    (home / ".database" / ".draft-results.duckdb").write_bytes(b"half")
    save(home, "20260201-093005-net-aaaa/offline")
    assert len(Database.open(home).query(JUDGED)) == 4
    assert not list((home / ".database").glob(".draft*"))


def _die_while_writing(home: str) -> None:
    with Database(Path(home)).generations.writing(5) as draft:
        draft.write_bytes(b"half a database")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_writer_that_is_killed_holds_nobody_up(home: Path) -> None:
    Database.open(home)
    writer = get_context("fork").Process(target=_die_while_writing, args=(str(home),))
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    save(home, "20260201-093005-net-aaaa/offline")
    assert len(Database.open(home).query(JUDGED)) == 4


def test_threads_share_a_database(home: Path) -> None:
    database = Database.open(home)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(database.query(JUDGED)))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [3] * 8


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY figures TO 'stolen.csv'",
        "DROP TABLE figures",
        "INSERT INTO locks VALUES ('a', 'b')",
        "SET enable_external_access = true",
        "ATTACH 'other.duckdb'",
        "INSTALL httpfs",
        "SELEC",
        "SELECT no_such_column FROM results",
    ],
)
def test_sql_reads_the_tables_and_nothing_else(home: Path, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    database = Database.open(home)
    with pytest.raises(DatabaseError):
        database.query(sql)
    assert len(database.query(JUDGED)) == 3


def test_an_endless_query_is_stopped(home: Path) -> None:
    with pytest.raises(DatabaseError, match="took longer"):
        Database.open(home).query("SELECT count(*) FROM range(10000000000) a, range(10000) b", timeout_s=0.2)


def test_hostile_names_are_only_text(home: Path) -> None:
    from dataclasses import replace

    from samples import record

    name = "'; DROP TABLE figures; --<script>"
    save(home, "20260201-093005-net-aaaa/offline", subject=replace(record().subject, model=name))
    assert Database.open(home).records(model=[name], headline=True).column("model") == [name]


def test_filters(home: Path) -> None:
    database = Database.open(home)
    assert len(database.records(scenario="Offline, server", headline=True)) == 2
    assert len(database.records(scenario="*s*", headline="true")) == 2
    with pytest.raises(DatabaseError, match="modle") as found:
        database.records(modle="x")
    assert "--mode" in found.value.hint


def test_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="there is no folder"):
        Database.open(tmp_path / "none")


def test_a_loop_of_links_has_an_end(home: Path) -> None:
    (home / "loop").symlink_to(home)
    assert len(Database.open(home).query(JUDGED)) == 3


def test_a_copied_result_counts_once(home: Path) -> None:
    shutil.copytree(home / "20260131-093005-net-4f1a", home / "backup" / "20260131-093005-net-4f1a")
    database = Database.open(home)
    assert len(database.query(JUDGED)) == 3
    shutil.rmtree(home / "20260131-093005-net-4f1a")
    database.refresh()
    assert len(database.query(JUDGED)) == 3


def test_crates_are_copies(home: Path) -> None:
    save(home / "crate", "20260301-093005-net-cccc/offline")
    (home / "crate" / "ro-crate-metadata.json").write_text("{}")
    assert len(Database.open(home).query(JUDGED)) == 3


def test_arrays(home: Path) -> None:
    assert Database.open(home).arrays("SELECT value FROM results WHERE headline")["value"].tolist() == [41.25] * 3
