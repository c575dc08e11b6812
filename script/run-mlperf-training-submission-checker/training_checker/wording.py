"""Complaints of the compliance checker in words: what is wrong with the log, and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.mllog import TOKEN, Event
from trainer.rulesets import Ruleset
from training_checker.upstream import Complaint

_COUNT = re.compile(
    r"Required (EXACTLY_ONE|AT_LEAST\w*\S*) occurrence of '?(.*?)'? ?(?:but found (\d+).*)?$", re.DOTALL
)
_FAILED = re.compile(
    r"CHECK for '(?P<key>\w+)' failed in line (?P<line>\d+):.*\nfailed test: (?P<test>[^\n]*)", re.DOTALL
)
_CRASHED = re.compile(r"Failed executing CHECK code:\n(?P<test>[^\n]*)\ntriggered by line:\n(?P<line>[^\n]*)")
_NONE_GOOD = re.compile(r"Failed checks for (?P<key>\w+) : (?P<test>.*)", re.DOTALL)

# What it means that an event is not there.
_MISSING = {
    "run_start": "the run never began",
    "run_stop": "the run did not end: it was killed, or is still going",
    "eval_accuracy": "nothing was evaluated",
    "eval_error": "nothing was evaluated; this benchmark logs its quality as eval_error",
    "cache_clear": "the log does not say that caches were cleared",
    "seed": "the log does not say its seed",
    "submission_org": "the log does not say whose run it is",
}
# What an event that is there did wrong.
_WRONG = {
    "run_start": "it came before init_stop",
    "init_start": "it came after the preparations had ended",
    "init_stop": "there was no init_start, or it took more than the rules allow (30 min closed, 240 open)",
    "run_stop": "it came before run_start, or does not say how the run ended",
    "submission_division": "the division must be open or closed",
    "submission_status": "it must be cloud, onprem, preview or research",
    "submission_org": "it must not be empty",
    "submission_platform": "it must not be empty",
}
_ONCE = "one file must hold one run: do not write several into it"


@dataclass(frozen=True)
class Wording:
    """A complaint for people."""

    cause: str
    remedy: str


def worded(complaint: Complaint, events: Sequence[Event], rules: Ruleset) -> Wording:
    """The complaint in our words; what is not known here is told in upstream's own."""
    text = complaint.text
    if match := _COUNT.match(text):
        return _counted(match[1], match[2], int(match[3] or 0))
    if match := _FAILED.match(text):
        return _failed(match["key"], int(match["line"]), match["test"].strip(), events, rules)
    if match := _CRASHED.match(text):
        return Wording(f"{_told(match['line'])} is not what the rule {match['test'].strip()} can read", _LOGGED)
    if match := _NONE_GOOD.match(text):
        return _target(match["key"], match["test"].strip(), events, rules)
    return _whole(text)


_LOGGED = "write logs with the harness, or with mlperf_logging.mllog itself"


def _counted(required: str, key: str, found: int) -> Wording:
    key = key.strip("'")
    if found > 1 or (found == 1 and required == "AT_LEAST"):
        return Wording(f"{key} is there {found} times, the rules want it once", _ONCE)
    meaning = _MISSING.get(key.split("'")[0])
    return Wording(f"{key} is missing" + (f": {meaning}" if meaning else ""), _remedy_of(key))


def _remedy_of(key: str) -> str:
    if key.startswith(("run_", "eval_", "epoch_", "block_")):
        return "let the run end by itself"
    return f"log {key} before the run starts"


def _failed(key: str, line: int, test: str, events: Sequence[Event], rules: Ruleset) -> Wording:
    value = events[line].value if line < len(events) else None
    if key == "submission_benchmark":
        return _benchmark(value, rules)
    reason = _WRONG.get(key) or f"the rules want {test}"
    shown = "" if value is None else f" {value!r}"
    return Wording(f"{key}{shown} (event {line + 1}): {reason}", _LOGGED)


def _benchmark(value: object, rules: Ruleset) -> Wording:
    cause = f"{rules.usage} {rules.version} has no benchmark {value!r}"
    return Wording(cause, "--version=RULESET of a round that has it, or --version=own")


def _target(key: str, test: str, events: Sequence[Event], rules: Ruleset) -> Wording:
    values = [one.value for one in events if one.key == key]
    shown = f"{values[-1]!r} at last" if values else "none"
    if rules.open_target and any(one.key == "submission_division" and one.value == "open" for one in events):
        cause = f"{key} ({shown}) misses the closed target, {rules.open_target}"
        why = f"the open rules of {rules.usage} {rules.version} ask for it too; --version=own has no such target"
        return Wording(cause, why)
    if "< 1.0" in test.replace("<=", "≤") and values and all(one == 1.0 for one in values):
        return Wording(f"every {key} is exactly 1.0, which the rules take for a fault", "use a harder evaluation set")
    return Wording(
        f"no {key} fulfils {test} ({shown})", "train until the target is reached, and log its unit as the rules"
    )


def _whole(text: str) -> Wording:
    if "No log lines detected" in text:
        return Wording("there is not one :::MLLOG line in it", "this is no log of a run")
    if "parsing errors" in text:
        return Wording("lines of it are damaged", "they may be cut: was the disk full, or the run killed?")
    if "Could not find config file" in text or text.startswith("died: FileNotFoundError"):
        name = text.rpartition("/")[2].rstrip("'")
        return Wording(
            f"mlperf-logging lists this benchmark, but has no rules for it ({name})", "--version of another round"
        )
    if text.startswith("died: "):
        cause = f"the checker cannot read a value of this log ({text[6:]})"
        return Wording(cause, "maskrcnn logs BBOX and SEGM together, others one number; ruleset and benchmark must fit")
    return Wording(" ".join(text.split())[:300], _LOGGED)


def _told(line: str) -> str:
    key = re.search(r'"key": "(\w+)"', line)
    value = re.search(r'"value": (.*?), "metadata"', line)
    if not key or not value:
        return line.replace(TOKEN, "")[:120]
    return f"{key[1]} {value[1][:80]}"
