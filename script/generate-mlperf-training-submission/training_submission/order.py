"""What is to be packed, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """A submission as its owner wants it.

    Attributes:
        records: folders of runs, or folders that hold some.
        description: systems/<name>.json, as get-mlperf-inference-sut-description writes it, or of training's form.
        output: folder in which the submission's own folder is made.
        submitter: organisation; as in the description where empty.
        division: `open` or `closed`.
        version: ruleset, as `v4.0`; by default the newest that has all benchmarks.
        status: `available`, `cloud`, `preview` or `rdi`; as in the description where empty.
        implementation: name of the folder of the code below benchmarks/<benchmark>/implementations/.
        scaling: for hpc, `strong` or `weak`.
        demonstration: pack what cannot be submitted, marked as that.
        replace: an earlier submission of the same name makes room.
    """

    records: tuple[Path, ...]
    description: Path
    output: Path
    submitter: str = ""
    division: str = "open"
    version: str = ""
    status: str = ""
    implementation: str = "cm4bench"
    scaling: str = "strong"
    demonstration: bool = False
    replace: bool = False

    @property
    def system(self) -> str:
        """Short name of the system, which its files and folders carry."""
        return self.description.stem
