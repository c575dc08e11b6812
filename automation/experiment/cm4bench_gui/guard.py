"""What every request must pass: the right host, the right origin. And what every answer tells the browser to forbid.

A page of another site can make a browser send requests to this machine, and can give its own host name our address
(DNS rebinding). Both show in the headers Host and Origin, which a page cannot choose.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

NAMES = ("127.0.0.1", "localhost", "[::1]")
SOCKET = "/_nicegui_ws/"
# `unsafe-eval`: the page is put together by Vue's compiler. No other origin is ever spoken to.
_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SCRIPT = re.compile(rb"<script(?=[\s>])")


class Guard:
    """An ASGI application around another one. ``port`` is where it is served."""

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in NAMES} | ({*NAMES} if port == 80 else set())

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        why = self.refusal(scope)
        if why and scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": 1008, "reason": why})
        if why:
            return await _refuse(send, why)
        return await self._app(scope, receive, Answer(send).send if scope["type"] == "http" else send)

    def refusal(self, scope: Message) -> str:
        """Why this request is not answered; empty if it is."""
        hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "this app answers to its own address only"
        if any(origin.lower() not in {f"http://{host}" for host in self._hosts} for origin in origins):
            return "requests of other sites are refused"
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD") and not scope["path"].startswith(SOCKET):
            return "addresses of this app are for reading"
        return ""


class Answer:
    """One answer on its way out: headers are added, and the scripts of a page get the nonce that lets them run."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._nonce = secrets.token_urlsafe(16).encode()
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Pass a message on; a page is kept back until it is whole."""
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
            kind = dict(message["headers"]).get(b"content-type", b"")
            own_policy = any(name == b"content-security-policy" for name, _ in message["headers"])
            if kind.startswith(b"text/html") and not own_policy:
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._page(self._start)

    async def _page(self, start: Message) -> None:
        body = _SCRIPT.sub(b'<script nonce="' + self._nonce + b'"', self._body)
        policy = _POLICY.format(nonce=self._nonce.decode()).encode()
        kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        more = [(b"content-length", str(len(body)).encode()), (b"content-security-policy", policy)]
        await self._send({**start, "headers": [*kept, *more]})
        await self._send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, why: str) -> None:
    body = why.encode()
    headers: Iterable[tuple[bytes, bytes]] = ((b"content-type", b"text/plain"), *_HEADERS)
    await send({"type": "http.response.start", "status": 403, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def _values(scope: Message, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
