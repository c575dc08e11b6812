"""A submission is whole or not there: full disks, kills, faults that only the checker finds."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from mlperf_submission import publish
from mlperf_submission.errors import SubmissionError
from mlperf_submission.packing import pack
from tests.submission.conftest import contents, refused


class TestAtomicity:
    def full_after(self, monkeypatch, count):
        """The disk takes so many files and no more."""
        real, left = shutil.copyfile, [count]

        def copyfile(source, target, **options):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(28, "No space left on device", str(target))
            return real(source, target, **options)

        monkeypatch.setattr(shutil, "copyfile", copyfile)

    @pytest.mark.parametrize("count", [0, 1, 3, 8, 40])
    def test_a_full_disk_leaves_nothing(self, order, monkeypatch, count):
        self.full_after(monkeypatch, count)
        assert "the disk is full" in refused(order())

    def test_a_full_disk_leaves_the_earlier_submission(self, order, monkeypatch):
        first = pack(order())
        before = contents(first.folder)
        self.full_after(monkeypatch, 5)
        with pytest.raises(SubmissionError, match="nothing was left behind"):
            pack(order(replace=True))
        assert contents(first.folder) == before
        assert [one.name for one in order().output.iterdir()] == [first.folder.name]

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small disk")
    def test_a_disk_that_is_really_full(self, order, tmp_path):
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)], capture_output=True)
        if mounted.returncode:
            pytest.skip("no disk can be mounted here")
        try:
            with pytest.raises(SubmissionError, match="the disk is full"):
                pack(order(output=disk))
            assert list(disk.iterdir()) == []
        finally:
            subprocess.run(["umount", str(disk)], check=True)

    def test_the_checker_has_the_last_word(self, order, results):
        """A fault that no refusal knows of."""
        for path in results.glob("*/offline/performance/user.conf"):
            path.write_text("")
        assert "the checker objects" in refused(order())

    def test_a_killed_packer_leaves_nothing_that_looks_whole(self, order, results, system_file, tmp_path):
        arguments = [str(results), f"--description={system_file}", f"--output={tmp_path / 'packed'}"]
        code = (
            "import os, signal, mlperf_submission.archive as archive\n"
            "from mlperf_submission.__main__ import main\n"
            "archive.pack = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
            f"main({arguments!r})\n"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert all(one.name.startswith(".") for one in order().output.iterdir())
        packed = pack(order())
        assert packed.report.ok and [one.name for one in order().output.iterdir()] == ["me-open-v6.1"]

    def test_killed_between_the_two_renames(self, order, monkeypatch):
        first = pack(order())
        first.folder.rename(publish._old(first.folder))
        with pytest.raises(SubmissionError, match="exists already"):
            pack(order())
        assert pack(order(replace=True)).report.ok

    def test_an_existing_submission_is_not_overwritten_unasked(self, order):
        packed = pack(order())
        with pytest.raises(SubmissionError, match="exists already"):
            pack(order())
        assert pack(order(replace=True)).folder == packed.folder

    def test_a_folder_of_somebody_else_is_never_replaced(self, order):
        (order().output / "me-open-v6.1").mkdir(parents=True)
        (order().output / "me-open-v6.1" / "thesis.txt").write_text("years of work")
        with pytest.raises(SubmissionError, match="is no submission of ours"):
            pack(order(replace=True))
        assert (order().output / "me-open-v6.1" / "thesis.txt").is_file()
