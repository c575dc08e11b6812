"""Clocks: the offset from an NTP server (SNTP, RFC 4330), and the difference between client and server.

A power log and a loadgen log are joined by their times alone, so the rules allow 400 ms and no more.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from mlperf_power.errors import PowerError

LIMIT_S = 0.4
# A busy host or network answers late, which looks like a clock that is off; the best of a few answers tells.
TRIES = 3
NTP_PORT = 123
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
_VERSION_4_CLIENT = 0x23
_SERVER_MODE = 4
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Offset:
    """How far this clock is behind the server's, and how long the packets were under way; seconds."""

    seconds: float
    delay: float


def ask_ntp(server: str, patience: float = _PATIENCE_S) -> Offset:
    """Ask an NTP server, `host` or `host:port`, for the time.

    Raises:
        PowerError: not reachable, no answer in time, or an answer that is none.
    """
    host, _, port = server.partition(":")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, int(port or NTP_PORT), type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as sock:
            sock.settimeout(patience)
            sent = time.time()
            sock.sendto(struct.pack(">B39xQ", _VERSION_4_CLIENT, _fixed_point(sent)), address)
            reply = sock.recv(512)
            received = time.time()
    except (OSError, ValueError) as error:
        raise _no_time(server, f"it does not answer: {error}") from error
    return _offset(server, reply, sent, received)


def require_ntp(server: str, whose: str = "this host's") -> Offset:
    """The offset, if one of a few tries is within the limit. Raises PowerError: none is, or it cannot be told."""
    offset = ask_ntp(server)
    for _ in range(TRIES - 1):
        if abs(offset.seconds) < LIMIT_S:
            break
        offset = min(offset, ask_ntp(server), key=lambda one: one.delay)
    if abs(offset.seconds) >= LIMIT_S:
        found = f"{offset.seconds * 1000:.0f} ms from {server}"
        raise PowerError(
            f"{whose} clock is off by {found}; the limit is {LIMIT_S * 1000:.0f} ms",
            f"set it and try again: sudo ntpdate -b {server.partition(':')[0]}   (or: sudo chronyc makestep)",
        )
    return offset


def difference(remote_time: Callable[[], float]) -> float:
    """The largest difference, in seconds, between our clock and a remote one, the journey there and back included."""
    before, remote, after = time.time(), remote_time(), time.time()
    return max(before - remote, after - remote, key=abs)


def require_close(remote_time: Callable[[], float]) -> float:
    """The difference, if it is within the limit in one of a few tries. Raises PowerError if it is not."""
    found = difference(remote_time)
    for _ in range(TRIES - 1):
        if abs(found) <= LIMIT_S:
            break
        found = min(found, difference(remote_time), key=abs)
    if abs(found) > LIMIT_S:
        raise PowerError(
            f"the clocks of client and server differ by {found * 1000:.0f} ms; the limit is {LIMIT_S * 1000:.0f} ms",
            "set both from one NTP server, as: sudo ntpdate -b SERVER   (or: sudo chronyc makestep)",
        )
    return found


def _offset(server: str, reply: bytes, sent: float, received: float) -> Offset:
    if len(reply) < 48:
        raise _no_time(server, f"its answer has {len(reply)} bytes, not 48")
    first, stratum = reply[0], reply[1]
    echoed, arrived, left = struct.unpack(">QQQ", reply[24:48])
    if first & 7 != _SERVER_MODE or not 0 < stratum < 16 or not left or echoed != _fixed_point(sent):
        raise _no_time(server, "its answer is not that of a synchronised NTP server to our question")
    remote_in, remote_out = _unix(arrived), _unix(left)
    return Offset(((remote_in - sent) + (remote_out - received)) / 2, (received - sent) - (remote_out - remote_in))


def _fixed_point(moment: float) -> int:
    return int((moment + _NTP_EPOCH) * 2**32)


def _unix(stamp: int) -> float:
    return stamp / 2**32 - _NTP_EPOCH


def _no_time(server: str, why: str) -> PowerError:
    return PowerError(
        f"no time from the NTP server {server}: {why}", "name one that this host can reach: --ntp_server=HOST"
    )
