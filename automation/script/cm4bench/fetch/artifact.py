"""Data and models that package repositories carry: fetch one file of PyPI or one Debian package, without installing it.

PyPI files are found through the indexes of the user's own pip configuration (PEP 503 and PEP 691 pages, `--find-links`
folders) and fetched by `download`: no setup.py is run, and a broken download resumes. Debian packages come through apt,
which checks them against the signed lists; no root is needed.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

from ..errors import CMBenchError, did_you_mean
from .checksum import Checksum, verify
from .download import Download, DownloadOptions, NetworkError, Progress, download, file_name_of

__all__ = [
    "ArtifactError",
    "DebianArtifact",
    "Link",
    "PipSettings",
    "PyPIArtifact",
    "fetch_debian",
    "fetch_pypi",
    "locate",
    "parse_index",
]

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_NO_NETWORK = ("Could not resolve", "Temporary failure", "Could not connect", "Connection failed", "Network is unreach")


class ArtifactError(CMBenchError):
    """No configured package repository has the artefact."""


@dataclass(frozen=True)
class PyPIArtifact:
    """One file of one release. `sha256` identifies it; `filename` may be empty."""

    name: str
    version: str
    sha256: str
    filename: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}" + (f" ({self.filename})" if self.filename else "")


@dataclass(frozen=True)
class DebianArtifact:
    """One binary package. Without `sha256` apt's signed lists alone vouch for it."""

    name: str
    version: str = ""
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.version}" if self.version else self.name


@dataclass(frozen=True)
class Link:
    """A file on an index page; `sha256` is empty where the page gives none."""

    filename: str
    url: str
    sha256: str = ""

    def is_of(self, artifact: PyPIArtifact) -> bool:
        """Is this the artefact? A page that gives another digest for the same name is talking of another file."""
        if self.sha256:
            return self.sha256 == artifact.sha256
        return bool(artifact.filename) and self.filename == artifact.filename


