"""The listener: one client at a time, on this host only, until the process is ended."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable

from analyzer_simulator import console
from analyzer_simulator.options import Fault, Options
from analyzer_simulator.protocol import Protocol

USB_AFTER_S = 0.4


def serve(options: Options, protocol: Protocol) -> None:
    """Listen and answer.

    Raises:
        OSError: the port cannot be listened on.
    """
    console.say(f"Establishing the listener on port {options.port}...")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", options.port))
        listener.listen(1)
        while True:
            console.say("Waiting for a connection...")
            connection, (host, port) = listener.accept()
            console.say(f"Accepted connection from {host}:{port}")
            with connection:
                _converse(connection, protocol, options)
            protocol.end()


def _converse(connection: socket.socket, protocol: Protocol, options: Options) -> None:
    try:
        with connection.makefile("rwb") as stream:
            for line in stream:
                request = line.decode("ascii", errors="replace").strip()
                replies = protocol.answer(request)
                for reply in replies:
                    stream.write(f"{reply}\r\n".encode())
                    _echo(reply)
                stream.flush()
                _aftermath(replies, protocol, options)
    except OSError:
        pass  # the client has gone
    console.say("No data returned by socket read.")
    console.say("Shutting connection down...")
    console.say("Connection is down.")


def _echo(reply: str) -> None:
    if reply.startswith("Time,"):
        console.plain(reply)
    else:
        console.say(f"Response to client sent: {reply}")


def _aftermath(replies: list[str], protocol: Protocol, options: Options) -> None:
    """What follows a reply: the words after a measurement, and faults that come with the second one."""
    first = replies[0] if replies else ""
    if first.startswith("Stopping ") and protocol.measurement:
        time.sleep(0.02)  # never the very millisecond of the last sample's complaint
        console.say("Completed test")
        console.say(protocol.measurement.summary())
        if Fault.DEBRIS in options.faults:
            time.sleep(0.05)
            console.say("ERROR: Bad reading from the meter")
    if first.startswith("Starting ") and protocol.measured > 1:
        if Fault.USB in options.faults:
            _later(USB_AFTER_S, lambda: console.say("ERROR: USB."))
        if Fault.DROP in options.faults:
            _later(options.drop_after, lambda: os._exit(1))


def _later(seconds: float, action: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
