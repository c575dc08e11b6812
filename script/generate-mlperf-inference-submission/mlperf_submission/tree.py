"""Writes a submission's files into a folder, in the layout of its round."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlperf_checker.layout import DETAIL, POWER_FILES, SUMMARY, VERIFICATIONS, Layout, Place

from mlperf_submission import measurements, texts, truncation
from mlperf_submission.errors import SubmissionError
from mlperf_submission.inferring import Inferred
from mlperf_submission.order import Order
from mlperf_submission.results import RUN, Result
from mlperf_submission.sources import Sources
from mlperf_submission.truncation import LOG

_EXTRAS = ("images", "videos")  # what text-to-image and text-to-video show of their answers


@dataclass(frozen=True)
class Member:
    """A result with its place in the submission, and the round's benchmark that it runs."""

    result: Result
    place: Place
    benchmark: str


@dataclass(frozen=True)
class Contents:
    """All that goes into a submission besides what the order says. ``system`` is the description's text."""

    members: tuple[Member, ...]
    inferred: tuple[Inferred, ...]
    system: str
    measurement_keys: tuple[str, ...]
    given_measurements: dict[str, str]


class Tree:
    """Writes one submission below ``root``; every method writes one kind of files, OSError where it cannot."""

    def __init__(self, root: Path, layout: Layout, order: Order) -> None:
        self._root, self._layout, self._order = root, layout, order

    def write(self, contents: Contents) -> None:
        """Everything. Raises OSError, and SubmissionError for a log that cannot be used."""
        self._system(contents.system)
        self._mapping(contents.members)
        for member in contents.members:
            self._measured(member)
            self._measurements(member, contents)
            self._tests(member)
        for one in contents.inferred:
            self._inferred(one)
        self._sources(contents.members, contents.inferred)
        self._calibration(contents.members)

    def _system(self, text: str) -> None:
        order = self._order
        self._put(self._at(self._layout.system_file(order.division, order.submitter, order.system)), text)

    def _mapping(self, members: Sequence[Member]) -> None:
        own = {one.place.benchmark: one.benchmark for one in members if one.place.benchmark != one.benchmark}
        if own and self._order.division == "open":
            target = self._at(self._layout.model_mapping(self._order.submitter))
            self._put(target, json.dumps(own, indent=2, sort_keys=True) + "\n")

    def _measured(self, member: Member) -> None:
        result, place = member.result, member.place
        self._logs(result.logs("performance"), self._at(self._layout.performance(place)))
        accuracy = self._at(self._layout.accuracy(place))
        self._logs(result.logs("accuracy"), accuracy)
        truncation.copy_truncated(result.logs("accuracy"), accuracy)
        for name in _EXTRAS:
            if (result.logs("accuracy") / name).is_dir():
                shutil.copytree(result.logs("accuracy") / name, accuracy / name, copy_function=shutil.copyfile)
        self._power(member)

    def _logs(self, source: Path, target: Path) -> None:
        target.mkdir(parents=True)
        for name in (SUMMARY, DETAIL):
            shutil.copyfile(source / name, target / name)

    def _power(self, member: Member) -> None:
        source, place = member.result.power, member.place
        if source is None:
            return
        target = self._at(self._layout.power(place))
        target.mkdir(parents=True)
        for name in POWER_FILES.required:
            shutil.copyfile(source / name, target / name)
        ranging = source.parent / "ranging"
        self._logs(ranging, self._at(self._layout.ranging(place)))
        shutil.copyfile(ranging / "spl.txt", self._at(self._layout.ranging(place)) / "spl.txt")
        run = self._at(self._layout.performance(place))
        shutil.copyfile(member.result.logs("performance") / "spl.txt", run / "spl.txt")
        folder = self._at(self._layout.measurements(place))
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("analyzer_table", "power_settings"):
            path = getattr(self._order, name)
            if path:
                shutil.copyfile(path, folder / f"{name}{path.suffix or '.txt'}")

    def _measurements(self, member: Member, contents: Contents) -> None:
        result, place, order = member.result, member.place, self._order
        folder = self._at(self._layout.measurements(place))
        folder.mkdir(parents=True, exist_ok=True)
        self._put(
            self._at(self._layout.measurements_file(place)),
            measurements.text(result, contents.measurement_keys, contents.given_measurements),
        )
        readme = texts.readme(result, member.benchmark, self._layout.round, order.demonstration, self._lock_of(place))
        self._put(folder / "README.md", readme)
        shutil.copyfile(result.folder / "performance" / "user.conf", folder / "user.conf")

    def _lock_of(self, place: Place) -> str:
        if self._order.lock is None:
            return ""
        return str(self._layout.code(place.division, place.submitter, place.benchmark) / "lock.json")

    def _tests(self, member: Member) -> None:
        for source in member.result.tests():
            target = self._at(self._layout.compliance(member.place, source.name))
            for name in VERIFICATIONS.get(source.name, ()):
                target.mkdir(parents=True, exist_ok=True)
                if (source / name).is_file():
                    shutil.copyfile(source / name, target / name)
            if (source / "performance" / RUN).is_dir():
                self._logs(source / "performance" / RUN, target / "performance" / RUN)
            if (source / "accuracy" / LOG).is_file():
                self._test_accuracy(source / "accuracy", target / "accuracy", source.name)

    def _test_accuracy(self, source: Path, target: Path, test: str) -> None:
        target.mkdir(parents=True)
        if test in truncation.TESTS:
            truncation.copy_truncated(source, target, scored=test == "TEST01")
        else:
            shutil.copyfile(source / LOG, target / LOG)
        for name in ("baseline_accuracy.txt", "compliance_accuracy.txt"):
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)

    def _inferred(self, one: Inferred) -> None:
        """A copy of all folders of a result; the measurements' file carries its scenario in the old layout."""
        layout, copied = self._layout, set()
        for folder in (layout.results, layout.measurements, layout.compliance):
            source, target = self._at(folder(one.source)), self._at(folder(one.target))
            if target not in copied and source.is_dir():
                shutil.copytree(source, target, copy_function=shutil.copyfile)
            copied.add(target)
        name = layout.measurements_file(one.source).name
        own = self._at(layout.measurements_file(one.target))
        if name != own.name:
            (own.parent / name).rename(own)

    def _sources(self, members: Sequence[Member], inferred: Sequence[Inferred]) -> None:
        order = self._order
        sources = Sources(self._at(self._layout.code(order.division, order.submitter)))
        packages = sources.packages([one.result for one in members])
        folders = {one.place.benchmark: [] for one in members}  # type: dict[str, list[Result]]
        for member in members:
            folders[member.place.benchmark].append(member.result)
        for one in inferred:
            folders.setdefault(one.target.benchmark, folders[one.source.benchmark])
        for name, results in folders.items():
            sources.model(name, [texts.command(result) for result in results], packages, order.lock)

    def _calibration(self, members: Sequence[Member]) -> None:
        order = self._order
        target = self._at(self._layout.calibration(order.division, order.submitter)[0])
        if order.calibration:
            target.parent.mkdir(parents=True)
            shutil.copyfile(order.calibration, target)
            return
        precisions = {str(one.result.configuration.get("precision")) for one in members}
        if "int8" not in precisions:
            self._put(target, texts.calibration(precisions))
        elif order.division != "open":
            raise SubmissionError(
                "int8 in the closed division needs an account of its calibration", "--calibration=FILE"
            )

    def _at(self, place: object) -> Path:
        return self._root / str(place)

    @staticmethod
    def _put(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
