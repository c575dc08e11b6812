"""Rules about what PTDaemon said on its standard output: errors outside ranging, uncertain samples under load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlperf_power.checks.evidence import Evidence
from mlperf_power.checks.finding import Finding
from mlperf_power.checks.times import TOLERANCE_S
from mlperf_power.errors import PowerError
from mlperf_power.samples import moment

_LINE = re.compile(r"(?P<time>\d\d-\d\d-\d{4} \d\d:\d\d:\d\d\.\d{3}): ?(?P<text>.*)")
_ACTIVATED = re.compile(r"Uncertainty checking for Yokogawa\S+ is activated")
_UNCERTAIN = re.compile(r"Uncertainty \d+.\d+%, which is above 1.00% limit for the last sample!")
# While the meter looks for its range these are as expected.
_USUAL_IN_RANGING = (
    "Can't evaluate uncertainty of this sample!",
    "Bad watts reading nan from ",
    "Bad amps reading nan from ",
    "Bad pf reading nan from ",
    "Bad volts reading nan from ",
    "Current appears to be too high for set range",
)
_STUTTER = "USB."
_MOST_FINDINGS = 5
_RULE = "ptd-log"


@dataclass(frozen=True)
class _Said:
    time: float
    text: str

    def after(self, word: str) -> str | None:
        _, found, rest = self.text.partition(word)
        return rest.strip() if found else None


def log(evidence: Evidence) -> Iterator[Finding]:
    """No error but in ranging; no sample that is too uncertain under load; uncertainty was looked at at all."""
    path = evidence.folder / "power" / "ptd_logs.txt"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        yield Finding(_RULE, "error", str(path), f"cannot be read: {error.strerror}", "measure again")
        return
    said = [found for line in lines if (found := _said(line))]
    try:
        began, ended = _ranging(said, f"{evidence.server.session_name}_ranging")
    except PowerError as error:
        yield Finding(_RULE, "error", str(path), error.cause, error.hint)
        return
    yield from _not_activated(str(path), said, began)
    yield from _limited(str(path), list(_complaints(evidence, said, began, ended)))


def _limited(path: str, findings: list[Finding]) -> Iterator[Finding]:
    """One cause can come with every sample; a handful of lines tells it."""
    errors = [finding for finding in findings if finding.severity == "error"]
    warnings = [finding for finding in findings if finding.severity == "warning"]
    for severity, group in (("errors", errors), ("warnings", warnings)):
        yield from group[:_MOST_FINDINGS]
        if len(group) > _MOST_FINDINGS:
            cause = f"{len(group) - _MOST_FINDINGS} more {severity} of this kind"
            yield Finding(_RULE, group[0].severity, path, cause, group[0].remedy)


def _said(line: str) -> _Said | None:
    found = _LINE.match(line)
    try:
        return _Said(moment(found["time"]), found["text"]) if found else None
    except ValueError:
        return None


def _ranging(said: list[_Said], mark: str) -> tuple[float, float]:
    began = next((one.time for one in said if one.text == f"Go with mark '{mark}'"), None)
    if began is None:
        raise PowerError(f"PTDaemon began no measurement {mark!r}", "is it the log of this session? Measure again")
    ended = next((one.time for one in said if one.time >= began and one.text.strip() == "Completed test"), None)
    if ended is None:
        raise PowerError("PTDaemon did not complete the ranging measurement", "measure again")
    return began, ended


def _not_activated(path: str, said: list[_Said], began: float) -> Iterator[Finding]:
    when = next((one.time for one in said if _ACTIVATED.search(one.text)), None)
    if when is None or when >= began:
        cause = "PTDaemon did not check uncertainties before ranging began"
        yield Finding(_RULE, "error", path, cause, "use an analyzer whose uncertainty PTDaemon can tell")


def _complaints(evidence: Evidence, said: list[_Said], began: float, ended: float) -> Iterator[Finding]:
    path = str(evidence.folder / "power" / "ptd_logs.txt")
    load = evidence.windows.get("run_1")
    for one in said:
        if (error := one.after("ERROR:")) is not None:
            yield from _error(path, error, in_ranging=began < one.time < ended)
        warning = one.after("WARNING:")
        if warning is not None and load and load.begin + TOLERANCE_S < one.time < load.end - TOLERANCE_S:
            fatal = _UNCERTAIN.search(warning) is not None
            remedy = (
                "use a smaller range, or an analyzer that fits the load; measure again" if fatal else "look into it"
            )
            yield Finding(
                _RULE, "error" if fatal else "warning", path, f"PTDaemon warned under load: {warning}", remedy
            )


def _error(path: str, text: str, *, in_ranging: bool) -> Iterator[Finding]:
    if text == _STUTTER:
        yield Finding(
            _RULE, "warning", path, "the analyzer's USB link stuttered", "use a shorter cable or another port"
        )
    elif not in_ranging:
        yield Finding(_RULE, "error", path, f"the analyzer had an error outside ranging: {text[:120]}", "measure again")
    elif not text.startswith(_USUAL_IN_RANGING):
        yield Finding(_RULE, "warning", path, f"an unusual error in ranging: {text[:120]}", "tell it when asked")
