"""Rules about the analyzers: which they are, what their PTDaemons answered, and what they said meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from mlperf_power.checks.evidence import Evidence
from mlperf_power.checks.finding import Finding, Severity
from mlperf_power.record import PtdExchange

MODELS = {
    "YokogawaWT210": 8,
    "YokogawaWT500": 35,
    "YokogawaWT500_multichannel": 48,
    "YokogawaWT310": 49,
    "YokogawaWT310E": 49,
    "YokogawaWT330": 52,
    "YokogawaWT330E": 52,
    "YokogawaWT330_multichannel": 77,
    "YokogawaWT210_DC": 508,
    "YokogawaWT310_DC": 549,
    "YokogawaWT330_DC": 586,
}
_TWO_CHANNEL_NUMBERS = 77
_REPLIES = {
    "SR,A": "Range A changed",
    "SR,V": "Range V changed",
    "Go,1000,": "Starting untimed measurement, maximum 500000 samples at 1000ms with 0 rampup samples",
}
_VERSION = re.compile(r"(?<=version=)(.+?)-")
_RULE = "ptd-replies"


@dataclass(frozen=True)
class _Conversation:
    """All that was said to the PTDaemon of one analyzer."""

    path: str
    said: tuple[PtdExchange, ...]

    def reply(self, command: str) -> str:
        return next((one.reply for one in self.said if one.cmd == command), "")

    def commands(self, start: str) -> list[str]:
        return [one.cmd for one in self.said if one.cmd.startswith(start)]

    def finding(self, rule: str, cause: str, remedy: str, severity: Severity = "error") -> Finding:
        return Finding(rule, severity, self.path, cause, remedy)


def identity(evidence: Evidence) -> Iterator[Finding]:
    """A PTDaemon release of the round, on an analyzer that is accepted, and a real one."""
    for conversation in _conversations(evidence):
        answer = conversation.reply("Identify")
        model = answer.split(",")[0]
        found = _VERSION.search(answer)
        version, accepted = found[1] if found else "", evidence.facts.ptd_versions
        if version not in accepted:
            cause = f"PTDaemon {version or 'of no known release'} measured; round {evidence.facts.name} accepts "
            yield conversation.finding(
                "ptd-version", cause + ", ".join(accepted), 'get that release: cmr "get spec ptd"'
            )
        if model not in MODELS:
            cause = f"the analyzer {model or 'did not say its name and'} is not among the accepted ones"
            yield conversation.finding("analyzer", cause, f"measure with one of {', '.join(MODELS)}")
        if "simulated" in answer:
            cause = "the analyzer was simulated: no watt was measured"
            yield conversation.finding("simulated", cause, "measure with a real analyzer; this is for trials only")


def replies(evidence: Evidence) -> Iterator[Finding]:
    """PTDaemon answered as it does when all is well, and got its first ranges back."""
    conversations = _conversations(evidence)
    for conversation in conversations:
        for exchange in conversation.said:
            expected = next((text for start, text in _REPLIES.items() if exchange.cmd.startswith(start)), None)
            if expected is not None and exchange.reply != expected:
                yield conversation.finding(_RULE, f"PTDaemon answered {exchange.cmd!r} with {exchange.reply!r}", _LOOK)
        yield from _stops(conversation)
        if len(conversations) == 1:  # power-dev mixes the ends of several; `count` speaks of those
            yield from _ranges_restored(conversation, evidence.facts.amps_restored_by)


def count(evidence: Evidence) -> Iterator[Finding]:
    """The official checker counts the stops of all analyzers together and so refuses two of them."""
    if len(_conversations(evidence)) > 1:
        cause = "several analyzers measured, and MLCommons' power checker has no rule for that: it will refuse this"
        path = str(evidence.server.path)
        yield Finding("several-analyzers", "error", path, cause, "ask the Power working group first")


def config(evidence: Evidence) -> Iterator[Finding]:
    """The settings name accepted devices, with all channels of those that have several."""
    path = str(evidence.server.path)
    if not evidence.server.ptd_config:
        yield Finding("ptd-config", "error", path, "has no settings of the analyzers", "measure again")
    if evidence.server.ptd_config_is_list != evidence.facts.ptd_config_is_list:
        cause = f"the settings of the analyzers have not the form of round {evidence.facts.name}"
        yield Finding("ptd-config", "error", path, cause, "measure with the power-dev of that round")
    for analyzer in evidence.server.ptd_config:
        if analyzer.device not in MODELS.values():
            known = ", ".join(map(str, sorted(set(MODELS.values()))))
            cause = f"device type {analyzer.device} is not among the accepted ones"
            yield Finding("ptd-config", "error", path, cause, f"measure with one of {known}")
        given = next((after for word, after in pairwise(analyzer.command) if word == "-c"), "")
        if analyzer.device == _TWO_CHANNEL_NUMBERS and not len(analyzer.channel) == len(given.split(",")) == 2:
            cause = "an analyzer with several channels was used with one"
            yield Finding("ptd-config", "error", path, cause, "set channel = FIRST,COUNT in the server's settings")


_LOOK = "look into power/ptd_logs.txt, and measure again"


def _conversations(evidence: Evidence) -> list[_Conversation]:
    """server.json holds the conversations one after the other; each begins with a greeting."""
    said = evidence.server.ptd_messages
    starts = [index for index, one in enumerate(said) if one.cmd == "Hello"] or [0]
    ends = [*starts[1:], len(said)]
    path = str(evidence.server.path)
    return [_Conversation(path, said[start:end]) for start, end in zip(starts, ends, strict=True)]


def _stops(conversation: _Conversation) -> Iterator[Finding]:
    stops = [one.reply for one in conversation.said if one.cmd == "Stop"]
    for number, reply in enumerate(stops, 1):
        expected = "Stopping untimed measurement" if number < 3 else "Error: no measurement to stop"
        if reply != expected:
            cause = f"PTDaemon answered the Stop number {number} with {reply!r}"
            yield conversation.finding(_RULE, cause, _LOOK)


def _ranges_restored(conversation: _Conversation, amps_by: tuple[int, ...]) -> Iterator[Finding]:
    words = conversation.reply("RR").split(",")
    amps, volts = _first_range(words[1:3]), _first_range(words[3:5])
    if amps is None or volts is None:
        yield conversation.finding(_RULE, "PTDaemon did not tell the analyzer's first ranges (RR)", _LOOK)
        return
    for start, wanted, numbers in (("SR,A", amps, amps_by), ("SR,V", volts, (3,))):
        commands = conversation.commands(start)
        given = [commands[number - 1] for number in numbers if number <= len(commands)]
        if len(given) < len(numbers):
            cause = f"PTDaemon got {len(commands)} commands {start}, the checker looks for {max(numbers)}"
            yield conversation.finding(_RULE, cause, "let the server end by itself, and measure again")
        elif f"{start},{wanted}" not in given:
            cause = f"the analyzer did not get its first range back at the end ({start},{wanted})"
            yield conversation.finding(_RULE, cause, "let the server end by itself, and measure again")


def _first_range(words: list[str]) -> str | None:
    """What the range was set to: a number or Auto; None where that cannot be told."""
    try:
        return words[1] if words[0] == "0" and float(words[1]) > 0 else "Auto"
    except (IndexError, ValueError):
        return None
