"""Command line: `python -m mlperf_compliance run RUN_FOLDER`, `verify TEST …`, `needs ROUND [BENCHMARK]`.

Exit code 0: everything passed; 1: something failed, and the output says why; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness import rounds
from harness.errors import HarnessError
from mlperf_compliance import subjects, writing
from mlperf_compliance.case import DTYPES, Case
from mlperf_compliance.conduct import Options, conduct
from mlperf_compliance.scoring import PLACE, by_command
from mlperf_compliance.suite import NAMES, ON_OTHER_DATA, verify
from mlperf_compliance.verdict import Check, Verdict

_SELF_EVIDENT = ("valid", "same scenario", "same latency limit")  # where nothing failed


class Failed(NamedTuple):
    """A check that failed, for whoever started this program."""

    scenario: str
    test: str
    check: Check


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked; a diagnosed failure is printed, cause first."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.do(options))
    except HarnessError as error:
        print(f"FAILED: {error.cause}", *([f"next:   {error.hint}"] if error.hint else []), sep="\n")
        return 1


def _run(options: argparse.Namespace) -> int:
    found = subjects.find(options.folder.absolute())
    chosen = [one for one in found if not options.scenario or one.config.scenario == options.scenario]
    if not chosen:
        has = ", ".join(one.config.scenario for one in found)
        raise HarnessError("config", f"{options.folder} has no {options.scenario}", f"it has {has}")
    asked = Options(options.dtype or "", options.accuracy_script, options.eos_token_id)
    plan = [(one, test) for one in chosen for test in options.test or _by_repetition(one)]
    for one, test in plan:
        one.round.audit(one.benchmark.name, test)  # refuses a test that is not needed before anything runs
    for one in chosen:
        if not one.needs:
            print(f"{one.config.scenario}: {one.round.name} asks no compliance test of {one.benchmark.name}")
    found_wrong = []
    for one, test in plan:
        verdict = conduct(one, test, asked)
        print(f"{one.config.scenario} {_line(verdict)}", flush=True)
        print(f"  files: {one.folder / test}")
        found_wrong += [Failed(one.config.scenario, test, check) for check in verdict.failures]
    if options.report:
        options.report.write_bytes(msgspec.json.encode(found_wrong))
    return 1 if found_wrong else 0


def _by_repetition(one: subjects.Subject) -> tuple[str, ...]:
    for test in set(one.needs) & set(ON_OTHER_DATA):
        print(f"{one.config.scenario} {test}: left out, it runs on a data set of its own; see docs/compliance.md")
    return tuple(test for test in one.needs if test not in ON_OTHER_DATA)


def _verify(options: argparse.Namespace) -> int:
    of_round = rounds.load(options.round) if options.round else rounds.default()
    benchmark = of_round.benchmark(options.benchmark)
    accuracy = options.results / "accuracy"
    parameters = of_round.audit(options.benchmark, options.test)
    if options.eos_token_id is not None:
        parameters = msgspec.structs.replace(parameters, eos_token_id=options.eos_token_id)
    case = Case(
        test=options.test,
        benchmark=benchmark,
        scenario=options.scenario,
        audit=parameters,
        performance=options.results / "performance" / "run_1",
        accuracy=accuracy if accuracy.is_dir() else None,
        compliance=options.compliance,
        dtype=options.dtype or ("int32" if options.test == "TEST06" else "byte"),
        scorer=by_command(options.accuracy_script) if options.accuracy_script else None,
    )
    verdict = verify(case)
    if options.output:
        writing.write(verdict, options.compliance, options.output / options.test)
    print(f"{options.scenario} {_line(verdict)}")
    return 0 if verdict.passed else 1


def _needs(options: argparse.Namespace) -> int:
    of_round = rounds.load(options.round)
    names = [of_round.benchmark(options.benchmark).name] if options.benchmark else list(of_round.benchmarks)
    for name in names:
        print(f"{name}: {', '.join(of_round.benchmark(name).compliance) or 'none'}")
    return 0


def _line(verdict: Verdict) -> str:
    if verdict.passed:
        said = [
            check.said
            for check in verdict.checks
            if check.said not in _SELF_EVIDENT and check.name not in _SELF_EVIDENT
        ]
        return f"{verdict.test}: PASS: {'; '.join(said)}"
    reasons = [f"  {check.name}: {check.said}\n    next: {check.advice}" for check in verdict.failures]
    return "\n".join([f"{verdict.test}: FAIL", *reasons])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mlperf_compliance", description="MLPerf compliance tests")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="repeat a finished run under each test that it needs")
    run.add_argument("folder", type=Path, help="folder of the run, or of one scenario of it")
    run.add_argument("--test", action="append", help="this test only; may be repeated")
    run.add_argument("--scenario", default="", help="this scenario only")
    run.add_argument("--report", type=Path, help="JSON file for the checks that failed")
    run.set_defaults(do=_run)
    check = commands.add_parser("verify", help="judge a compliance run that was made elsewhere")
    check.add_argument("test", choices=NAMES)
    check.add_argument("--results", "-r", type=Path, required=True, help="folder with performance/run_1 and accuracy")
    check.add_argument("--compliance", "-c", type=Path, required=True, help="folder with the compliance run's logs")
    check.add_argument("--output", "-o", type=Path, help="where TESTxx is written")
    check.add_argument("--scenario", "-s", required=True)
    check.add_argument("--benchmark", "-b", required=True, help="the checker's name")
    check.add_argument("--round", help="default: that of the installed loadgen")
    check.set_defaults(do=_verify)
    needs = commands.add_parser("needs", help="which tests a round asks for")
    needs.add_argument("round")
    needs.add_argument("benchmark", nargs="?")
    needs.set_defaults(do=_needs)
    for one in (run, check):
        one.add_argument("--dtype", choices=DTYPES, help="what one value of a response is (default: as the task says)")
        one.add_argument("--accuracy_script", default="", help=f"command that scores {PLACE}")
        one.add_argument("--eos_token_id", type=int, help="the token that ends an answer (default: the round file's)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
