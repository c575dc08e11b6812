"""CM automation `experiment`: reads the Result records that runs have stored."""

import os
import sys

from cmind.automation import Automation

_HERE = os.path.dirname(os.path.abspath(__file__))
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)


class CAutomation(Automation):
    """Actions of `cm ACTION experiment`."""

    def __init__(self, cmind, automation_file) -> None:  # noqa: ANN001
        super().__init__(cmind, __file__)

    def show(self, i: dict) -> dict:
        """`cm show experiment [--results_dir=FOLDER]`: the table of all stored results."""
        from cm4bench_results import actions

        return actions.show(i)

    def report(self, i: dict) -> dict:
        """`cm report experiment [--results_dir=FOLDER] [--output=FILE.html]`: one HTML report of all stored results."""
        from cm4bench_results import actions

        return actions.report(i)
