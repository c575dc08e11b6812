"""user.conf: render, parse, validate.

loadgen's own parser drops `key=value` without spaces, unknown keys, unknown models and a scenario in the wrong case
without a word, and drops the whole file for one trailing comment. Here each of these is an error with a line number.
Grammar and lookup order: loadgen/test_settings_internal.cc (v6.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError

SCENARIOS = ("SingleStream", "MultiStream", "Offline", "Server")

# Names that the mlperf.conf inside loadgen 6.0 knows, plus benchmarks that run on its wildcards alone.
MODELS = frozenset(
    (
        "resnet50",
        "ssd-mobilenet",
        "retinanet",
        "bert",
        "dlrm",
        "dlrm-v2",
        "dlrm-v3",
        "rnnt",
        "gptj",
        "mixtral-8x7b",
        "llama2-70b",
        "llama2-70b-interactive",
        "llama3_1-405b",
        "llama3_1-405b-interactive",
        "llama3_1-8b",
        "llama3_1-8b-edge",
        "llama3_1-8b-interactive",
        "stable-diffusion-xl",
        "wan-2.2-t2v-a14b",
        "rgat",
        "pointpainting",
        "deepseek-r1",
        "deepseek-r1-interactive",
        "whisper",
        "qwen3-vl-235b-a22b",
        "yolo",
        "3d-unet",
        "gpt-oss-120b",
        "gpt-oss-120b-interactive",
    )
)

ANY = SCENARIOS
_STREAMS = ("SingleStream", "MultiStream")


@dataclass(frozen=True)
class KeyRule:
    """What loadgen does with a key: the scenarios that read it and the type of its value."""

    scenarios: tuple[str, ...]
    type: type[int] | type[float] | type[bool]
    whole_in: tuple[str, ...] = ()  # scenarios where loadgen cuts a fraction off although the key is real elsewhere


KEYS: dict[str, KeyRule] = {
    "target_qps": KeyRule(("Offline", "Server"), float),
    "target_latency": KeyRule((*_STREAMS, "Server"), float, whole_in=("Server", "*")),
    "target_latency_percentile": KeyRule((*_STREAMS, "Server"), float),
    "samples_per_query": KeyRule(("MultiStream",), int),
    "min_duration": KeyRule(ANY, int),
    "max_duration": KeyRule(ANY, int),
    "min_query_count": KeyRule(ANY, int),
    "max_query_count": KeyRule(ANY, int),
    "performance_sample_count_override": KeyRule(ANY, int),
    "accuracy_sample_count_override": KeyRule(ANY, int),
    "performance_issue_unique": KeyRule(ANY, bool),
    "performance_issue_same": KeyRule(ANY, bool),
    "performance_issue_same_index": KeyRule(ANY, int),
    "sample_concatenate_permutation": KeyRule(ANY, bool),
    "coalesce_queries": KeyRule(("Server",), bool),
    "max_async_queries": KeyRule(("Server",), int),
    "use_token_latencies": KeyRule(ANY, bool),
    "ttft_latency": KeyRule(("Server",), int),
    "tpot_latency": KeyRule(("Server",), int),
    "infer_token_latencies": KeyRule(ANY, bool),
    "token_latency_scaling_factor": KeyRule(ANY, int),
    "print_timestamps": KeyRule(ANY, bool),
    "accuracy_log_rng_seed": KeyRule(ANY, int),
    "accuracy_log_sampling_target": KeyRule(ANY, int),
}

FORBIDDEN: dict[str, str] = {
    **dict.fromkeys(
        ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed"),
        "seeds come from the round's mlperf.conf inside loadgen and may not be set",
    ),
    **dict.fromkeys(
        (
            "accuracy_log_probability",
            "test05",
            "test05_qsl_rng_seed",
            "test05_sample_index_rng_seed",
            "test05_schedule_rng_seed",
        ),
        "loadgen reads it from its own mlperf.conf only",
    ),
    "mode": "the mode is chosen by the run, not by user.conf",
}

_NUMBER = re.compile(r"[+]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")


@dataclass(frozen=True)
class Entry:
    """One `model.Scenario.key = value` line; `line` counts from 1."""

    line: int
    model: str
    scenario: str
    key: str
    value: float


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a line."""

    line: int
    text: str


