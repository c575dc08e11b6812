"""One round: its benchmarks, seeds and what its submissions look like."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import msgspec

from harness.errors import HarnessError
from harness.rounds.benchmark import Benchmark
from harness.rounds.values import (
    Audit,
    Count,
    Limits,
    Scenario,
    ScenarioRule,
    Seeds,
    Source,
    Strict,
    Submission,
    Test,
    Wheels,
)
from harness.rounds.words import did_you_mean


class Round(Strict, frozen=True):
    """One round of MLPerf Inference.

    Attributes:
        name: as the checker's --version takes it.
        sources: the files that the values were read from.
        loadgen: wheels with this round's seeds.
        min_duration_ms: of a performance run, in every division.
        scenarios: what holds for a scenario in every benchmark.
        benchmarks: by the checker's name.
        audits: compliance tests, as far as they are the same for every benchmark.
        submission: what the checker asks of a submission's files.
        file: where this value was read.
    """

    name: str = msgspec.field(name="round")
    sources: tuple[Source, ...]
    loadgen: Wheels
    seeds: Seeds
    min_duration_ms: Count
    scenarios: dict[Scenario, ScenarioRule]
    submission: Submission
    audits: dict[Test, Audit] = msgspec.field(default_factory=dict)
    benchmarks: dict[str, Benchmark] = msgspec.field(default_factory=dict)
    file: str = ""

    def benchmark(self, name: str) -> Benchmark:
        """A benchmark by the checker's name, or by a name that the checker takes for it.

        Raises:
            HarnessError: kind `config`, with a close name, or with the rounds that have the benchmark.
        """
        found = self.find(name)
        if found is None:
            raise HarnessError(
                "config", self._unknown(name), f"benchmarks of {self.name}: {', '.join(self.benchmarks)}"
            )
        return found

    def find(self, name: str) -> Benchmark | None:
        """Like `benchmark`, None where there is none."""
        if name in self.benchmarks:
            return self.benchmarks[name]
        for one in self.benchmarks.values():
            if name in one.aliases:
                return one
        guesses = [(part, one) for one in self.benchmarks.values() for part in one.open_names if part in name]
        return max(guesses, key=lambda guess: len(guess[0]))[1] if guesses else None

    def with_conf(self, conf: str) -> tuple[Benchmark, ...]:
        """The benchmarks that loadgen knows by a name: more than one where they differ in their accuracy target."""
        return tuple(one for one in self.benchmarks.values() if conf in (one.conf, one.interactive_conf) and conf)

    def require(self, name: str, scenario: str, category: str | None = None) -> Benchmark:
        """The benchmark, if it has a scenario in a category (None: in datacenter or edge).

        Raises:
            HarnessError: kind `config`; says which scenarios it has, and which round has the one asked for.
        """
        found = self.benchmark(name)
        has = found.scenarios(category)
        if scenario not in has:
            where = f" ({category})" if category else ""
            cause = f"{scenario} is no scenario of {found.name} in {self.name}{where}"
            hint = f"scenarios there: {', '.join(has) or 'none'}{self._elsewhere(name, scenario, category)}"
            raise HarnessError("config", cause, hint)
        return found

    def audit(self, name: str, test: str) -> Audit:
        """The parameters of a compliance test for a benchmark.

        Raises:
            HarnessError: kind `config`, for a test that the benchmark does not need; says which benchmarks do.
        """
        found = self.benchmark(name)
        if test in found.compliance:
            return cast(dict[str, Audit], found.audits)[test]
        needs = ", ".join(found.compliance) or "no compliance test"
        others = [one.name for one in self.benchmarks.values() if test in one.compliance]
        asked_of = f"; {test} is for {', '.join(others)}" if others else did_you_mean(test, get_args(Test))
        raise HarnessError("config", f"{self.name} does not ask {test} of {found.name}{asked_of}", f"it needs {needs}")

    def completed(self) -> Round:
        """The same round, with what holds for every benchmark written into each."""
        return msgspec.structs.replace(
            self, benchmarks={name: self._complete(name, one) for name, one in self.benchmarks.items()}
        )

    def _complete(self, name: str, one: Benchmark) -> Benchmark:
        return msgspec.structs.replace(
            one,
            name=name,
            audits={
                test: one.audits.get(test, Audit()).over(self.audits.get(test, Audit())) for test in one.compliance
            },
            min_duration_ms=self.min_duration_ms if one.min_duration_ms is None else one.min_duration_ms,
            min_queries_by={key: rule.min_queries for key, rule in self.scenarios.items()} | one.min_queries_by,
            results_by={key: rule.result for key, rule in self.scenarios.items()} | one.results_by,
            limits_by={key: self._limits(rule, one.limits_by.get(key)) for key, rule in self.scenarios.items()},
        )

    @staticmethod
    def _limits(rule: ScenarioRule, own: Limits | None) -> Limits:
        own = own or Limits()
        return own if own.percentile else msgspec.structs.replace(own, percentile=rule.percentile)

    def _unknown(self, name: str) -> str:
        if by_conf := self.with_conf(name):
            called = " or ".join(one.name for one in by_conf)
            return f"{name!r} is loadgen's name of a benchmark; {self.name} calls it {called}"
        if others := self._rounds_with(name):
            return f"{self.name} has no benchmark {name!r}; {others} has it"
        names = [*self.benchmarks, *(alias for one in self.benchmarks.values() for alias in one.aliases)]
        return f"{self.name} has no benchmark {name!r}{did_you_mean(name, names)}"

    def _elsewhere(self, name: str, scenario: str, category: str | None) -> str:
        others = self._rounds_with(name, scenario, category)
        return f"; {others} has {scenario}" if others else ""

    def _rounds_with(self, name: str, scenario: str | None = None, category: str | None = None) -> str:
        from harness.rounds.library import Library

        return ", ".join(Library(Path(self.file).parent).which_have(name, scenario, category)) if self.file else ""
