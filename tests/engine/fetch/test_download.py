"""Downloads against a real server on the loopback interface, and the ways in which they go wrong."""

import errno
import hashlib
import io
import json
import multiprocessing
import random
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.file_server import FileServer

from cm4bench.errors import CMBenchError
from cm4bench.fetch import download as module
from cm4bench.fetch.checksum import Checksum, ChecksumMismatch, verify
from cm4bench.fetch.disk import DiskFull
from cm4bench.fetch.download import (
    DownloadError,
    DownloadOptions,
    NetworkError,
    RemoteRefused,
    download,
    file_name_of,
    partial_path,
)

CONTENT = random.Random(7).randbytes(3 << 20)
SHA256 = Checksum("sha256", hashlib.sha256(CONTENT).hexdigest())
MD5 = Checksum("md5", hashlib.md5(CONTENT).hexdigest())
QUICK = DownloadOptions(retries=2, backoff=0.001, timeout=5)


@pytest.fixture
def server():
    with FileServer(CONTENT) as running:
        yield running


def test_fetches_verifies_and_reports_progress(server, tmp_path):
    seen = []
    done = download(
        f"{server.url}/a.bin", tmp_path / "d" / "a.bin", checksum=SHA256, progress=lambda *p: seen.append(p)
    )
    assert done.path.read_bytes() == CONTENT
    assert (done.size, done.sha256, done.fetched) == (len(CONTENT), SHA256.digest, True)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [p.name for p in done.path.parent.iterdir() if ".part" in p.name and not p.name.endswith(".lock")] == []


def test_verified_copy_costs_no_request(server, tmp_path):
    (tmp_path / "a").write_bytes(CONTENT)
    done = download(f"{server.url}/a", tmp_path / "a", checksum=MD5)
    assert not done.fetched
    assert server.requests == []


def test_wrong_copy_is_replaced(server, tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    assert download(f"{server.url}/a", tmp_path / "a", checksum=SHA256).fetched
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_connection_that_drops_is_resumed_not_restarted(server, tmp_path):
    server.drops = [1 << 20, 1 << 20]
    download(f"{server.url}/a", tmp_path / "a", checksum=SHA256, options=QUICK)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert server.sent == len(CONTENT)
    assert [r.get("range") for r in server.requests] == [None, "bytes=1048576-", "bytes=2097152-"]


def test_later_run_resumes_what_an_earlier_one_left(server, tmp_path):
    part = tmp_path / "shared.part"
    server.drops = [1 << 20] + [0] * 9
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1"):
        download(f"{server.url}/a", tmp_path / "one" / "a", checksum=SHA256, partial=part, options=QUICK)
    assert not (tmp_path / "one" / "a").exists()
    server.drops, server.sent = [], 0
    download(f"{server.url}/a", tmp_path / "two" / "a", checksum=SHA256, partial=part, options=QUICK)
    assert (tmp_path / "two" / "a").read_bytes() == CONTENT
    assert server.sent == len(CONTENT) - (1 << 20)
    assert not part.exists()


def test_file_that_changed_meanwhile_is_fetched_whole(server, tmp_path):
    part = tmp_path / "a.part"
    part.write_bytes(b"x" * 1000)
    note = {"url": f"{server.url}/a", "validator": '"v0"', "total": 5000}
    (tmp_path / "a.part.json").write_text(json.dumps(note))
    done = download(f"{server.url}/a", tmp_path / "a", options=QUICK)
    assert done.path.read_bytes() == CONTENT
    assert server.requests[0]["if-range"] == '"v0"'


def test_same_validator_but_other_size_starts_over(server, tmp_path):
    (tmp_path / "a.part").write_bytes(CONTENT[:1000])
    note = {"url": f"{server.url}/a", "validator": '"v1"', "total": 5000}
    (tmp_path / "a.part.json").write_text(json.dumps(note))
    assert download(f"{server.url}/a", tmp_path / "a", options=QUICK).path.read_bytes() == CONTENT
    assert "range" not in server.requests[-1]


def test_damaged_part_costs_one_more_try_not_a_failure(server, tmp_path):
    (tmp_path / "a.part").write_bytes(b"\0" * 1000)
    note = {"url": f"{server.url}/a", "validator": '"v1"', "total": len(CONTENT)}
    (tmp_path / "a.part.json").write_text(json.dumps(note))
    download(f"{server.url}/a", tmp_path / "a", checksum=SHA256, options=QUICK)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_complete_part_is_not_taken_for_more_than_it_is(server, tmp_path):
    """A part as long as the file: the server answers 416, and the file is fetched anew."""
    (tmp_path / "a.part").write_bytes(CONTENT)
    note = {"url": f"{server.url}/a", "validator": '"v1"', "total": len(CONTENT)}
    (tmp_path / "a.part.json").write_text(json.dumps(note))
    assert download(f"{server.url}/a", tmp_path / "a", checksum=SHA256, options=QUICK).path.read_bytes() == CONTENT


def test_server_without_ranges_restarts(server, tmp_path):
    server.ranges = False
    server.drops = [1 << 20]
    download(f"{server.url}/a", tmp_path / "a", checksum=SHA256, options=QUICK)
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_weak_etag_is_not_resumed(server, tmp_path):
    server.etag = 'W/"v1"'
    server.drops = [1 << 20]
    download(f"{server.url}/a", tmp_path / "a", checksum=SHA256, options=QUICK)
    assert all("range" not in request for request in server.requests)


def test_truncation_that_never_ends_is_given_up(server, tmp_path):
    server.ranges = False
    server.drops = [100_000] * 20
    with pytest.raises(NetworkError):
        download(f"{server.url}/a", tmp_path / "a", options=QUICK)
    assert len(server.requests) == QUICK.retries + 2
    assert not (tmp_path / "a").exists()


def test_checksum_mismatch_leaves_nothing_behind(server, tmp_path):
    with pytest.raises(ChecksumMismatch) as caught:
        download(f"{server.url}/a", tmp_path / "a", checksum=Checksum("sha256", "0" * 64), options=QUICK)
    assert SHA256.digest in caught.value.cause
    assert "0" * 64 in caught.value.cause
    assert caught.value.hint
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []


def test_not_found_is_not_retried(server, tmp_path):
    server.statuses = [404]
    with pytest.raises(RemoteRefused, match="404") as caught:
        download(f"{server.url}/a", tmp_path / "a", options=QUICK)
    assert "moved" in (caught.value.hint or "")
    assert len(server.requests) == 1


def test_busy_server_is_tried_again(server, tmp_path):
    server.statuses = [503, 429]
    assert download(f"{server.url}/a", tmp_path / "a", options=QUICK).size == len(CONTENT)


def test_no_network_names_the_host_and_the_way_out(tmp_path):
    with pytest.raises(NetworkError, match=r"no connection to 127\.0\.0\.1:9") as caught:
        download("http://127.0.0.1:9/a", tmp_path / "a", options=QUICK)
    assert "resumed" in (caught.value.hint or "")


def test_proxy_that_refuses_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(NetworkError, match="proxy"):
        download("http://files.invalid/a", tmp_path / "a", options=QUICK)


def test_too_little_space_is_found_before_the_transfer(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DiskFull, match=r"3\.0 MiB") as caught:
        download(f"{server.url}/a", tmp_path / "a", options=QUICK)
    assert "df -h" in (caught.value.hint or "")


def test_disk_that_fills_up_while_writing(server, tmp_path, monkeypatch):
    def full(file, *_):
        raise OSError(errno.ENOSPC, "No space left on device", "a.part")

    monkeypatch.setattr(module, "_append", full)
    with pytest.raises(DiskFull):
        download(f"{server.url}/a", tmp_path / "a", options=QUICK)


def test_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CMBenchError, match="cannot write"):
        download(f"{server.url}/a", tmp_path / "file" / "a", options=QUICK)


