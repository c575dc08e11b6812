"""Where the files of a submission lie, per round.

Up to v5.1 a result is spread over results/, measurements/ and compliance/. Since v6.0 the scenario's folder under
results/ holds all of it, and code/ is called src/. All paths are relative to the root of the submission.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from mlperf_checker import roundfiles

DIVISIONS = ("closed", "open", "network")
SCENARIOS = ("SingleStream", "MultiStream", "Offline", "Server", "Interactive")
SUMMARY, DETAIL, ACCURACY_LOG = "mlperf_log_summary.txt", "mlperf_log_detail.txt", "mlperf_log_accuracy.json"

MAX_FILE_BYTES_PER_MB = 1024 * 1024


@dataclass(frozen=True)
class FileList:
    """What a folder must hold and may hold; anything else is an objection."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


# Upstream never objects to these, wherever they lie.
IGNORED_FILES = ("mlperf_log_trace.json", "results.json", ".gitkeep")
PERFORMANCE_FILES = FileList((SUMMARY, DETAIL), (ACCURACY_LOG,))
POWER_RUN_FILES = FileList((SUMMARY, DETAIL, "spl.txt"), (ACCURACY_LOG,))
POWER_FILES = FileList(("client.json", "client.log", "ptd_logs.txt", "server.json", "server.log"))
ACCURACY_FILES = FileList((SUMMARY, DETAIL, "accuracy.txt", ACCURACY_LOG))
TEST01_ACCURACY_FILES = FileList((ACCURACY_LOG, "accuracy.txt"), ("baseline_accuracy.txt", "compliance_accuracy.txt"))
# In one of the folders from the measurements' up to the root of the measurements; names are prefixes.
POWER_SETTINGS_FILES = ("analyzer_table.", "power_settings.")

# What verifying a compliance test leaves in its folder, and whether the test has a performance run of its own there.
VERIFICATIONS: dict[str, tuple[str, ...]] = {
    "TEST01": ("verify_accuracy.txt", "verify_performance.txt"),
    "TEST04": ("verify_performance.txt",),
    "TEST05": ("verify_performance.txt",),
    "TEST06": ("verify_accuracy.txt",),
    "TEST07": ("verify_accuracy.txt",),
    "TEST08": ("verify_accuracy.txt",),
    "TEST09": ("verify_output_len.txt",),
}
TESTS_WITH_PERFORMANCE = ("TEST01", "TEST04", "TEST05")


@dataclass(frozen=True)
class Place:
    """One result: what a row of the published table is about."""

    division: str
    submitter: str
    system: str
    benchmark: str
    scenario: str

    def __str__(self) -> str:
        return "/".join((self.division, self.submitter, self.system, self.benchmark, self.scenario))


