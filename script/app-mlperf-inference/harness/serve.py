"""The node with the model: `python -m harness.serve CONFIG.json [--host H] [--port P]`, in the foreground.

CONFIG.json is a RunConfig, of which model, backend, device, precision, batch size and threads are used. Data set and
loadgen stay with the client (`backends/network.py`). No sample is kept: every query must bring its data over the
network (MLPerf inference rules, network division). The server trusts whoever reaches its port; keep it to a network
of your own.
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path
from typing import Any

from harness import registry
from harness.config import RunConfig
from harness.errors import HarnessError

KEEP_ALIVE_S = 3600  # a connection that was idle for long must not die under a measurement


def main(arguments: list[str] | None = None) -> int:
    """Load the model and serve until SIGTERM or Ctrl-C; exit code 1 for a diagnosed failure."""
    parser = argparse.ArgumentParser(prog="python -m harness.serve", description="serve a model as network SUT")
    parser.add_argument("config", help="RunConfig as JSON")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (default 8765)")
    options = parser.parse_args(arguments)
    try:
        serve(RunConfig.read(Path(options.config)), options.host, options.port)
    except HarnessError as error:
        print(f"FAILED ({error.kind}): {error.cause}", *([f"next:   {error.hint}"] if error.hint else []), sep="\n")
        return 1
    return 0


def serve(config: RunConfig, host: str, port: int) -> None:
    """Serve until the process is told to end.

    Raises:
        HarnessError: kind `network` where the port cannot be had, or whatever the backend raises while loading.
    """
    uvicorn = _import_uvicorn()
    from harness.network import app, batcher

    socket = _listen(host, port)
    registry.add_paths(config.task_path)
    if config.backend == "network":
        raise HarnessError("config", "a SUT server needs a backend that computes, not 'network'")
    backend = registry.resolve("backend", config.backend)(config, "none")
    facts = _load(backend)
    address, taken = socket.getsockname()[:2]
    description = app.describe(config, facts, f"{platform.node()}:{taken}")
    worker = batcher.Batcher(backend, config.batch_size)
    app.started(f"http://{address}:{taken}")
    settings = uvicorn.Config(
        app.build(description, worker),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(settings).run(sockets=[socket])


def _load(backend: Any) -> Any:
    try:
        return backend.load()
    except HarnessError:
        raise
    except Exception as error:
        raise HarnessError("load", f"the backend raised {type(error).__name__} while loading: {error}") from error


def _listen(host: str, port: int) -> Any:
    """Taken before the model is loaded, so that a port in use is told at once."""
    import socket

    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1024)
        # Accepted connections inherit it. Without it an answer, sent in two parts, waits 40 ms for an acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise HarnessError(
            "network",
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            "give another --port, or 0 for a free one",
        ) from error


def _import_uvicorn() -> Any:
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise HarnessError("load", f"the SUT server needs {error.name}", "pip install uvicorn starlette") from error
    return uvicorn


if __name__ == "__main__":
    sys.exit(main())
