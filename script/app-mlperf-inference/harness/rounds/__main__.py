"""Show rounds: `python -m harness.rounds [--folder FOLDER] [ROUND [BENCHMARK]]`. Exit code 1 for a mistake."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.errors import HarnessError
from harness.rounds import FOLDER, Benchmark, Library, Limits, Target
from harness.rounds.values import CATEGORIES


def main(arguments: list[str]) -> int:
    """Print what was asked for, or the error and what to do about it."""
    parser = argparse.ArgumentParser(prog="python -m harness.rounds", description="Rounds of MLPerf Inference.")
    parser.add_argument("round", nargs="?", help="as v6.1; without it all rounds are listed")
    parser.add_argument("benchmark", nargs="?", help="as resnet; without it the round's benchmarks are listed")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the round files are")
    options = parser.parse_args(arguments)
    try:
        print("\n".join(_answer(Library(options.folder), options.round, options.benchmark)))
    except HarnessError as error:
        print(f"error: {error.cause}\n{error.hint}", file=sys.stderr)
        return 1
    return 0


def _answer(library: Library, round_name: str | None, benchmark: str | None) -> list[str]:
    if round_name is None:
        return [
            f"{one.name}  {len(one.benchmarks)} benchmarks, loadgen {one.loadgen.first} to {one.loadgen.last}"
            for one in library.all()
        ]
    found = library.load(round_name)
    if benchmark is None:
        width = max(map(len, found.benchmarks))
        return [f"{name:{width}}  {_places(one)}" for name, one in found.benchmarks.items()]
    return _details(found.benchmark(benchmark))


def _places(one: Benchmark) -> str:
    here = ((category, one.scenarios(category)) for category in CATEGORIES)
    return "; ".join(f"{category}: {', '.join(scenarios)}" for category, scenarios in here if scenarios)


def _details(one: Benchmark) -> list[str]:
    known = [scenario for scenario in one.limits_by if scenario in one.scenarios() or scenario in one.datacenter_edge]
    return [
        f"{one.name}, to loadgen {one.conf or 'unknown'}",
        *(f"{category}: {', '.join(one.scenarios(category))}" for category in CATEGORIES if one.scenarios(category)),
        f"samples: {one.dataset_size} in the set, {one.performance_samples} for performance",
        *(f"accuracy: {_target(target)}" for target in one.accuracy),
        *(f"{scenario}: {one.result(scenario).key}{_limit(one.limits(scenario))}" for scenario in known),
        f"compliance: {', '.join(one.compliance) or 'none'}",
        *(f"note: {note}" for note in one.notes),
    ]


def _target(target: Target) -> str:
    bounds = ((">=", target.at_least), ("<=", target.at_most))
    text = " and ".join(f"{sign} {bound.value:.6g}" for sign, bound in bounds if bound)
    return f"{target.metric} {text}" + (f" ({', '.join(target.scenarios)})" if target.scenarios else "")


def _limit(limits: Limits) -> str:
    named = {"latency": limits.latency_ms, "TTFT": limits.ttft_ms, "TPOT": limits.tpot_ms}
    parts = [f"{name} up to {value:g} ms" for name, value in named.items() if value]
    return f", {', '.join(parts)} at p{limits.percentile:g}" if parts else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
