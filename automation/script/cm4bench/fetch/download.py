"""Fetch one file: resumable, verified while it streams, put in place atomically.

An unfinished download stays beside its target as `<name>.part` with `<name>.part.json`, which holds what the server
said about the file (size, ETag, date). The next try asks for the rest with `Range` and `If-Range` (RFC 9110, 13.1.5):
a server whose file has changed since answers with the whole new file, and the old part is dropped.

Proxies, `~/.netrc` and certificate bundles are taken from the environment by `requests`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from ..errors import CMBenchError
from ..transfer import report
from .checksum import CHUNK, Checksum, Digest, require_match
from .disk import require_space, writing_to

if TYPE_CHECKING:
    import requests

__all__ = [
    "Download",
    "DownloadError",
    "DownloadOptions",
    "NetworkError",
    "Progress",
    "RemoteRefused",
    "download",
    "file_name_of",
    "partial_path",
]

Progress = Callable[[int, "int | None"], None]
"""Called with (bytes done, bytes in all or None) after each chunk."""


_NETWORK_CHUNK = 1 << 16  # what a breaking connection costs at most


class DownloadError(CMBenchError):
    """A file could not be fetched."""


class NetworkError(DownloadError):
    """The server could not be reached, or the connection kept breaking."""


class RemoteRefused(DownloadError):
    """The server was reached and does not give the file (404, 403, …)."""


@dataclass(frozen=True)
class Download:
    """A file in its place. `size` in bytes; `fetched` is False when a verified copy was already there."""

    path: Path
    size: int
    sha256: str
    fetched: bool = True


@dataclass(frozen=True)
class DownloadOptions:
    """`retries`: tries in a row without a new byte; `backoff`, `timeout` in seconds; `certificates`: a CA bundle."""

    retries: int = 4
    backoff: float = 0.5
    timeout: float = 30.0
    verify_tls: bool = True
    certificates: str = ""

    @property
    def verify(self) -> bool | str:
        """What `requests` wants: a bundle, or whether to check certificates at all."""
        return (self.certificates or True) if self.verify_tls else False


class _Broken(Exception):
    """One try failed in a way that another try may mend."""

    def __init__(self, final: DownloadError, wait: float = 0.0) -> None:
        super().__init__(final.cause)
        self.final = final
        self.wait = wait


class _Partial:
    """The unfinished file and the note about the remote file it is a part of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path.with_name(path.name + ".json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def note(self) -> Mapping[str, Any]:
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def resume_headers(self, url: str) -> dict[str, str]:
        """`Range` and `If-Range`, when there is a start to build on and the server can be held to it."""
        note = self.note()
        if not self.size or note.get("url") != url or not note.get("validator"):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": str(note["validator"])}

    def remember(self, url: str, validator: str, total: int | None) -> None:
        self._note.write_text(json.dumps({"url": url, "validator": validator, "total": total}), encoding="utf-8")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def publish(self, target: Path) -> None:
        _move(self.path, target)
        self._note.unlink(missing_ok=True)


def download(
    url: str,
    target: Path,
    *,
    checksum: Checksum | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
    options: DownloadOptions | None = None,
) -> Download:
    """Bring `url` (http, https, file:// or a plain path) to the file `target`.

    A target that already has the promised checksum is left as it is, without touching the network; any other one is
    replaced once the new file is complete and verified. `partial` is where an unfinished file is kept.

    Raises NetworkError, RemoteRefused, ChecksumMismatch, DiskFull, or DownloadError for an address it cannot read.
    """
    part = _Partial(partial or target.with_name(target.name + ".part"))
    with writing_to(target), _exclusive(part.path):
        # inside the lock: another process may just have brought it
        if checksum and target.is_file() and (have := Digest(checksum).update_from(target)).matches():
            return Download(target, have.size, have.sha256, fetched=False)
        digest = _complete(url, part, checksum, progress or report, options or DownloadOptions())
        part.publish(target)
    return Download(target, digest.size, digest.sha256)


def partial_path(url: str, checksum: Checksum | None = None) -> Path:
    """Where the unfinished file of this request is kept so that a later run, with another target, finds it again.

    In `downloads` below CM's home (`$CM_REPOS`, else `~/CM`).
    """
    home = Path(os.environ.get("CM_REPOS") or Path.home() / "CM")
    identity = hashlib.sha256(f"{checksum or url}".encode()).hexdigest()[:24]
    return home / "downloads" / f"{identity}.part"


def file_name_of(url: str) -> str:
    """The last path component of a URL or path, without the query; `download` where there is none."""
    return Path(unquote(urlsplit(url).path)).name or "download"


def _complete(
    url: str, part: _Partial, checksum: Checksum | None, progress: Progress, options: DownloadOptions
) -> Digest:
    """The whole, verified file in `part`. Bytes kept from an earlier try are given one second chance."""
    local = _local_path(url)
    resumed = bool(part.size)
    digest = _copy(local, part, checksum, progress) if local else _fetch(url, part, checksum, progress, options)
    if not digest.matches() and resumed and local is None:
        part.discard()
        digest = _fetch(url, part, checksum, progress, options)
    if not digest.matches():
        part.discard()
    if checksum:
        require_match(digest, checksum, url)
    return digest


def _local_path(url: str) -> Path | None:
    scheme, host, path, *_ = urlsplit(url)
    if scheme in ("http", "https"):
        return None
    if scheme == "file":
        return Path(url2pathname(path))
    # one letter is a Windows drive, not a scheme
    if len(scheme) > 1 and host:
        raise DownloadError(f"cannot fetch {scheme}:// addresses: {url}", hint="give an http(s) or file:// address")
    return Path(url).expanduser()


def _copy(source: Path, part: _Partial, checksum: Checksum | None, progress: Progress) -> Digest:
    if not source.is_file():
        raise DownloadError(f"no such file: {source}", hint="check the path that was given")
    total = source.stat().st_size
    require_space(part.path.parent, total, source.name)
    digest = Digest(checksum)
    with source.open("rb") as origin, part.path.open("wb") as file:
        while chunk := origin.read(CHUNK):
            _append(file, chunk, digest, total, progress)
    return digest


def _fetch(url: str, part: _Partial, checksum: Checksum | None, progress: Progress, options: DownloadOptions) -> Digest:
    """Try until all bytes are here. Only tries in a row that get no further than before count as failures."""
    furthest, failures = part.size, 0
    while True:
        try:
            return _try_once(url, part, checksum, progress, options)
        except _Broken as problem:
            failures = 0 if part.size > furthest else failures + 1
            furthest = max(furthest, part.size)
            # a server that never gave a byte is more likely unreachable than busy
            if failures > (options.retries if furthest else min(2, options.retries)):
                raise problem.final from problem
            time.sleep(max(problem.wait, options.backoff * 2**failures * random.uniform(0.5, 1.0)))


def _try_once(
    url: str, part: _Partial, checksum: Checksum | None, progress: Progress, options: DownloadOptions
) -> Digest:
    import requests

    headers = {"Accept-Encoding": "identity", **part.resume_headers(url)}
    try:
        with requests.get(
            url, headers=headers, stream=True, timeout=options.timeout, verify=options.verify
        ) as response:
            offset = _accepted_offset(response, part, url)
            return _receive(response, part, offset, url, checksum, progress)
    except requests.RequestException as error:
        raise _diagnose(error, url) from error


def _accepted_offset(response: requests.Response, part: _Partial, url: str) -> int:
    """From which byte on the answer goes. Raises for every answer that is not the file."""
    if response.status_code == 206:
        return _checked_range(response, part, url)
    if response.status_code == 200:
        return 0
    if response.status_code == 416:
        part.discard()
    raise _refusal(response, url)


def _checked_range(response: requests.Response, part: _Partial, url: str) -> int:
    """A server that sends another range, or a file of another size, than agreed is started over."""
    start = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    total = part.note().get("total")
    if start != str(part.size) or (total is not None and _total(response, part.size) != total):
        part.discard()
        raise _Broken(NetworkError(f"{url} keeps changing while it is fetched"))
    return part.size


def _total(response: requests.Response, offset: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return None
    return offset + int(length) if length.isdigit() else None


def _receive(
    response: requests.Response,
    part: _Partial,
    offset: int,
    url: str,
    checksum: Checksum | None,
    progress: Progress,
) -> Digest:
    total = _total(response, offset)
    require_space(part.path.parent, (total or offset) - offset, file_name_of(url))
    digest = Digest(checksum)
    if offset:
        digest.update_from(part.path)
    part.remember(url, _validator(response), total)
    with part.path.open("ab" if offset else "wb") as file:
        for chunk in response.iter_content(_NETWORK_CHUNK):
            _append(file, chunk, digest, total, progress)
        os.fsync(file.fileno())
    if total is not None and digest.size != total:
        raise _Broken(NetworkError(f"{url} broke off after {digest.size} of {total} bytes"))
    return digest


def _append(file: IO[bytes], chunk: bytes, digest: Digest, total: int | None, progress: Progress) -> None:
    file.write(chunk)
    digest.update(chunk)
    progress(digest.size, total)


def _validator(response: requests.Response) -> str:
    """What `If-Range` may carry: a strong ETag, else the date. Weak ETags promise too little."""
    etag = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")


def _refusal(response: requests.Response, url: str) -> Exception:
    status, reason = response.status_code, response.reason or "no reason given"
    if status in (408, 416, 429) or status >= 500:
        wait = response.headers.get("Retry-After", "")
        final = NetworkError(f"{urlsplit(url).netloc} answers {status} ({reason}) for {url}", hint="try again later")
        return _Broken(final, wait=min(float(wait), 60.0) if wait.isdigit() else 0.0)
    hints = {404: "the address is wrong or the file was moved", 401: "the server wants an account"}
    return RemoteRefused(
        f"the server has no such file for us: {status} ({reason}) for {url}",
        hint=hints.get(status, "open the address in a browser to see what the server says"),
    )


def _diagnose(error: requests.RequestException, url: str) -> Exception:
    """A retryable problem, or the final one, from an exception of requests."""
    import requests

    host = urlsplit(url).netloc
    if isinstance(error, requests.exceptions.SSLError):
        return NetworkError(
            f"{host} shows a certificate that this machine does not trust",
            hint="set REQUESTS_CA_BUNDLE to your organisation's certificate bundle",
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return NetworkError(f"the proxy does not let us reach {host}", hint="check HTTPS_PROXY, HTTP_PROXY, NO_PROXY")
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema)):
        return DownloadError(f"not an address: {url}")
    return _Broken(
        NetworkError(
            f"no connection to {host} ({_root_cause(error)})",
            hint=f"check the network (and HTTPS_PROXY), then run the same command again: {url} will be resumed",
        )
    )


def _root_cause(error: BaseException) -> str:
    """The innermost message: libraries wrap `Name or service not known` several times."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__


def _move(source: Path, target: Path) -> None:
    """Rename; from another file system, copy beside the target first so that the last step is a rename too."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        handle, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
        shutil.copyfile(source, beside)
        Path(beside).replace(target)
        source.unlink()


@contextlib.contextmanager
def _exclusive(part: Path) -> Iterator[None]:
    """One writer per unfinished file; a second process waits here, then finds its work done."""
    from filelock import FileLock

    part.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(part.with_name(part.name + ".lock")):
        yield