@dataclass(frozen=True)
class PipSettings:
    """Where the user's pip looks for packages, in its own order, and the certificates it trusts."""

    indexes: tuple[str, ...] = ("https://pypi.org/simple",)
    find_links: tuple[str, ...] = ()
    certificates: str = ""

    @classmethod
    def of(cls, python: str = sys.executable) -> PipSettings:
        """Ask the pip of `python`. Raises ArtifactError when it has none."""
        command = [python, "-m", "pip", "--disable-pip-version-check", "config", "list"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ArtifactError(f"{python} has no working pip", hint=f"{python} -m ensurepip")
        return cls.parse(done.stdout)

    @classmethod
    def parse(cls, listing: str) -> PipSettings:
        """Read `pip config list`: for `pip download`, its own section goes over `global`, `PIP_*` over both."""
        values: dict[str, str] = {}
        for section in ("global", "download", ":env:"):
            values.update(_section(listing, section))
        offline = values.get("no-index", "").lower() in ("1", "true", "yes", "on")
        main = values.get("index-url", "https://pypi.org/simple")
        indexes = () if offline else (main, *values.get("extra-index-url", "").split())
        return cls(indexes, tuple(values.get("find-links", "").split()), values.get("cert", ""))


def fetch_pypi(
    artifact: PyPIArtifact,
    folder: Path,
    *,
    settings: PipSettings | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Download:
    """Fetch the file into `folder` under its own name. `settings` default to those of this interpreter's pip.

    Raises ArtifactError when no index lists it, NetworkError, ChecksumMismatch or DiskFull.
    """
    settings = settings or PipSettings.of()
    checksum = Checksum("sha256", artifact.sha256)
    link = locate(artifact, settings)
    options = DownloadOptions(certificates=settings.certificates)
    target = folder / link.filename
    return download(link.url, target, checksum=checksum, partial=partial, progress=progress, options=options)


def fetch_debian(artifact: DebianArtifact, folder: Path, *, lists: Path) -> Download:
    """Fetch the .deb into `folder` with `apt-get download`, as an ordinary user.

    When the system's package lists do not know the package, fresh ones are fetched into the folder `lists`.

    Raises ArtifactError (no apt, unknown package), NetworkError or ChecksumMismatch.
    """
    if shutil.which("apt-get") is None:
        raise ArtifactError(
            f"{artifact} is a Debian package and this machine has no apt-get",
            hint="use a variation of the script that needs no Debian package",
        )
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob("*.deb"))
    if _apt(["download", str(artifact)], folder, private=None):
        problem = _apt(["update"], folder, private=lists) or _apt(["download", str(artifact)], folder, private=lists)
        if problem:
            raise _apt_error(artifact, problem)
    path = next(iter(set(folder.glob("*.deb")) - before), None)
    if path is None:
        raise ArtifactError(f"apt-get download {artifact} left no .deb file in {folder}")
    digest = verify(path, Checksum.of(sha256=artifact.sha256))
    return Download(path, digest.size, digest.sha256)


def locate(artifact: PyPIArtifact, settings: PipSettings) -> Link:
    """The first of pip's places that lists the file. One that cannot be read is passed over if another has it.

    Raises ArtifactError when no place lists it, NetworkError when that may be for want of a connection.
    """
    unread: NetworkError | None = None
    seen: list[Link] = []
    for place in (*settings.find_links, *settings.indexes):
        try:
            links = _links_at(place, artifact, settings)
        except NetworkError as error:
            unread = unread or error
            continue
        found = next((link for link in links if link.is_of(artifact)), None)
        if found:
            return found
        seen += links
    raise unread or _not_listed(artifact, settings, seen)


def parse_index(page: str, url: str, content_type: str) -> list[Link]:
    """The links of a PEP 691 (JSON) or PEP 503 (HTML) page that was read from `url`."""
    if "json" in content_type:
        files = json.loads(page).get("files", ())
        return [Link(f["filename"], urljoin(url, f["url"]), f.get("hashes", {}).get("sha256", "")) for f in files]
    parser = _Anchors()
    parser.feed(page)
    return [_link(urljoin(url, href)) for href in parser.hrefs]


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.hrefs += [value for name, value in attrs if name == "href" and value]


def _link(address: str) -> Link:
    url, fragment = urldefrag(address)
    return Link(file_name_of(url), url, fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else "")


def _section(listing: str, section: str) -> Iterator[tuple[str, str]]:
    """The settings of one section of `pip config list`, whose lines read `section.key='value'`."""
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        if key.startswith(section + "."):
            yield key[len(section) + 1 :], str(ast.literal_eval(value))


def _links_at(place: str, artifact: PyPIArtifact, settings: PipSettings) -> Sequence[Link]:
    if place in settings.indexes:
        project = re.sub(r"[-_.]+", "-", artifact.name).lower()
        place = f"{place.rstrip('/')}/{project}/"
    if urlsplit(place).scheme in ("http", "https"):
        return _remote_links(place, settings)
    folder = Path(url2pathname(urlsplit(place).path)) if place.startswith("file:") else Path(place).expanduser()
    page = folder / "index.html"
    if page.is_file():
        return parse_index(page.read_text(encoding="utf-8"), page.as_uri(), "text/html")
    return [Link(file.name, str(file)) for file in folder.glob("*")] if folder.is_dir() else []


def _remote_links(url: str, settings: PipSettings) -> Sequence[Link]:
    import requests

    try:
        answer = requests.get(url, headers={"Accept": _ACCEPT}, timeout=30, verify=settings.certificates or True)
    except requests.RequestException as error:
        raise NetworkError(
            f"no connection to the package index {urlsplit(url).netloc}",
            hint="check the network (and HTTPS_PROXY), or set another index: pip config set global.index-url URL",
        ) from error
    if answer.status_code != 200:
        return []
    return parse_index(answer.text, answer.url, answer.headers.get("Content-Type", ""))


def _not_listed(artifact: PyPIArtifact, settings: PipSettings, seen: Sequence[Link]) -> ArtifactError:
    places = ", ".join((*settings.indexes, *settings.find_links)) or "nowhere (pip is set to no-index)"
    near = did_you_mean(artifact.filename, [link.filename for link in seen]) if artifact.filename else ""
    return ArtifactError(
        f"no package index has {artifact} with sha256 {artifact.sha256[:16]}…; looked at {places}{near}",
        hint="pip config list shows where pip looks; pip index versions NAME shows what is there",
    )


def _apt(arguments: Sequence[str], folder: Path, *, private: Path | None) -> str:
    """Run apt-get in `folder`; its complaint, or an empty string. `private`: a folder for lists of our own."""
    command = ["apt-get", "--quiet=2"]
    if private is not None:
        for name in ("lists/partial", "cache/archives/partial"):
            (private / name).mkdir(parents=True, exist_ok=True)
        command += ["-o", f"Dir::State::Lists={private / 'lists'}", "-o", f"Dir::Cache={private / 'cache'}"]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip() or f"apt-get ended with {done.returncode}"


def _apt_error(artifact: DebianArtifact, problem: str) -> CMBenchError:
    cause = next((line for line in problem.splitlines() if line.startswith("E:")), problem.splitlines()[-1])
    if any(sign in problem for sign in _NO_NETWORK):
        return NetworkError(f"no connection to the Debian mirror: {cause}", hint="check the network, then run again")
    return ArtifactError(f"apt has no {artifact}: {cause}", hint=f"apt-cache policy {artifact.name}")