@dataclass(frozen=True)
class Layout:
    """The folders of one round.

    Attributes:
        round: its name.
        merged: one folder per scenario holds measurements and compliance tests too (since v6.0).
        measurement_files: beside the measurements' JSON, none of them empty.
        nameplate: systems/<system>_power.yaml may give the power supplies (since v6.1).
        max_accuracy_log_bytes: mlperf_log_accuracy.json must be truncated to it.
        max_file_bytes: of any file.
    """

    round: str
    merged: bool
    measurement_files: tuple[str, ...]
    nameplate: bool
    max_accuracy_log_bytes: int
    max_file_bytes: int
    _results: str
    _measurements: str
    _compliance: str
    _code: str
    _systems: str

    @classmethod
    def of(cls, round_version: str) -> Layout:
        """The layout of a round, as `v6.1`.

        Raises:
            HarnessError: kind `config`, for an unknown round.
        """
        return _of(round_version)

    @property
    def code_name(self) -> str:
        """`code` or `src`."""
        return self._code.rpartition("/")[2]

    def submitter(self, division: str, submitter: str) -> PurePosixPath:
        return PurePosixPath(division, submitter)

    def systems(self, division: str, submitter: str) -> PurePosixPath:
        return PurePosixPath(self._systems.format(division=division, submitter=submitter))

    def system_file(self, division: str, submitter: str, system: str) -> PurePosixPath:
        """The system's description, a JSON file."""
        return self.systems(division, submitter) / f"{system}.json"

    def nameplate_file(self, division: str, submitter: str, system: str) -> PurePosixPath:
        """The system's power supplies, a YAML file for systems with power results."""
        return self.systems(division, submitter) / f"{system}_power.yaml"

    def model_mapping(self, submitter: str, division: str = "open") -> PurePosixPath:
        """Own model names to benchmarks, `{"mynet": "resnet"}`; read in the open division only."""
        return self.submitter(division, submitter) / "model_mapping.json"

    def code(self, division: str, submitter: str, benchmark: str = "") -> PurePosixPath:
        """Folder of the sources, of one benchmark where one is named."""
        return PurePosixPath(self._code.format(division=division, submitter=submitter), benchmark)

    def calibration(self, division: str, submitter: str) -> tuple[PurePosixPath, ...]:
        """Where the account of calibration may lie; the closed division needs one of them."""
        home = self.submitter(division, submitter)
        return home / "documentation" / "calibration.md", home / "calibration.md"

    def results(self, place: Place) -> PurePosixPath:
        return self._fill(self._results, place)

    def performance(self, place: Place) -> PurePosixPath:
        """Folder of the measured run's logs."""
        return self.results(place) / "performance" / "run_1"

    def ranging(self, place: Place) -> PurePosixPath:
        """Folder of the run that finds the ranges of the power analyzer."""
        return self.results(place) / "performance" / "ranging"

    def power(self, place: Place) -> PurePosixPath:
        """Folder of the power measurement. That it exists makes the result a power result."""
        return self.results(place) / "performance" / "power"

    def accuracy(self, place: Place) -> PurePosixPath:
        return self.results(place) / "accuracy"

    def measurements(self, place: Place) -> PurePosixPath:
        """Folder of user.conf, README.md and the measurements' JSON."""
        return self._fill(self._measurements, place)

    def measurements_file(self, place: Place, implementation: str = "") -> PurePosixPath:
        """The JSON file to write; `implementation` becomes part of its name up to v5.1."""
        name = "measurements" if self.merged else "_".join(filter(None, (place.system, implementation, place.scenario)))
        return self.measurements(place) / f"{name}.json"

    def is_measurements_file(self, name: str, place: Place) -> bool:
        """Whether a file's name makes it the measurements' JSON."""
        if self.merged:
            return name == "measurements.json"
        return name.startswith(place.system) and name.endswith(".json")

    def compliance(self, place: Place, test: str = "") -> PurePosixPath:
        """Folder of a compliance test, or of all of them."""
        return self._fill(self._compliance, place) / test

    @staticmethod
    def _fill(template: str, place: Place) -> PurePosixPath:
        return _filled(template, place)


# Rules ask for the same few folders of one result again and again.
@lru_cache(maxsize=256)
def _filled(template: str, place: Place) -> PurePosixPath:
    return PurePosixPath(template.format(**vars(place)))


@lru_cache(maxsize=16)
def _of(version: str) -> Layout:
    rules = roundfiles.load(version).submission
    folders = rules.layout
    return Layout(
        round=version,
        merged=folders.measurements == folders.results,
        measurement_files=rules.measurement_files,
        nameplate=order(version) >= order("v6.1"),
        max_accuracy_log_bytes=rules.max_accuracy_log_bytes,
        max_file_bytes=rules.max_file_mb * MAX_FILE_BYTES_PER_MB,
        _results=folders.results,
        _measurements=folders.measurements,
        _compliance=folders.compliance,
        _code=folders.code,
        _systems=folders.systems,
    )


def order(version: str) -> tuple[int, ...]:
    """Rounds by age: `order("v6.1") > order("v5.0")`."""
    return tuple(int(part) if part.isdigit() else -1 for part in version.removeprefix("v").split("."))
