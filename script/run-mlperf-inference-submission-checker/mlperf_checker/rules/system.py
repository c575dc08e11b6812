"""The description of a system."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlperf_checker import description
from mlperf_checker.context import ResultFolder, System
from mlperf_checker.nameplate import Capacity, capacity
from mlperf_checker.reading import Unreadable
from mlperf_checker.registry import Objection, rule


@rule("system-description", System)
def system_description(system: System) -> Iterable[Objection]:
    """systems/SYSTEM.json is there and can be read."""
    if isinstance(system.description, Unreadable):
        cause = f"the description of the system: {system.description.why}"
        yield Objection(system.path, cause, 'cmr "get mlperf sut description" writes it')


@rule("system-key", System)
def system_key(system: System) -> Iterable[Objection]:
    """Its keys are there and make sense."""
    if isinstance(system.description, Unreadable):
        return
    version = system.submitter.submission.round.name
    counts_matter = system.submitter.submission.is_since("v5.0")
    for one in description.objections(
        system.description, version, division=system.submitter.division, submitter=system.submitter.name
    ):
        about_count = one.key in description.COUNTS and one.key in system.description
        tolerated = about_count and not counts_matter
        yield Objection(system.path, one.cause, one.remedy, severity="warning" if tolerated else "error")


@rule("system-power-key", System)
def system_power_key(system: System) -> Iterable[Objection]:
    """The keys about power supplies and firmware. Upstream has them, and does not insist on them today."""
    said = system.description
    if not system.has_power or isinstance(said, Unreadable):
        return
    wanted = system.submitter.submission.round.submission.power_system_keys
    missing = [name for name in wanted if name not in said]
    if missing:
        cause = f"keys about power are missing: {', '.join(missing)}"
        yield Objection(system.path, cause, "add them, as text", severity="warning")


@rule("nameplate", System, since="v6.1")
def nameplate(system: System) -> Iterable[Objection]:
    """A system with power results tells what its power supplies can give."""
    if not system.has_power or system.said("system_power_capacity"):
        return
    place = (system.submitter.division, system.submitter.name, system.name)
    path = system.submitter.submission.layout.nameplate_file(*place)
    found = capacity(system.submitter.submission.files, path)
    if isinstance(found, Capacity):
        return
    remedy = f'write {path.name} with each component\'s PSUs, or the key "system_power_capacity"'
    yield Objection(path, found.why, remedy, severity="warning" if found.missing else "error")


@rule("network-sut-name", ResultFolder)
def network_sut_name(result: ResultFolder) -> Iterable[Objection]:
    """A system that is measured over a network says so in the name it gives loadgen."""
    log: Any = result.performance.log
    if not result.system.is_network or isinstance(log, Unreadable) or "Network SUT" in log.text("sut_name"):
        return
    cause = f"the system is measured over a network, but its name in the log is {log.text('sut_name')!r}"
    yield Objection(result.performance.log_path, cause, 'run again with a SUT whose name holds "Network SUT"')
