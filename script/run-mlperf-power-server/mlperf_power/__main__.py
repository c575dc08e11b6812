"""The command line: `python -m mlperf_power server|client|wrap|check|figure`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NoReturn

from mlperf_power import checks, clocks, launch
from mlperf_power.client import ClientSettings, measure
from mlperf_power.errors import PowerError
from mlperf_power.figure import metric
from mlperf_power.journal import log, open_journal
from mlperf_power.rounds import NEWEST, facts
from mlperf_power.settings import PORT, read_settings
from mlperf_power.wrapping import adopt, measured_folder

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0, or 1 with the cause on stderr, or 130 after Ctrl-C."""
    given = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)  # what ends us otherwise must still leave the analyzer as it was
    try:
        return int(given.act(given))
    except PowerError as error:
        print(f"\nerror: {error.cause}" + (f"\n  {error.hint}" if error.hint else ""), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nended: the measurement was stopped", file=sys.stderr)
        return INTERRUPTED


def _serve(given: argparse.Namespace) -> int:
    from mlperf_power.server import Server, probe

    settings = read_settings(given.settings)
    if given.power_dev:
        _become(launch.server_command(given.power_dev, given.settings, sys.executable), given.power_dev)
    settings = replace(settings, settle=given.settle)
    journal = open_journal("ptd-server")
    clocks.require_ntp(settings.ntp_server, "the power server's")
    server = Server(settings, journal)
    accepted = facts(given.round).ptd_versions
    for identity in probe(settings):
        if not any(f"version={version}-" in identity for version in accepted):
            raise PowerError(
                f"this PTDaemon is none that round {given.round} accepts ({', '.join(accepted)}): {identity}",
                'get that release: cmr "get spec ptd"; or name another round: --round=ROUND',
            )
        if "simulated" in identity:
            log.warning("the analyzer is simulated: what it shows are no measured watts, and no result to submit")
    server.serve()
    return 0


def _measure(given: argparse.Namespace) -> int:
    settings = _client_settings(given)
    if given.power_dev:
        _become(launch.client_command(given.power_dev, settings, sys.executable), given.power_dev)
    settings.output.mkdir(parents=True, exist_ok=True)
    print(f"measured: {measure(settings, open_journal('client'))}")
    return 0


def _wrap(given: argparse.Namespace) -> int:
    given.command = shlex.join(word for word in given.words if word != "--")
    given.loadgen_logs, given.output = given.performance / "run_1", measured_folder(given.performance)
    settings = _client_settings(given)
    settings.output.mkdir(parents=True, exist_ok=True)
    if given.power_dev:
        command = launch.client_command(given.power_dev, settings, sys.executable)
        environment = launch.environment(given.power_dev, dict(os.environ))
        if subprocess.run(command, env=environment).returncode:
            raise PowerError("power-dev's client failed", "its own words are above")
    else:
        measure(settings, open_journal("client"))
    adopt(given.performance)
    print(f"measured: {given.performance}")
    return 0


def _client_settings(given: argparse.Namespace) -> ClientSettings:
    fixed = (given.max_volts, given.max_amps)
    return ClientSettings(
        server=given.server,
        ntp_server=given.ntp_server,
        command=given.command,
        loadgen_logs=given.loadgen_logs,
        output=given.output,
        port=given.port,
        label=given.label,
        fixed_ranges=(fixed[0], fixed[1]) if all(fixed) else None,
        command_timeout=given.command_timeout,
        stop_server=given.stop_server,
    )


def _check(given: argparse.Namespace) -> int:
    findings = checks.check(given.folder, given.round)
    if given.json:
        given.json.write_text(json.dumps([asdict(finding) for finding in findings], indent=1), encoding="utf-8")
    for finding in findings:
        print(f"{finding.severity}: {finding.cause} [{finding.rule}]\n  {finding.path}\n  {finding.remedy}")
    errors = sum(finding.severity == "error" for finding in findings)
    print(f"power, round {given.round}: {errors} errors, {len(findings) - errors} warnings in {given.folder}")
    return 1 if errors else 0


def _figure(given: argparse.Namespace) -> int:
    figure = metric(given.folder, given.scenario, given.performance)
    print(json.dumps(asdict(figure), indent=1))
    return 0


def _become(command: list[str], power_dev: Path) -> NoReturn:
    """power-dev's program in our place, so that its signals and exit code are its own."""
    print("starting", *command, flush=True)
    os.execve(command[0], command, launch.environment(power_dev, dict(os.environ)))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mlperf_power", description="Measured power of MLPerf runs.")
    commands = parser.add_subparsers(required=True, metavar="server|client|wrap|check|figure")
    _add_server(commands.add_parser("server", help="on the host beside the analyzer"))
    _add_client(commands.add_parser("client", help="on the measured host: run a command twice under measurement"))
    _add_wrap(commands.add_parser("wrap", help="the same for a command that fills a folder as submissions have it"))
    check = commands.add_parser("check", help="is a measurement fit for submission?")
    check.add_argument("folder", type=Path, help="with power/, ranging/ and run_1/")
    check.add_argument("--round", default=NEWEST)
    check.add_argument("--json", type=Path, help="write the findings to this file, too")
    check.set_defaults(act=_check)
    figure = commands.add_parser("figure", help="watts, or millijoules per query")
    figure.add_argument("folder", type=Path)
    figure.add_argument("scenario")
    figure.add_argument("--performance", type=float, help="result per second (default: the log's)")
    figure.set_defaults(act=_figure)
    return parser


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("settings", type=Path, help="INI file; docs/power.md shows one")
    parser.add_argument("--round", default=NEWEST, help="whose PTDaemon release is asked for")
    parser.add_argument("--settle", type=float, default=10.0, help="seconds of rest; below 10 for trials only")
    parser.add_argument("--power-dev", type=Path, help="start the server of this checkout in our place")
    parser.set_defaults(act=_serve)


def _add_client(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--command", required=True, help="shell command that makes one loadgen run")
    parser.add_argument("--loadgen-logs", type=Path, required=True, help="folder that the command writes its logs to")
    parser.add_argument("--output", type=Path, required=True, help="gets power/, ranging/ and run_1/")
    _add_conversation(parser)
    parser.set_defaults(act=_measure)


def _add_wrap(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--performance", type=Path, required=True, help="the command writes its logs to run_1/ in it")
    _add_conversation(parser)
    parser.add_argument("words", nargs="+", help="after --: the command's words")
    parser.set_defaults(act=_wrap)


def _add_conversation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", required=True, help="host of the power server")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--ntp-server", required=True, help="host, or host:port")
    parser.add_argument("--label", default="")
    parser.add_argument("--max-volts", default="", help="with --max-amps: no ranging run; for trials only")
    parser.add_argument("--max-amps", default="")
    parser.add_argument("--command-timeout", type=float, help="seconds; without end if not given")
    parser.add_argument("--stop-server", action="store_true", help="let the server end with this client")
    parser.add_argument("--power-dev", type=Path, help="start the client of this checkout in our place")


if __name__ == "__main__":
    sys.exit(main())
