"""``python -m cm4bench_gui SETTINGS``, as JSON: serve the web app until Ctrl-C."""

from __future__ import annotations

import sys

from cm4bench_gui.server import serve
from cm4bench_gui.settings import SettingsError, read_settings


def main(arguments: list[str]) -> int:
    """Exit status: 0 after Ctrl-C, 1 for settings that cannot be served, 2 for a wrong call."""
    if len(arguments) != 1:
        print("usage: python -m cm4bench_gui SETTINGS", file=sys.stderr)
        return 2
    try:
        serve(read_settings(arguments[0]))
    except SettingsError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
