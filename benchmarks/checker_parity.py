"""Our submission checker beside upstream's on real submissions: verdicts that differ, and the time of both.

    python benchmarks/checker_parity.py TREE --version v4.1 --upstream CHECKOUT [--submitters A,B]

TREE is a checkout of a round's public results; CHECKOUT one of mlcommons/inference at that round's tag. Both are the
user's own; nothing of them is kept here. One run each, in turn, ours first; CPU time is what other work on the machine
disturbs least.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

_SCRIPTS = Path(__file__).parents[1] / "script"
sys.path += [str(_SCRIPTS / one) for one in ("run-mlperf-inference-submission-checker", "app-mlperf-inference")]


def main() -> int:
    """Compare, one submitter after the other; exit code 1 where verdicts differ."""
    parser = argparse.ArgumentParser(description="Our submission checker beside upstream's.")
    parser.add_argument("tree", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--upstream", type=Path, required=True)
    parser.add_argument("--submitters", help="names with commas; without it the whole tree at once")
    options = parser.parse_args()
    names = options.submitters.split(",") if options.submitters else [None]
    return max(_compare(options, name) for name in names)


def _compare(options: argparse.Namespace, submitter: str | None) -> int:
    from mlperf_checker import check_tree, upstream

    # ours first: upstream's gets the files warm
    begin, before = time.monotonic(), os.times()
    report = check_tree(options.tree, options.version, submitter)
    seconds, between = time.monotonic() - begin, os.times()
    theirs = upstream.run(options.upstream, options.tree, options.version, submitter)
    after = os.times()
    print(f"== {submitter or 'all submitters'}")
    print("\n".join(upstream.lines(report, theirs, seconds)))
    ours = between.user + between.system - before.user - before.system
    others = after.children_user + after.children_system - between.children_user - between.children_system
    print(f"CPU: ours {ours:.1f} s, upstream {others:.1f} s, {others / ours:.1f} times", flush=True)
    return int(any(upstream.differences(report, theirs)))


if __name__ == "__main__":
    sys.exit(main())