@pytest.mark.parametrize("as_url", [True, False])
def test_local_files(tmp_path, as_url):
    source = tmp_path / "with space.bin"
    source.write_bytes(CONTENT)
    url = source.as_uri() if as_url else str(source)
    assert download(url, tmp_path / "out", checksum=SHA256).path.read_bytes() == CONTENT
    assert source.exists()


def test_missing_local_file(tmp_path):
    with pytest.raises(DownloadError, match="no such file"):
        download(str(tmp_path / "nothing"), tmp_path / "out")


def test_unknown_scheme(tmp_path):
    with pytest.raises(DownloadError, match="ftp"):
        download("ftp://example.invalid/a", tmp_path / "out")


def test_part_on_another_file_system(server, tmp_path, monkeypatch):
    """Renaming fails with EXDEV once: the file is copied beside its target and renamed there."""
    real, first = Path.replace, [True]

    def replace(self, target):
        if first.pop() if first else False:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    download(f"{server.url}/a", tmp_path / "t" / "a", checksum=SHA256, partial=tmp_path / "p" / "a.part", options=QUICK)
    assert (tmp_path / "t" / "a").read_bytes() == CONTENT
    assert [p.name for p in (tmp_path / "t").iterdir()] == ["a"]


def _fetch(url, folder):
    download(url, Path(folder) / "a", checksum=SHA256, options=QUICK)


def test_two_processes_want_the_same_file(server, tmp_path):
    pair = [
        multiprocessing.get_context("fork").Process(target=_fetch, args=(f"{server.url}/a", tmp_path)) for _ in "12"
    ]
    for process in pair:
        process.start()
    for process in pair:
        process.join(30)
    assert [process.exitcode for process in pair] == [0, 0]
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert server.sent == len(CONTENT)


def test_names_and_places(monkeypatch, tmp_path):
    assert file_name_of("https://x.org/a/b%20c.tar.gz?download=1#x") == "b c.tar.gz"
    assert file_name_of("https://x.org/") == "download"
    monkeypatch.setenv("CM_REPOS", str(tmp_path))
    assert partial_path("https://x/a", SHA256) == partial_path("https://mirror/b", SHA256)
    assert partial_path("https://x/a").parent == tmp_path / "downloads"
    assert partial_path("https://x/a") != partial_path("https://x/b")


@pytest.mark.parametrize("digest", ["", "abc", "Z" * 64, "0" * 63])
def test_malformed_checksums(digest):
    with pytest.raises(CMBenchError, match="not a sha256"):
        Checksum("sha256", digest)


def test_stronger_checksum_goes_first(tmp_path):
    assert Checksum.of(sha256=SHA256.digest.upper(), md5=MD5.digest) == SHA256
    assert Checksum.of(md5=f" {MD5.digest}\n") == MD5
    assert Checksum.of() is None
    (tmp_path / "a").write_bytes(CONTENT)
    assert verify(tmp_path / "a", MD5).sha256 == SHA256.digest
    with pytest.raises(ChecksumMismatch):
        verify(tmp_path / "a", Checksum("md5", "0" * 32))
    with pytest.raises(CMBenchError, match="no such file"):
        verify(tmp_path / "b", MD5)


def test_chunks_are_reported_as_they_come():
    digest, seen, file = module.Digest(SHA256), [], io.BytesIO()
    for chunk in (CONTENT[:10], CONTENT[10:]):
        module._append(file, chunk, digest, len(CONTENT), lambda *p: seen.append(p))
    assert seen == [(10, len(CONTENT)), (len(CONTENT), len(CONTENT))]
    assert digest.matches()
