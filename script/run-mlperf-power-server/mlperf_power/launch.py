"""power-dev's own programs, started in place of ours: the only ones whose measurements may be submitted."""

from __future__ import annotations

from pathlib import Path

from mlperf_power.client import ClientSettings
from mlperf_power.errors import PowerError


def server_command(power_dev: Path, settings: Path, python: str) -> list[str]:
    """The command line of power-dev's server. Raises PowerError: no such checkout."""
    return [python, str(_program(power_dev, "server.py")), "-c", str(settings.absolute())]


def client_command(power_dev: Path, settings: ClientSettings, python: str) -> list[str]:
    """The command line of power-dev's client. Raises PowerError: no such checkout."""
    words = [python, str(_program(power_dev, "client.py")), "-a", settings.server, "-p", str(settings.port)]
    words += ["-n", settings.ntp_server, "-w", settings.command, "-L", str(settings.loadgen_logs)]
    words += ["-o", str(settings.output), "-T"]
    words += ["-l", settings.label] if settings.label else []
    words += ["-V", settings.fixed_ranges[0], "-A", settings.fixed_ranges[1]] if settings.fixed_ranges else []
    return words + (["-S"] if settings.stop_server else [])


def environment(power_dev: Path, base: dict[str, str]) -> dict[str, str]:
    """The environment they need: their package is found through PYTHONPATH."""
    rest = base.get("PYTHONPATH", "")
    return {**base, "PYTHONPATH": f"{power_dev.absolute()}:{rest}" if rest else str(power_dev.absolute())}


def _program(power_dev: Path, name: str) -> Path:
    program = power_dev / "ptd_client_server" / name
    if not program.is_file():
        raise PowerError(
            f"{power_dev} is no checkout of power-dev: there is no ptd_client_server/{name}",
            "git clone https://github.com/mlcommons/power-dev, and give its folder: --power_dev=FOLDER",
        )
    return program.absolute()
