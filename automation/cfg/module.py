"""CM automation `cfg`: configuration values kept in CM's local repository."""

import os
import sys

from cmind.automation import Automation

_ENGINE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "script")
if _ENGINE not in sys.path:
    sys.path.insert(0, _ENGINE)


class CAutomation(Automation):
    """Actions of `cm ACTION cfg`."""

    def __init__(self, cmind, automation_file) -> None:  # noqa: ANN001
        super().__init__(cmind, __file__)

    def load(self, i: dict) -> dict:
        """`cm load cfg [NAME]`: its values in `config`."""
        return self._call("load", i)

    def xset(self, i: dict) -> dict:
        """`cm set cfg [NAME] --key.a.b=VALUE`; `--key.a.b-` deletes."""
        return self._call("xset", i)

    def _call(self, action: str, i: dict) -> dict:
        from cm4bench import adapter
        from cm4bench.compat import cfgactions

        return adapter.guarded(self, i, getattr(cfgactions, action))