class UserConfError(HarnessError):
    """All problems of one file at once, kind `user-conf`."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"{source}:{problem.line}: {problem.text}" for problem in problems)
        super().__init__("user-conf", listed, "write lines as: resnet50.Offline.target_qps = 100.0")


def parse(text: str, source: str = "user.conf", extra_models: Sequence[str] = ()) -> tuple[Entry, ...]:
    """Parse and validate; `extra_models` are model names allowed beside `MODELS`.

    Raises:
        UserConfError: with every problem found, each with its line number.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    seen: dict[tuple[str, str, str], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.split()[0] == "#":
            continue
        parsed = _parse_line(number, line, MODELS | set(extra_models))
        if isinstance(parsed, Problem):
            problems.append(parsed)
            continue
        name = (parsed.model, parsed.scenario, parsed.key)
        if name in seen:
            problems.append(Problem(number, f"{'.'.join(name)} was already set in line {seen[name]}"))
        seen[name] = number
        entries.append(parsed)
    if problems:
        raise UserConfError(source, problems)
    return tuple(entries)


def read(path: Path, extra_models: Sequence[str] = ()) -> tuple[Entry, ...]:
    """Parse a file; raises UserConfError, or HarnessError when the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise HarnessError("user-conf", f"cannot read user.conf {path}: {reason}", f"ls -l {path}") from error
    return parse(text, str(path), extra_models)


def render(model: str, settings: Mapping[str, Mapping[str, float]]) -> str:
    """Write a user.conf for one model from `{scenario: {key: value}}`.

    Raises:
        UserConfError: when a key, scenario or value would not be accepted by `parse`.
    """
    lines = [
        f"{model}.{scenario}.{key} = {_format(value)}"
        for scenario, keys in settings.items()
        for key, value in keys.items()
    ]
    text = "\n".join(lines) + "\n" if lines else ""
    parse(text, "rendered user.conf", (model,))
    return text


def lookup(entries: Sequence[Entry], model: str, scenario: str) -> dict[str, Entry]:
    """Return the entry that loadgen applies for each key.

    Order of loadgen: exact, then `*.Scenario.key`, then `model.*.key`, then `*.*.key`; so the scenario beats the model.
    """
    order = [(model, scenario), ("*", scenario), (model, "*"), ("*", "*")]
    chosen: dict[str, Entry] = {}
    for wanted in order:
        for entry in entries:
            if (entry.model, entry.scenario) == wanted:
                chosen.setdefault(entry.key, entry)
    return chosen


def _parse_line(number: int, line: str, models: frozenset[str] | set[str]) -> Entry | Problem:
    words = line.split()
    if "#" in line:
        return Problem(
            number, "a comment needs a line of its own, starting with '# ' (loadgen drops the whole file otherwise)"
        )
    if len(words) != 3 or words[1] != "=":
        return Problem(number, f"expected 'model.Scenario.key = value' with spaces around '=', found {line.strip()!r}")
    parts = words[0].split(".")
    if len(parts) < 3:
        return Problem(number, f"{words[0]!r} is not of the form model.Scenario.key")
    model, scenario, key = ".".join(parts[:-2]), parts[-2], parts[-1]
    wrong = _name_problem(model, scenario, key, models) or _value_problem(scenario, key, words[2])
    return Problem(number, wrong) if wrong else Entry(number, model, scenario, key, float(words[2]))


def _name_problem(model: str, scenario: str, key: str, models: frozenset[str] | set[str]) -> str:
    if model != "*" and model not in models:
        return f"unknown model {model!r}{_did_you_mean(model, models)}"
    if scenario != "*" and scenario not in SCENARIOS:
        return f"unknown scenario {scenario!r}{_did_you_mean(scenario, SCENARIOS)} (case matters)"
    if key in FORBIDDEN:
        return f"{key} is not allowed: {FORBIDDEN[key]}"
    if key not in KEYS:
        return f"unknown key {key!r}{_did_you_mean(key, KEYS)}"
    if scenario != "*" and scenario not in KEYS[key].scenarios:
        return f"{key} has no effect in {scenario} (only in {', '.join(KEYS[key].scenarios)})"
    return ""


def _value_problem(scenario: str, key: str, word: str) -> str:
    if not _NUMBER.match(word):
        return f"value of {key} must be a number that is not negative, found {word!r}"
    rule = KEYS[key]
    if rule.type is bool and word not in ("0", "1"):
        return f"value of {key} must be 0 or 1, found {word!r}"
    if (rule.type is int or scenario in rule.whole_in) and not re.fullmatch(r"0|[1-9]\d*", word):
        return f"value of {key} must be a whole decimal number, found {word!r} (loadgen would cut or misread it)"
    return ""


def _did_you_mean(word: str, choices: Sequence[str] | Mapping[str, KeyRule] | frozenset[str] | set[str]) -> str:
    from difflib import get_close_matches

    by_lower = {choice.lower(): choice for choice in choices}
    close = get_close_matches(word.lower(), by_lower, n=1)
    return f", did you mean {by_lower[close[0]]!r}?" if close else ""


def _format(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
