"""The checkers of mlperf-logging, unmodified, each without its traps.

They report by logging and printing, end with code 0 whatever they found, die of what they did not expect, take names
for patterns, and one of them writes into the tree. So they are called in this process, on a shadow of the tree.
"""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from trainer.rulesets import OWN
from training_checker.rounds import OWN_RULES

SUCCESS = "PACKAGE CHECKER FOUND NO ERRORS"


@dataclass(frozen=True)
class Said:
    """What a checker of upstream said.

    Attributes:
        ok: it found nothing.
        lines: what it wrote, with levels.
        died: the exception that ended it, as text; empty where it came to its end.
    """

    ok: bool
    lines: tuple[str, ...]
    died: str = ""

    @property
    def errors(self) -> list[str]:
        """What it counts as errors."""
        return [line for line in self.lines if line.startswith("ERROR")]


@dataclass(frozen=True)
class Complaint:
    """One objection of the compliance checker, in its own words; ``key`` is empty for one about the whole log."""

    key: str
    text: str


def complaints(log: Path, usage: str, version: str) -> list[Complaint]:
    """What the compliance checker has against a log; warnings count."""
    from mlperf_logging.compliance_checker import mlp_compliance

    mlp_compliance.enqueued_configs.clear()  # an earlier check that died leaves its own here
    checker = mlp_compliance.make_checker(usage, "4.0.0" if version == OWN else version, False, True)
    config = str(OWN_RULES) if version == OWN else f"{usage}_{version}/common.yaml"
    with _captured():
        try:
            mlp_compliance.main(str(log), config, checker)
        except Exception as error:
            checker.put_message(f"died: {type(error).__name__}: {error}")
    found = [Complaint(key, text) for key, text in checker.overwritable.items()]
    return found + [Complaint("", text) for text in checker.not_overwritable]


def package(folder: Path, usage: str, version: str, *, bypass: frozenset[str] = frozenset()) -> Said:
    """The package checker on a submitter's folder.

    Args:
        bypass: of `rcp-bypass`, `rcp-bert-train-samples` and `seed-checker-bypass`.
    """
    from mlperf_logging.package_checker.package_checker import check_training_package

    flags = [name in bypass for name in ("rcp-bypass", "rcp-bert-train-samples", "seed-checker-bypass")]
    with shadow(folder) as safe, _captured() as lines:
        try:
            check_training_package(str(safe), usage, version, False, False, *flags, "")
        except Exception as error:
            return Said(False, tuple(lines), f"{type(error).__name__}: {error}")
    return Said(any(SUCCESS in line for line in lines), tuple(lines))


def scaling(folder: Path, usage: str, version: str) -> tuple[bool, str, float]:
    """The RCP checker on the folder of one result: passed, its message, and the factor for the score.

    It removes scaling.json: that of the folder, or, told not to write there, that of the root of the file system.

    Raises:
        FileNotFoundError: where the ruleset has no reference convergence points for the benchmark.
    """
    from mlperf_logging.rcp_checker.rcp_checker import check_directory

    with shadow(folder) as safe, _captured():
        passed, message, factor = check_directory(
            str(safe), usage, version, False, False, rcp_pass="pruned_rcps", set_scaling=True
        )
    return bool(passed), str(message), float(factor)


def scores(folder: Path, usage: str, version: str) -> dict[tuple[str, str], float]:
    """Minutes of each system (as its description names it) and benchmark, as the result summarizer has them."""
    from mlperf_logging.result_summarizer.result_summarizer import summarize_results

    with shadow(folder) as safe, _captured():
        table = summarize_results(str(safe), usage, version)[0]
    names = [name for name in table.columns if table[name].dtype.kind == "f"]
    rows = table.to_dict("records")
    return {(row["system"], name): row[name] for row in rows for name in names if row[name] == row[name]}


def system_is_fine(description: Path, usage: str, version: str) -> bool:
    """The system description checker on a file."""
    from mlperf_logging.system_desc_checker.system_desc_checker import check_system_desc

    with _captured():
        try:
            return bool(check_system_desc(str(description), usage, version)[0])
        except Exception:
            return False


def repository(folder: Path) -> Said:
    """The repository checker; it says that all is well by a line only, its value is always False."""
    from mlperf_logging.repo_checker.repo_checker import run_checks

    with _captured() as lines:
        run_checks(str(folder))
    return Said(any("ALL CHECKS PASSED" in line for line in lines), tuple(lines))


@contextmanager
def shadow(folder: Path) -> Iterator[Path]:
    """A folder with links to all files of another one: what is written there is not written here."""
    with tempfile.TemporaryDirectory(prefix="training-checker-") as scrap:
        root = Path(scrap) / "submission"
        root.mkdir()
        for path in sorted(folder.rglob("*")):
            target = root / path.relative_to(folder)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            elif path.is_file():
                target.symlink_to(path.resolve())
        yield root


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} - {record.getMessage().strip()}")


@contextmanager
def _captured() -> Iterator[list[str]]:
    """What upstream logs; what it prints is dropped."""
    lines: list[str] = []
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = [_Collector(lines)]
    root.setLevel(logging.INFO)  # not by assignment: loggers remember what they were not to log
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield lines
    finally:
        root.handlers = before
        root.setLevel(level)
