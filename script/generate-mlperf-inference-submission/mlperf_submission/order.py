"""What is to be packed, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """A submission as its owner wants it.

    Attributes:
        records: result.json files, or folders that hold some; of each model and scenario the last one is taken.
        description: systems/<name>.json, as get-mlperf-inference-sut-description writes it.
        submitter, division: folders of the submission; as in the description where empty.
        output: folder in which the submission's own folder is made.
        round: as `v6.1`; empty for the round that the runs' seeds belong to.
        lock: lock of the runs, to be put beside the code.
        calibration: an account of how int8 models were calibrated.
        measurements: YAML or JSON with values for measurements.json that replace ours.
        analyzer_table, power_settings: how the power analyzer was set up; power results need both.
        infer: also results that the rules let one infer.
        demonstration: pack what cannot be submitted, marked as that.
        replace: an earlier submission of the same name makes room.
    """

    records: tuple[Path, ...]
    description: Path
    output: Path
    submitter: str = ""
    division: str = ""
    round: str = ""
    lock: Path | None = None
    calibration: Path | None = None
    measurements: Path | None = None
    analyzer_table: Path | None = None
    power_settings: Path | None = None
    infer: bool = False
    demonstration: bool = False
    replace: bool = False

    category: str = ""  # the description's, edge or datacenter or both

    @property
    def system(self) -> str:
        """Short name of the system, which its files and folders carry."""
        return self.description.stem
