"""CM automation `docker`: only CM's generic actions; `cm docker script` builds and runs images."""

from cmind.automation import Automation


class CAutomation(Automation):
    """Generic actions of `cm ACTION docker`."""

    def __init__(self, cmind, automation_file) -> None:  # noqa: ANN001
        super().__init__(cmind, __file__)
