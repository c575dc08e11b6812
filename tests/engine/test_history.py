"""Times of earlier runs."""

from pathlib import Path

from cm4bench.history import History


def test_the_median_of_the_last_five(tmp_path: Path):
    history = History(tmp_path / "h.bin")
    assert history.estimate("a") is None
    for seconds in (100.0, 100.0, 1.0, 2.0, 3.0, 4.0, 50.0):
        history.add("a", seconds)
    assert history.estimate("a") == 3.0
    history.save()
    assert History(tmp_path / "h.bin").estimate("a") == 3.0


def test_instants_are_not_worth_remembering(tmp_path: Path):
    history = History(tmp_path / "h.bin")
    history.add("a", 0.001)
    history.save()
    assert history.estimate("a") is None
    assert list(tmp_path.iterdir()) == []


def test_a_spoilt_file_is_forgotten(tmp_path: Path):
    (tmp_path / "h.bin").write_bytes(b"spoilt")
    assert History(tmp_path / "h.bin").estimate("a") is None


def test_nothing_is_written_when_nothing_was_read(tmp_path: Path):
    History(tmp_path / "h.bin").save()
    assert list(tmp_path.iterdir()) == []
