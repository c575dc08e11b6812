"""Running a mixed lock for real: a replay in a process of its own, and the figure of its record."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cm4bench_compare.lockmix import Lock, write
from cm4bench_results import RecordError, ResultStore
from cm4bench_results.table import headline

_CMR = (sys.executable, "-c", "from cmind.cli import run_script; run_script()")
Execute = Callable[[list[str], Path], int]


class LockRunner:
    """Runs locks one after the other, each ``repeats`` times; keeps locks, logs and results below ``folder``.

    Args:
        scenario: of the figure that counts, where a command measures several.
    """

    def __init__(
        self, folder: Path, scenario: str, repeats: int = 3, execute: Execute | None = None, tell: Any = None
    ) -> None:
        self.folder, self.scenario, self.repeats = folder, scenario, repeats
        self._execute = execute or _run
        self._tell = tell or (lambda _: None)
        self._mixes = 0

    def __call__(self, lock: Lock) -> list[float]:
        """The figures; none as soon as a run fails."""
        self._mixes += 1
        place = self.folder / f"mix-{self._mixes:02d}"
        place.mkdir(parents=True, exist_ok=True)
        write(lock, place / "lock.json")
        values = []
        for repeat in range(1, self.repeats + 1):
            value = self._once(place, place / f"run-{repeat}")
            if value is None:
                return []
            values.append(value)
        self._tell(f"{place.name}: {', '.join(f'{value:.5g}' for value in values)}")
        return values

    def _once(self, place: Path, results: Path) -> float | None:
        command = [*_CMR, f"--replay={place / 'lock.json'}", "--replay_anyway", f"--results_dir={results}", "--quiet"]
        code = self._execute(command, results.with_suffix(".log"))
        if code:
            self._tell(f"{place.name} did not run (exit code {code}): {results.with_suffix('.log')}")
            return None
        return self._figure(results)

    def _figure(self, results: Path) -> float | None:
        try:
            records = [stored.record for stored in ResultStore(results).records()]
        except RecordError as error:
            self._tell(str(error))
            return None
        judged = [headline(one) for one in records if one.subject.scenario == self.scenario]
        return next((figure.value for figure in judged if figure), None)


def _run(command: list[str], log: Path) -> int:
    with log.open("wb") as file:
        return subprocess.run(
            command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
        ).returncode
