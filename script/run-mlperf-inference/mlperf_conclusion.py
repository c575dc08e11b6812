"""What stands at the end of a run: one stored record per scenario, the table, the report, and what was refused."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cm4bench_results.harvest import Context, join
from cm4bench_results.html import write_report
from cm4bench_results.record import Host, Request, ResultRecord
from cm4bench_results.stamp import verdict
from cm4bench_results.store import ResultStore
from cm4bench_results.table import print_table
from harness.outcome import Outcome

REPORT = "report.html"
SCENARIOS = ("Offline", "Server", "SingleStream", "MultiStream", "Interactive")


@dataclass(frozen=True)
class Conclusion:
    """Records in the order of `SCENARIOS`, each with its file; ``refused`` are the scenarios that are not valid."""

    records: tuple[ResultRecord, ...]
    paths: tuple[Path, ...]
    report: Path
    refused: tuple[str, ...]

    def show(self) -> None:
        """Print the table and where the records are. The report's path is an output, which the engine prints."""
        print()
        print_table(self.records)
        print()
        for path in self.paths:
            print(f"record: {path}")


def read_outcomes(entries: Iterable[Mapping[str, Any]], run: Path) -> tuple[list[Outcome], dict[str, str]]:
    """The outcomes of this run, and the versions of what made them.

    ``entries`` are those that app-mlperf-inference leaves in the state; those of other runs are passed over.
    """
    own = [entry for entry in entries if run in Path(entry["path"]).parents]
    versions = {name: version for entry in own for name, version in entry["versions"].items()}
    return [Outcome.from_json(Path(entry["path"]).read_bytes()) for entry in own], versions


def conclude(
    run: Path, outcomes: Sequence[Outcome], request: Request, env: Mapping[str, Any], versions: Mapping[str, str]
) -> Conclusion:
    """Join the outcomes by scenario, store the records and write the report; OSError where that is impossible."""
    context = Context(_now(), request, host_of(env), str(env.get("CM_PLAN_ID") or ""), versions)
    store = ResultStore(run.parent)
    records, paths = [], []
    for scenario, group in by_scenario(outcomes).items():
        name = f"{run.name}/{scenario.lower()}"
        records.append(join(name, store.folder(name), group, context))
        paths.append(store.save(records[-1]))
    report = write_report(records, run / REPORT)
    refused = tuple(record.subject.scenario for record in records if not verdict(record).valid)
    return Conclusion(tuple(records), tuple(paths), report, refused)


def by_scenario(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Outcomes per scenario. A search counts only beside a run that used it, unless there was nothing but searches."""
    groups = {name: [o for o in outcomes if o.config.scenario == name] for name in SCENARIOS}
    searches_only = all(outcome.config.mode == "find-performance" for outcome in outcomes)
    return {
        name: group
        for name, group in groups.items()
        if group and (searches_only or any(outcome.config.mode != "find-performance" for outcome in group))
    }


def host_of(env: Mapping[str, Any]) -> Host:
    """The host, from what detect-os and detect-cpu found, and from this process where they are silent."""
    system = " ".join(filter(None, (_text(env, "CM_HOST_OS_FLAVOR"), _text(env, "CM_HOST_OS_VERSION"))))
    return Host(
        os=system or platform.system(),
        cpu_model=_text(env, "CM_HOST_CPU_MODEL_NAME") or platform.processor(),
        cpu_cores=int(_text(env, "CM_HOST_CPU_TOTAL_CORES") or os.cpu_count() or 0),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        python=_text(env, "CM_PYTHON_VERSION") or platform.python_version(),
    )


def _text(env: Mapping[str, Any], key: str) -> str:
    value = env.get(key)
    return "" if value is None else str(value).strip()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
