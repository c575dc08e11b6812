"""Package artefacts: index pages, pip's own settings, and apt as an ordinary user."""

import hashlib
import json
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.file_server import FileServer

from cm4bench.fetch import artifact as module
from cm4bench.fetch.artifact import (
    ArtifactError,
    DebianArtifact,
    Link,
    PipSettings,
    PyPIArtifact,
    fetch_debian,
    fetch_pypi,
    parse_index,
)
from cm4bench.fetch.checksum import ChecksumMismatch
from cm4bench.fetch.download import NetworkError

CONTENT = b"a wheel" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WHEEL = "some_data-1.0-py3-none-any.whl"
ARTIFACT = PyPIArtifact("Some.Data", "1.0", SHA256, WHEEL)


@pytest.fixture
def index():
    with FileServer(CONTENT) as server:
        yield server


def serve_html(server, fragment=f"#sha256={SHA256}"):
    page = f'<html><a href="other-1.0.zip">other</a><a href="../../files/{WHEEL}{fragment}">{WHEEL}</a></html>'
    server.pages["/simple/some-data/"] = ("text/html; charset=utf-8", page.encode())
    return PipSettings((f"{server.url}/simple",))


def test_html_index(index, tmp_path):
    done = fetch_pypi(ARTIFACT, tmp_path, settings=serve_html(index))
    assert done.path == tmp_path / WHEEL
    assert done.path.read_bytes() == CONTENT
    assert [r["path"] for r in index.requests] == ["/simple/some-data/", f"/files/{WHEEL}"]


def test_json_index(index, tmp_path):
    files = [{"filename": WHEEL, "url": f"{index.url}/x/{WHEEL}", "hashes": {"sha256": SHA256}}]
    index.pages["/simple/some-data/"] = ("application/vnd.pypi.simple.v1+json", json.dumps({"files": files}).encode())
    settings = PipSettings((f"{index.url}/simple/",))
    assert fetch_pypi(ARTIFACT, tmp_path, settings=settings).size == len(CONTENT)


def test_file_is_known_by_its_digest_alone(index, tmp_path):
    nameless = PyPIArtifact("some-data", "1.0", SHA256)
    assert fetch_pypi(nameless, tmp_path, settings=serve_html(index)).path.name == WHEEL


def test_same_name_with_another_digest_is_another_file(index, tmp_path):
    settings = serve_html(index, "#sha256=" + "1" * 64)
    with pytest.raises(ArtifactError, match="no package index has") as caught:
        fetch_pypi(ARTIFACT, tmp_path, settings=settings)
    assert index.url in caught.value.cause


def test_index_without_digests_is_verified_all_the_same(index, tmp_path):
    settings = serve_html(index, "")
    index.content = b"tampered"
    with pytest.raises(ChecksumMismatch):
        fetch_pypi(ARTIFACT, tmp_path, settings=settings)
    assert not (tmp_path / WHEEL).exists()


def test_second_index_and_find_links_folder(index, tmp_path):
    index.statuses = [404]
    settings = serve_html(index)
    both = PipSettings((f"{index.url}/empty", *settings.indexes))
    assert fetch_pypi(ARTIFACT, tmp_path / "a", settings=both).fetched
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / WHEEL).write_bytes(CONTENT)
    for place in (str(folder), folder.as_uri()):
        done = fetch_pypi(ARTIFACT, tmp_path / "b", settings=PipSettings((), (place,)))
        assert done.sha256 == SHA256


def test_index_on_disk(tmp_path):
    (tmp_path / "simple" / "some-data").mkdir(parents=True)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / WHEEL).write_bytes(CONTENT)
    page = f'<a href="../../files/{WHEEL}#sha256={SHA256}">x</a>'
    (tmp_path / "simple" / "some-data" / "index.html").write_text(page)
    settings = PipSettings(((tmp_path / "simple").as_uri(),))
    assert fetch_pypi(ARTIFACT, tmp_path / "out", settings=settings).size == len(CONTENT)


def test_no_network(tmp_path):
    with pytest.raises(NetworkError, match="package index 127"):
        fetch_pypi(ARTIFACT, tmp_path, settings=PipSettings(("http://127.0.0.1:9/simple",)))


def test_one_dead_index_does_not_hide_a_living_one(index, tmp_path):
    settings = PipSettings(("http://127.0.0.1:9/simple", *serve_html(index).indexes))
    assert fetch_pypi(ARTIFACT, tmp_path, settings=settings).fetched


