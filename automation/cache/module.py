"""CM automation `cache`: looks after the store of the cm4bench engine."""

from cmind.automation import Automation


class CAutomation(Automation):
    """Actions of `cm ACTION cache`."""

    def __init__(self, cmind, automation_file):  # noqa: ANN001
        super().__init__(cmind, __file__)
