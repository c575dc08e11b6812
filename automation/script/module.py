"""CM automation `script`: hands every action to the cm4bench engine beside this file."""

import os
import sys

from cmind.automation import Automation

_HERE = os.path.dirname(os.path.abspath(__file__))
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)


class CAutomation(Automation):
    """Actions of `cm ACTION script`. cmind executes this file anew at every access, so it stays this small."""

    def __init__(self, cmind, automation_file):  # noqa: ANN001
        super().__init__(cmind, __file__)

    def run(self, i: dict) -> dict:
        from cm4bench import adapter

        return adapter.guarded(self, i, adapter.run_action)

    def plan(self, i: dict) -> dict:
        from cm4bench import adapter

        return adapter.guarded(self, i, adapter.plan_action)
