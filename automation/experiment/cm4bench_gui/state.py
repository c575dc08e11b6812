"""What all pages of one start of the app share."""

from __future__ import annotations

from dataclasses import dataclass, field

from cm4bench_gui.access import WriteToken
from cm4bench_gui.results import Results
from cm4bench_gui.scripts import Scripts
from cm4bench_gui.settings import Settings


@dataclass
class AppState:
    """Readers of what is on disk, the token, and the look. ``dark`` None: as the browser prefers."""

    settings: Settings
    scripts: Scripts
    results: Results
    token: WriteToken = field(default_factory=WriteToken)
    dark: bool | None = None

    @classmethod
    def of(cls, settings: Settings) -> AppState:
        """The state of an app with these settings; nothing is read yet."""
        return cls(settings, Scripts(settings), Results(settings.results))