def test_interrupted_fetch_resumes(index, tmp_path):
    index.drops = [10**6, 3000]  # the page whole, the file not
    assert fetch_pypi(ARTIFACT, tmp_path, settings=serve_html(index)).path.read_bytes() == CONTENT


LISTING = """\
:env:.index-url='https://env.example/simple'
download.find-links='/w1 /w2'
global.cert='/etc/ca.pem'
global.extra-index-url='file:///a/simple https://b.example/simple'
global.index-url='https://global.example/simple'
install.find-links='/not-for-download'
"""


def test_pip_settings_in_pip_order():
    settings = PipSettings.parse(LISTING)
    assert settings.indexes == ("https://env.example/simple", "file:///a/simple", "https://b.example/simple")
    assert settings.find_links == ("/w1", "/w2")
    assert settings.certificates == "/etc/ca.pem"
    assert PipSettings.parse("").indexes == ("https://pypi.org/simple",)
    assert PipSettings.parse("global.no-index='true'").indexes == ()


def test_settings_of_the_pip_that_is_here(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://from-env.example/simple")
    assert PipSettings.of().indexes[0] == "https://from-env.example/simple"


def test_python_without_pip(tmp_path):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(ArtifactError, match="no working pip"):
        PipSettings.of(str(fake))


@given(text=st.text(alphabet="<>a=\"'/ #?&href\n", max_size=200))
def test_any_page_can_be_parsed(text):
    for link in parse_index(text, "http://x/simple/p/", "text/html"):
        assert isinstance(link, Link)


@given(listing=st.lists(st.tuples(st.sampled_from(["global", ":env:", "install"]), st.text(max_size=30)), max_size=5))
def test_any_setting_survives_the_listing(listing):
    """pip prints values with repr(); quotes, blanks and line breaks come back as they were."""
    text = "\n".join(f"{section}.cert={value!r}" for section, value in listing)
    given_ = [value for wanted in ("global", ":env:") for section, value in listing if section == wanted]
    assert PipSettings.parse(text).certificates == (given_[-1] if given_ else "")


FAKE_APT = """#!/bin/sh
# knows package "known"; needs private lists for "fresh"
echo "$@" >> "$APT_LOG"
case "$*" in
    *"download known"*) cp "$APT_DEB" ./known_1_all.deb ;;
    *Dir::State::Lists*update*) ${APT_UPDATE:-true} || { echo "E: Could not resolve 'deb.example'" >&2; exit 100; } ;;
    *Dir::State::Lists*"download fresh"*) cp "$APT_DEB" ./fresh_1_all.deb ;;
    *) echo "E: Unable to locate package x" >&2; exit 100 ;;
esac
"""


@pytest.fixture
def apt(tmp_path, monkeypatch):
    tool = tmp_path / "bin" / "apt-get"
    tool.parent.mkdir()
    tool.write_text(FAKE_APT)
    tool.chmod(0o755)
    (tmp_path / "x.deb").write_bytes(CONTENT)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("APT_DEB", str(tmp_path / "x.deb"))
    monkeypatch.setenv("APT_LOG", str(tmp_path / "apt.log"))
    return tmp_path


def test_debian_package_of_the_system_lists(apt):
    done = fetch_debian(DebianArtifact("known", sha256=SHA256), apt / "out", lists=apt / "lists")
    assert (done.path.name, done.sha256) == ("known_1_all.deb", SHA256)
    assert not (apt / "lists").exists()


def test_debian_package_with_lists_of_our_own(apt):
    assert fetch_debian(DebianArtifact("fresh"), apt / "out", lists=apt / "lists").size == len(CONTENT)
    assert f"Dir::State::Lists={apt / 'lists' / 'lists'}" in (apt / "apt.log").read_text()


def test_debian_package_nobody_has(apt):
    with pytest.raises(ArtifactError, match="Unable to locate") as caught:
        fetch_debian(DebianArtifact("nothing", "1.2"), apt / "out", lists=apt / "lists")
    assert caught.value.hint == "apt-cache policy nothing"


def test_debian_without_network(apt, monkeypatch):
    monkeypatch.setenv("APT_UPDATE", "false")
    with pytest.raises(NetworkError, match="Debian mirror"):
        fetch_debian(DebianArtifact("fresh"), apt / "out", lists=apt / "lists")


def test_debian_package_with_the_wrong_digest(apt):
    with pytest.raises(ChecksumMismatch):
        fetch_debian(DebianArtifact("known", sha256="0" * 64), apt / "out", lists=apt / "lists")


def test_machine_without_apt(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    with pytest.raises(ArtifactError, match="no apt-get"):
        fetch_debian(DebianArtifact("known"), tmp_path, lists=tmp_path / "lists")
