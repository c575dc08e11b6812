"""The submission checker: a folder in, findings with causes and remedies out. docs/checker.md describes it.

check_tree(folder, "v6.1")        a whole submission
check_run(folder, "resnet", …)    one finished run
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlperf_checker.conduct import check_tree
    from mlperf_checker.runs import check_run

__all__ = ["check_run", "check_tree"]


def __getattr__(name: str) -> Any:
    # loaded when asked for: a packer that wants the layout shall not pay for the rules
    if name == "check_tree":
        from mlperf_checker.conduct import check_tree

        return check_tree
    if name == "check_run":
        from mlperf_checker.runs import check_run

        return check_run
    raise AttributeError(name)
