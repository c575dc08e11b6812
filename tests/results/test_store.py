"""The store: layout, atomic writing, reading back."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from samples import record

from cm4bench_results import RecordError, ResultStore, default_results_dir
from cm4bench_results.store import new_run_id


def test_saved_records_are_found_again(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    first, second = record(), replace(record(), id="20270101-000000-other-0000/server")
    path = store.save(first)
    store.save(second)
    assert path == tmp_path / first.id / "result.json"
    assert [stored.record for stored in store.records()] == [first, second]
    assert store.load(first.id) == first


def test_a_failed_write_keeps_the_old_record_and_leaves_no_scrap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ResultStore(tmp_path)
    path = store.save(record())
    before = path.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.save(replace(record(), notes=("changed",)))
    assert path.read_text() == before
    assert [file.name for file in path.parent.iterdir()] == ["result.json"]


def test_a_record_id_may_not_leave_the_store(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="leaves the results folder"):
        ResultStore(tmp_path / "results").save(replace(record(), id="../elsewhere"))


def test_a_missing_record_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"none/offline/result\.json cannot be read: No such file"):
        ResultStore(tmp_path).load("none/offline")


def test_results_go_where_asked_or_beside_the_user(tmp_path: Path) -> None:
    assert default_results_dir({}, tmp_path) == tmp_path / "cm4bench-results"
    assert default_results_dir({"CM_MLPERF_RESULTS_DIR": "mine"}, tmp_path) == tmp_path / "mine"
    assert default_results_dir({"CM_MLPERF_RESULTS_DIR": "/abs"}, tmp_path) == Path("/abs")


def test_run_ids_never_collide_and_are_file_names() -> None:
    ids = {new_run_id("ResNet50 / CUDA") for _ in range(50)}
    assert len(ids) > 40
    assert all("resnet50-cuda" in name and "/" not in name for name in ids)
