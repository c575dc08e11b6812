"""CM automation `cache`: looks after what scripts have made (the store of the cm4bench engine)."""

import os
import sys

from cmind.automation import Automation

_ENGINE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "script")
if _ENGINE not in sys.path:
    sys.path.insert(0, _ENGINE)


class CAutomation(Automation):
    """Actions of `cm ACTION cache`."""

    def __init__(self, cmind, automation_file) -> None:  # noqa: ANN001
        super().__init__(cmind, __file__)

    def show(self, i: dict) -> dict:
        """`cm show cache [--tags=…]`: entries with tags, size and age."""
        return self._call("show", i)

    def verify(self, i: dict) -> dict:
        """`cm verify cache [--tags=…]`: compare every recorded file with its fingerprint."""
        return self._call("verify", i)

    def prune(self, i: dict) -> dict:
        """`cm prune cache [--tags=…] [--older_than=DAYS]`: remove entries and debris; asks with -f missing."""
        return self._call("prune", i)

    def search(self, i: dict) -> dict:
        """`cm find cache [--tags=…]`: folders of matching entries."""
        return self._call("search", i)

    def delete(self, i: dict) -> dict:
        """`cm rm cache --tags=… -f`."""
        return self._call("prune", i)

    def _call(self, action: str, i: dict) -> dict:
        from cm4bench import adapter
        from cm4bench.tools import cacheactions

        return adapter.guarded(self, i, getattr(cacheactions, action))
