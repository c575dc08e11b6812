"""Where the weights to start from are: the user's ``checkpoint``, else those that a package brought (``packaged``)."""

from __future__ import annotations

from pathlib import Path

from trainer.errors import TrainingError
from trainer.task import Setup


def starting_point(setup: Setup) -> Path:
    """A folder in transformers' format; TrainingError of kind `data` where there is none."""
    folder = Path(setup.option("checkpoint", "") or setup.option("packaged", ""))
    if not (folder / "config.json").is_file():
        raise TrainingError("data", f"{folder}/config.json is missing: no model to start from", "--checkpoint=FOLDER")
    return folder
