"""What one start of the web app is given."""

from __future__ import annotations

from dataclasses import dataclass

PAGES = {"main": "/", "playground": "/", "graph": "/results"}
DEFAULT_PORT = 8501


class SettingsError(ValueError):
    """Settings that cannot be served; the message says which and why."""


@dataclass(frozen=True)
class RepoPlace:
    """A repository of scripts, as CM has it registered."""

    alias: str
    path: str
    uid: str = ""
    prefix: str = ""
    strict: bool = False


@dataclass(frozen=True)
class Axes:
    """Columns that the graph starts with; empty: its own choice. ``limit``: most points drawn."""

    x: str = ""
    y: str = ""
    color: str = ""
    limit: int = 2000


@dataclass(frozen=True)
class Settings:
    """``home`` is CM's home folder, ``results`` are the folders with result records. ``script`` opens that script."""

    home: str
    repos: tuple[RepoPlace, ...] = ()
    results: tuple[str, ...] = ()
    port: int = DEFAULT_PORT
    page: str = "main"
    script: str = ""
    title: str = "cm4bench"
    browser: bool = False
    axes: Axes = Axes()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"port {self.port} does not exist: choose one of 1024 … 65535, or 0 for any free one")
        if self.page not in PAGES:
            raise SettingsError(f"there is no page {self.page!r}; there are {', '.join(PAGES)}")


def read_settings(text: str) -> Settings:
    """Settings from JSON; :class:`SettingsError` names what is wrong with them."""
    import msgspec

    try:
        return msgspec.json.decode(text, type=Settings)
    except (msgspec.MsgspecError, SettingsError) as error:
        raise SettingsError(f"the settings are wrong: {error}") from None
