"""A loopback HTTP server for one file, which can misbehave in the ways real servers do."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """Serves `content` at every path that is not in `pages`. Counts what it was asked for."""

    content: bytes = b""
    etag: str = '"v1"'
    ranges: bool = True
    drops: list[int] = field(default_factory=list)  # break off the next answers after so many bytes
    statuses: list[int] = field(default_factory=list)  # answer the next requests with these
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    url: str = ""

    def __enter__(self) -> FileServer:
        self._server = _QuietServer(("127.0.0.1", 0), _handler_of(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _QuietServer(ThreadingHTTPServer):
    """A client that goes away in the middle is what the tests want, and no news."""

    def handle_error(self, *_: object) -> None:
        pass


def _handler_of(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            server.requests.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
            if server.statuses:
                self.send_error(server.statuses.pop(0))
            elif self.path in server.pages:
                kind, body = server.pages[self.path]
                self._answer(200, body, {"Content-Type": kind})
            else:
                self._send_file()

        def _send_file(self) -> None:
            start = self._start()
            headers = {"ETag": server.etag} if server.etag else {}
            if start is None:
                self._answer(200, server.content, headers)
            elif start >= len(server.content):
                self.send_error(416)
            else:
                last = len(server.content) - 1
                headers["Content-Range"] = f"bytes {start}-{last}/{len(server.content)}"
                self._answer(206, server.content[start:], headers)

        def _start(self) -> int | None:
            wanted = self.headers.get("Range")
            if not wanted or not server.ranges or self.headers.get("If-Range", server.etag) != server.etag:
                return None
            return int(wanted.removeprefix("bytes=").partition("-")[0])

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if server.drops:
                body = body[: server.drops.pop(0)]
                self.close_connection = True
            self.wfile.write(body)
            server.sent += len(body)

    return Handler
