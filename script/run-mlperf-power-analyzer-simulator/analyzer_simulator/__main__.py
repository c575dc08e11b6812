"""Start the simulator: `python -m analyzer_simulator -p 8888 49 /dev/usbtmc0`."""

from __future__ import annotations

import os
import signal
import sys

from analyzer_simulator import console
from analyzer_simulator.daemon import serve
from analyzer_simulator.devices import DEVICES, Channels
from analyzer_simulator.load import Load, follow
from analyzer_simulator.meter import Meter
from analyzer_simulator.options import Fault, Options, read
from analyzer_simulator.protocol import Protocol


def main() -> int:
    """Serve until ended; 1 where that could not even begin."""
    # As PTDaemon does: what ends it is the server, at any moment.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    options = read(sys.argv[1:], os.environ)
    _banner(options)
    if Fault.UNREACHABLE in options.faults:
        console.say(f"ERROR: no answer from {options.device_port}; no meter is connected")
        return 1
    try:
        serve(options, Protocol(options, _meter(options)))
    except (OSError, ValueError) as error:
        console.say(f"ERROR: {error}")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _meter(options: Options) -> Meter:
    device = DEVICES[options.device]
    load = Load(options.idle_watts, options.busy_watts, follow(options.follow), options.volts, options.seed)
    meter = Meter(device, Channels.of(options.device, options.channel), load)
    console.say(f"Uncertainty checking for {device.name} is activated")
    console.say(f"Connected to {device.name} successfully")
    return meter


def _banner(options: Options) -> None:
    name = DEVICES[options.device].name
    console.plain(f"Selected power meter '{name}', simulated: no watt below was measured")
    console.plain(f"Version {options.version}-simulated")
    if options.log:
        console.plain(f"Redirecting data output to file {options.log}")
    console.say(f"Attempting to connect to measurement device type {options.device}...")


if __name__ == "__main__":
    sys.exit(main())
