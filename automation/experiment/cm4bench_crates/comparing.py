"""Are the new figures the packed ones? Judged by the noise of repeats; without repeats by a stated tolerance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cm4bench_crates.extras import need
from cm4bench_results.record import ResultRecord, Subject
from cm4bench_results.stamp import verdict
from cm4bench_results.store import StoredRecord
from cm4bench_results.table import headline, number

# Without repeats nobody knows the noise. Short runs on shared machines move by this much.
ASSUMED = 0.10
# The closed division of MLPerf inference asks for 99 % of the reference's quality.
QUALITY = 0.01


@dataclass(frozen=True)
class Verdict:
    """One figure then and now; ``change`` is a share of the packed value. ``reason`` is what it was judged by."""

    subject: str
    metric: str
    unit: str
    packed: float
    here: float
    change: float
    agrees: bool
    reason: str

    def __str__(self) -> str:
        figures = f"{number(self.packed)} then, {number(self.here)} {self.unit}".rstrip()
        word = "agrees" if self.agrees else "differs"
        return f"{self.subject}, {self.metric}: {figures} here ({100 * self.change:+.1f} %): {word}: {self.reason}"


@dataclass(frozen=True)
class Comparison:
    """All figures compared. ``missing`` names packed results that were not made here, ``doubts`` invalid ones."""

    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Everything was made again, is valid, and agrees."""
        return bool(self.verdicts) and not self.missing and not self.doubts and all(v.agrees for v in self.verdicts)


def compare(
    packed: Sequence[StoredRecord], repeats: Sequence[StoredRecord], here: Sequence[StoredRecord], given: float | None
) -> Comparison:
    """Packed results against those made here; ``given`` is the user's tolerance as a share."""
    verdicts: list[Verdict] = []
    missing, doubts = [], []
    for old in (stored.record for stored in packed):
        new = _same_subject(old, here)
        if new is None:
            missing.append(_name(old.subject))
            continue
        found = verdict(new)
        if not found.valid and verdict(old).valid:
            doubts.append(f"{_name(new.subject)} is not valid here: {'; '.join(found.reasons)}")
        verdicts += _verdicts(old, new, [one.record for one in repeats], given)
    return Comparison(tuple(verdicts), tuple(missing), tuple(doubts))


def _same_subject(old: ResultRecord, here: Iterable[StoredRecord]) -> ResultRecord | None:
    return next((one.record for one in here if one.record.subject == old.subject), None)


def _name(subject: Subject) -> str:
    return f"{subject.model} {subject.scenario}"


def _verdicts(
    old: ResultRecord, new: ResultRecord, repeats: Sequence[ResultRecord], given: float | None
) -> Iterator[Verdict]:
    before, now = headline(old), headline(new)
    if before and now and before.metric == now.metric:
        agrees, reason = _judge(_values(old, repeats), now.value, given)
        yield _verdict(old, before.metric, before.unit, before.value, now.value, agrees, reason)
    if old.quality and new.quality and old.quality.metric == new.quality.metric:
        quality = old.quality
        agrees = abs(_change(quality.value, new.quality.value)) <= QUALITY
        reason = f"{100 * QUALITY:g} % is what MLPerf's closed division allows of quality"
        yield _verdict(old, quality.metric, quality.unit, quality.value, new.quality.value, agrees, reason)


def _verdict(
    old: ResultRecord, metric: str, unit: str, packed: float, here: float, agrees: bool, reason: str
) -> Verdict:
    return Verdict(_name(old.subject), metric, unit, packed, here, _change(packed, here), agrees, reason)


def _change(packed: float, here: float) -> float:
    return (here - packed) / abs(packed) if packed else float(here != packed)


def _values(old: ResultRecord, repeats: Sequence[ResultRecord]) -> list[float]:
    """The figure of the packed result, then those of its repeats."""
    figures = [headline(one) for one in (old, *repeats) if one.subject == old.subject]
    return [figure.value for figure in figures if figure]


def _judge(packed: Sequence[float], here: float, given: float | None) -> tuple[bool, str]:
    """By the tolerance that was given; else by the noise, where it is known; else by an assumed tolerance."""
    change = _change(packed[0], here)
    if given is not None:
        return abs(change) <= given, f"{100 * given:g} % is the tolerance that was given"
    if len(packed) < 2 or min(*packed, here) <= 0:
        return abs(change) <= ASSUMED, f"{100 * ASSUMED:g} % is assumed, for a result without repeats tells no noise"
    need("scipy")
    from cm4bench_compare import compare as compared

    found = compared(packed, [here])
    low, high = found.low or 0.0, found.high or 0.0
    interval = f"{100 * low:+.1f} % to {100 * high:+.1f} %"
    words = f"{len(packed)} runs then and 1 here put the change at {interval}, with {100 * found.confidence:g} %"
    return not found.beyond_noise, f"{words} confidence ({found.method})"
