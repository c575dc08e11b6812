"""The rulesets that mlperf-logging has, and what each of them says of a benchmark."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from trainer.rulesets import OWN, Ruleset
from trainer.rulesets import of as rules_of_task
from training_checker.errors import CheckError

OWN_RULES = Path(__file__).with_name("rules") / "own.yaml"
USAGES = ("training", "hpc")
_FORM = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


def _engine() -> Path:
    """The folder of the rules that come with mlperf-logging."""
    try:
        from mlperf_logging import compliance_checker
    except ImportError:
        raise CheckError("the Python package mlperf-logging is missing", "pip install mlperf-logging==4.1.68") from None
    return Path(compliance_checker.__file__).parent


def known(usage: str) -> list[str]:
    """Versions of the rulesets of a usage, oldest first. 0.6 is left out: it has other events."""
    found = (path.name.partition("_")[2] for path in _engine().glob(f"{usage}_*") if path.is_dir())
    return sorted((one for one in found if _FORM.fullmatch(one) and one != "0.6.0"), key=_order)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def version_of(text: str, usage: str) -> str:
    """The ruleset that a user means: `v4.0`, `4.0` and `4.0.0` are one.

    Raises:
        CheckError: for one that there is not.
    """
    if text == OWN:
        return OWN
    form = _FORM.fullmatch(text)
    version = f"{form[1]}.{form[2]}.{form[3] or 0}" if form else text
    have = known(usage)
    if version not in have:
        cause = f"mlperf-logging has no ruleset {text!r} for {usage}; it has {', '.join(have)}"
        raise CheckError(cause, f"--version={have[-1]}, or --version=own for the rules of this project")
    return version


def benchmarks(usage: str, version: str) -> list[str]:
    """The benchmarks that a ruleset has; none for our own, which take any."""
    from mlperf_logging.benchmark_meta import get_allowed_benchmarks

    return sorted(set(get_allowed_benchmarks(usage, version))) if version in known(usage) else []


def newest_for(usage: str, names: Iterable[str]) -> str:
    """The newest ruleset that has all of some benchmarks.

    Raises:
        CheckError: where none has.
    """
    wanted = set(names)
    for version in reversed(known(usage)):
        if wanted and wanted <= set(benchmarks(usage, version)):
            return version
    cause = f"no ruleset of {usage} has all of {', '.join(sorted(wanted)) or 'nothing'}"
    raise CheckError(cause, "--version=RULESET; benchmarks of different rulesets go into submissions of their own")


def ruleset(usage: str, version: str, benchmark: str) -> Ruleset:
    """What a ruleset says of a benchmark.

    Raises:
        CheckError: for a benchmark that it does not have, or has without rules.
    """
    if version == OWN:
        return Ruleset(benchmark)
    from mlperf_logging.benchmark_meta import get_result_file_counts

    have = benchmarks(usage, version)
    if benchmark not in have:
        raise CheckError(f"{usage} {version} has no benchmark {benchmark!r}{_meant(benchmark, have)}", "--version=…")
    task = rules_of_task(benchmark)
    target = task.open_target if (task.usage, task.version) == (usage, version) else ""
    runs = get_result_file_counts(usage)[benchmark]
    key = task.key if task.usage == usage else Ruleset.key
    drops = 4 if benchmark == "unet3d" else 1
    return Ruleset(benchmark, version, usage, key, runs=runs, drops=drops, open_target=target)


def has_rules(usage: str, version: str, division: str, benchmark: str) -> bool:
    """Whether the ruleset comes with a file for a benchmark; upstream's checker dies of those that it lists without."""
    return version == OWN or (_engine() / f"{usage}_{version}" / f"{division}_{benchmark}.yaml").is_file()


def _meant(name: str, have: list[str]) -> str:
    close = get_close_matches(name, have, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(have)}"
