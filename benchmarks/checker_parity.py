"""Our submission checker beside upstream's on real submissions: verdicts that differ, and the time of both.

    python benchmarks/checker_parity.py TREE --version v4.1 --upstream CHECKOUT [--submitters A,B]

TREE is a checkout of a round's public results; CHECKOUT one of mlcommons/inference at that round's tag. Both are the
user's own; nothing of them is kept here. Times are wall-clock of one run each, in turn, with warm files.
"""

from __future__ import annotations

import argparse
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

    # theirs first, so that ours does not profit from cold files of theirs: then both ran warm once more
    upstream.run(options.upstream, options.tree, options.version, submitter)
    begin = time.monotonic()
    report = check_tree(options.tree, options.version, submitter)
    seconds = time.monotonic() - begin
    theirs = upstream.run(options.upstream, options.tree, options.version, submitter)
    print(f"== {submitter or 'all submitters'}")
    print("\n".join(upstream.lines(report, theirs, seconds)), flush=True)
    return int(any(upstream.differences(report, theirs)))


if __name__ == "__main__":
    sys.exit(main())
