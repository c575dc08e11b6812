"""Truncated logs: upstream's bytes, whole logs kept elsewhere, and nothing lost when something fails."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlperf_submission import files, truncation
from mlperf_submission.errors import SubmissionError
from mlperf_submission.truncation import LOG, SCORE, truncate, truncate_tree

SIZES = [0, 2, 4095, 4096, 4097, 8000, 8192, 8206, 10239, 10240, 10241, 500_000]
CHECKOUT = os.environ.get("MLCOMMONS_INFERENCE")


def log_of(size):
    """Text of a loadgen accuracy log, `size` characters long."""
    entry = json.dumps({"seq_id": 7, "qsl_idx": 3, "data": "00004041"})
    return ("[\n" + f"{entry},\n" * (size // len(entry) + 1))[:size]


def folder_with(place, size, score="accuracy=76.014%, good=38007, total=50000\n"):
    place.mkdir(parents=True)
    (place / LOG).write_text(log_of(size))
    if score is not None:
        (place / SCORE).write_text(score)
    return place


def contents(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def folder(tmp_path):
    return folder_with(tmp_path / "tree" / "accuracy", 500_000)


class TestOneLog:
    def test_both_ends_stay_and_the_hash_is_of_the_whole(self, folder, tmp_path):
        whole = (folder / LOG).read_bytes()
        done = truncate(folder, tmp_path / "kept" / LOG)
        assert done.changed and done.digest == hashlib.sha256(whole).hexdigest()
        assert (folder / LOG).read_bytes() == whole[:4096] + b"\n\n...\n\n" + whole[-4096:]
        assert (folder / SCORE).read_text().endswith(f"total=50000\n\nhash={done.digest}\n")
        assert (tmp_path / "kept" / LOG).read_bytes() == whole

    @pytest.mark.parametrize("size", SIZES)
    def test_a_second_time_changes_nothing(self, tmp_path, size):
        folder = folder_with(tmp_path / "accuracy", size)
        first = truncate(folder)
        before = contents(folder)
        assert truncate(folder) == truncation.Truncated(folder, first.digest, changed=False)
        assert contents(folder) == before

    def test_an_interrupted_truncation_is_completed(self, folder, monkeypatch, tmp_path):
        whole = contents(folder)[LOG]

        def full(log):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as disk:
            disk.setattr(truncation, "_cut", full)
            with pytest.raises(OSError):
                truncate(folder, tmp_path / "kept" / LOG)
        assert contents(folder)[LOG] == whole
        truncate(folder, tmp_path / "kept" / LOG)
        assert (folder / SCORE).read_text().count("hash=") == 1
        assert len(contents(folder)[LOG]) == 2 * 4096 + 7

    def test_a_full_disk_leaves_old_files_and_no_scrap(self, folder, monkeypatch):
        before = contents(folder)

        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(files.os, "fsync", full)
        with pytest.raises(OSError):
            truncate(folder)
        assert contents(folder) == before

    def test_the_hash_of_another_log_is_refused(self, folder):
        (folder / SCORE).write_text("accuracy=76%\nhash=abc123\n")
        with pytest.raises(SubmissionError, match="hash of another log"):
            truncate(folder)

    def test_a_kept_log_is_never_overwritten(self, folder, tmp_path):
        (tmp_path / "kept").write_text("another run's")
        with pytest.raises(SubmissionError, match="is another log"):
            truncate(folder, tmp_path / "kept")
        assert (tmp_path / "kept").read_text() == "another run's"

    @pytest.mark.parametrize("name", [LOG, SCORE])
    def test_a_missing_file_is_named(self, folder, name):
        (folder / name).unlink()
        with pytest.raises(SubmissionError, match=f"{name} is missing"):
            truncate(folder)


def tree(root, *, merged):
    """A tree with two results, and compliance tests where the layout has them."""
    home = root / "closed" / "me"
    tests = home / ("results" if merged else "compliance") / "s" / "resnet" / "Offline"
    folder_with(home / "results" / "s" / "resnet" / "Offline" / "accuracy", 30_000)
    folder_with(home / "results" / "s" / "resnet" / "SingleStream" / "accuracy", 20_000)
    folder_with(tests / "TEST01" / "accuracy", 40_000)
    folder_with(tests / "TEST04" / "accuracy", 40_000)
    folder_with(root / "open" / "you" / "results" / "s" / "resnet" / "Offline" / "accuracy", 30_000)
    return root


class TestTree:
    @pytest.mark.parametrize("merged", [True, False])
    def test_results_and_the_tests_that_have_a_log(self, tmp_path, merged):
        root = tree(tmp_path / "tree", merged=merged)
        done = truncate_tree(root, tmp_path / "kept")
        assert len(done) == 4 and all(one.changed for one in done)
        sizes = {p.parent.parent.name: p.stat().st_size for p in root.rglob(LOG)}
        assert sizes["TEST04"] == 40_000 and sizes["TEST01"] < 10_240
        assert {len(p.read_bytes()) for p in (tmp_path / "kept").rglob(LOG)} == {20_000, 30_000, 40_000}

    def test_one_submitter_only(self, tmp_path):
        assert len(truncate_tree(tree(tmp_path / "tree", merged=True), tmp_path / "kept", "you")) == 1

    def test_whole_logs_never_stay_in_the_tree(self, tmp_path):
        root = tree(tmp_path / "tree", merged=True)
        for place in (root, root / "kept", root / ".." / "tree" / "kept"):
            with pytest.raises(SubmissionError, match="must not be kept inside the tree"):
                truncate_tree(root, place)

    def test_all_missing_scores_are_named_before_anything_changes(self, tmp_path):
        root = tree(tmp_path / "tree", merged=True)
        for scenario in ("Offline", "SingleStream"):
            (root / "closed" / "me" / "results" / "s" / "resnet" / scenario / "accuracy" / SCORE).unlink()
        before = contents(root)
        with pytest.raises(SubmissionError) as caught:
            truncate_tree(root, tmp_path / "kept")
        assert caught.value.cause.count(SCORE) == 2 and "process mlperf accuracy" in caught.value.hint
        assert contents(root) == before

    def test_a_folder_without_logs(self, tmp_path):
        with pytest.raises(SubmissionError, match="has no accuracy log of me"):
            truncate_tree(tmp_path, tmp_path.parent / "kept", "me")


@pytest.mark.skipif(not CHECKOUT, reason="MLCOMMONS_INFERENCE names no checkout of mlcommons/inference")
@pytest.mark.parametrize("size", SIZES)
def test_the_same_bytes_as_upstream(tmp_path, size):
    """Upstream's own tool on the same tree."""
    home = tmp_path / "theirs" / "open" / "me" / "results" / "s" / "resnet" / "Offline"
    folder_with(home / "accuracy", size)
    folder_with(home / "TEST01" / "accuracy", size + 1)
    folder_with(home / "TEST07" / "accuracy", size + 2, score=None)
    shutil.copytree(tmp_path / "theirs", tmp_path / "ours")
    tool = Path(str(CHECKOUT)) / "tools" / "submission" / "truncate_accuracy_log.py"
    options = ["--input", str(tmp_path / "theirs"), "--submitter", "me", "--backup", str(tmp_path / "backup")]
    subprocess.run([sys.executable, str(tool), *options], check=True, capture_output=True)
    truncate_tree(tmp_path / "ours", tmp_path / "kept", "me")
    assert contents(tmp_path / "ours") == contents(tmp_path / "theirs")
    assert contents(tmp_path / "kept") == contents(tmp_path / "backup")
