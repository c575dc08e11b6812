"""Settings of the server: the file that power-dev's server reads, and some of our own beside them."""

from __future__ import annotations

import configparser
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

from mlperf_power.devices import DEVICES, WT500_MULTICHANNEL
from mlperf_power.errors import PowerError

PORT = 4950
PTD_PORT = 8888
SETTLE_S = 10.0
_KNOWN = {
    "server": {"ntpserver", "listen", "rangingmode", "outdir"},
    "ptd": {"ptd", "analyzercount"},
    "analyzer": {
        "devicetype", "networkport", "interfaceflag", "deviceport", "channel", "dcflag", "gpibboard",
    },
}  # fmt: skip
_T = TypeVar("_T")


@dataclass(frozen=True)
class AnalyzerSettings:
    """One analyzer and how its PTDaemon is started."""

    number: int
    device: int
    network_port: int
    interface_flag: str
    device_port: str
    channel: tuple[int, ...] = ()
    dc_flag: str = ""
    gpib_board: int | None = None

    def command(self, ptd: str, log: Path) -> list[str]:
        """PTDaemon's command line; `log` is the file that gets its samples."""
        words = [ptd, "-l", str(log), "-p", str(self.network_port)]
        words += [] if self.gpib_board is None else ["-b", str(self.gpib_board)]
        words += ["-c", ",".join(map(str, self.channel))] if self.channel else []
        words += [flag for flag in (self.dc_flag, self.interface_flag) if flag]
        return [*words, str(self.device), self.device_port]

    def channels(self) -> tuple[int, int]:
        """First channel and number of channels whose amperes decide the range; (0, 0) for the whole meter."""
        if not self.channel:
            return 0, 0
        if self.device == WT500_MULTICHANNEL:
            return 1, self.channel[0]
        return self.channel[0], self.channel[1] if len(self.channel) > 1 else 0


@dataclass(frozen=True)
class ServerSettings:
    """What one server does; times in seconds.

    `settle` is the rest before and after each change of the analyzer. Below 10 s the record says "debug", as
    power-dev's does, and no checker takes it. `start_patience` and `reply_patience` bound the waits for a PTDaemon.
    """

    ptd: str
    ntp_server: str
    analyzers: tuple[AnalyzerSettings, ...]
    host: str = "0.0.0.0"
    port: int = PORT
    ranging_mode: str = "AUTO"
    out_dir: Path = field(default_factory=lambda: Path("mlperf-power"))
    settle: float = SETTLE_S
    start_patience: float = 30.0
    reply_patience: float = 30.0

    @property
    def debug(self) -> bool:
        return self.settle < SETTLE_S


def read_settings(path: Path) -> ServerSettings:
    """Settings from an INI file with the sections server, ptd, analyzer1, analyzer2 …

    The keys of a single analyzer may also stand under [ptd], as in files of before 2024.

    Raises:
        PowerError: file, section or key that is missing, unknown or has a value that cannot be used.
    """
    file = _File(path)
    count = file.get("ptd", "analyzerCount", int, 1)
    if not 0 < count <= 64:
        raise file.error("ptd", "analyzerCount", f"{count} is not a number of analyzers")
    host, port = file.get("server", "listen", _address, ("0.0.0.0", PORT))
    settings = ServerSettings(
        ptd=file.get("ptd", "ptd", str),
        ntp_server=file.get("server", "ntpServer", str),
        analyzers=tuple(_analyzer(file, number, alone=count == 1) for number in range(1, count + 1)),
        host=host,
        port=port,
        ranging_mode=file.get("server", "rangingMode", _ranging_mode, "AUTO"),
        out_dir=file.get("server", "outDir", Path, Path("mlperf-power")),
    )
    file.refuse_unknown()
    ports = [analyzer.network_port for analyzer in settings.analyzers]
    if len(set(ports)) < len(ports):
        raise PowerError(f"{path}: two analyzers have the same networkPort", "give each PTDaemon a port of its own")
    return settings


def _analyzer(file: _File, number: int, *, alone: bool) -> AnalyzerSettings:
    section = "ptd" if alone and not file.has(f"analyzer{number}") else f"analyzer{number}"
    channel: tuple[int, ...] = file.get(section, "channel", _numbers, ())
    device = file.get(section, "deviceType", int)
    if device not in DEVICES:
        known = ", ".join(map(str, DEVICES))
        raise file.error(section, "deviceType", f"{device} is no analyzer this server knows; known are {known}")
    wanted = DEVICES[device].channels
    if wanted and len(channel) != wanted:
        raise file.error(section, "channel", f"{DEVICES[device].name} needs {wanted} number(s), separated by commas")
    if not wanted and len(channel) > 1:
        raise file.error(section, "channel", f"{DEVICES[device].name} takes one number or none")
    return AnalyzerSettings(
        number=number,
        device=device,
        network_port=file.get(section, "networkPort", _port, PTD_PORT + number - 1),
        interface_flag=file.get(section, "interfaceFlag", str, ""),
        device_port=file.get(section, "devicePort", str),
        channel=channel,
        dc_flag=file.get(section, "dcFlag", str, ""),
        gpib_board=file.get(section, "gpibBoard", int, -1) if file.has(section, "gpibBoard") else None,
    )


class _File:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._parser = configparser.ConfigParser(interpolation=None)
        try:
            self._parser.read_string(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise PowerError(f"the settings {path} cannot be read: {error}", "give --conf_file=FILE") from error
        except configparser.Error as error:
            raise PowerError(f"{path} is no INI file: {error}", "docs/power.md shows one") from error

    def has(self, section: str, key: str | None = None) -> bool:
        return self._parser.has_option(section, key) if key else self._parser.has_section(section)

    def get(self, section: str, key: str, parse: Callable[[str], _T], default: _T | None = None) -> _T:
        text = self._parser.get(section, key, fallback="").strip()
        if not text:
            if default is None:
                raise self.error(section, key, "is missing")
            return default
        try:
            return parse(text)
        except ValueError as error:
            raise self.error(section, key, f"{text!r} cannot be used: {error}") from error

    def error(self, section: str, key: str, what: str) -> PowerError:
        return PowerError(f"{self.path}: [{section}] {key}: {what}", f"correct it: edit {self.path}")

    def refuse_unknown(self) -> None:
        """A misspelt key would be a setting that silently is not one."""
        for section in self._parser.sections():
            kind = "analyzer" if section.startswith("analyzer") else section
            known = _KNOWN.get(kind, set()) | (_KNOWN["analyzer"] if kind == "ptd" else set())
            for key in self._parser[section]:
                if key not in known:
                    raise self.error(section, key, f"is not known; known are {', '.join(sorted(known)) or 'none'}")


def _address(text: str) -> tuple[str, int]:
    words = text.split()
    if len(words) != 2:
        raise ValueError("an address and a port are asked for, as in 0.0.0.0 4950")
    return str(ip_address(words[0])), _port(words[1])


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError("a port is a number from 1 to 65535")
    return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _ranging_mode(text: str) -> str:
    if text.upper() not in ("AUTO", "MAX"):
        raise ValueError("AUTO or MAX is asked for")
    return text.upper()
