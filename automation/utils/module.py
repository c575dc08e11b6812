"""CM automation `utils`: small services that scripts call through cmind."""

import os
import sys

from cmind.automation import Automation

_ENGINE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "script")
if _ENGINE not in sys.path:
    sys.path.insert(0, _ENGINE)


class CAutomation(Automation):
    """Actions of `cm ACTION utils`."""

    def __init__(self, cmind, automation_file) -> None:  # noqa: ANN001
        super().__init__(cmind, __file__)

    def compare_versions(self, i: dict) -> dict:
        return self._call("compare_versions", i)

    def get_host_os_info(self, i: dict) -> dict:
        return self._call("get_host_os_info", i)

    def download_file(self, i: dict) -> dict:
        return self._call("download_file", i)

    def unzip_file(self, i: dict) -> dict:
        return self._call("unzip_file", i)

    def system(self, i: dict) -> dict:
        return self._call("system", i)

    def uid(self, i: dict) -> dict:
        return self._call("uid", i)

    def _call(self, action: str, i: dict) -> dict:
        from cm4bench import adapter
        from cm4bench.compat import utilactions

        return adapter.guarded(self, i, getattr(utilactions, action))
