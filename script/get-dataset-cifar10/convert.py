"""CIFAR-10's test images, as BIG-bench packs them, in CIFAR-10's own layout: four fifths to train, one fifth to test.

The source is sorted by class; the images are shuffled with a fixed seed before they are divided.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import io
import json
import pickle
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer import datafiles

if TYPE_CHECKING:
    import numpy as np

BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
TEST_SHARE = 5  # one image in five is a test image
SEED = 0


def read(source: Path) -> tuple[list[bytes], list[int], list[str]]:
    """PNG files, their classes, and the classes' names in CIFAR-10's order, which is the alphabet's.

    Raises:
        ValueError: for a file that is not BIG-bench's, naming it.
    """
    try:
        examples = json.loads(source.read_bytes())["examples"]
        names = sorted(examples[0]["target_scores"])
        images = [base64.b64decode(one["input"], validate=True) for one in examples]
        labels = [names.index(max(one["target_scores"], key=one["target_scores"].get)) for one in examples]
    except (KeyError, TypeError, IndexError, ValueError, binascii.Error) as error:
        raise ValueError(f"{source} is not BIG-bench's cifar10_classification/base64/task.json: {error!r}") from error
    return images, labels, names


def pixels(image: bytes) -> np.ndarray[Any, Any]:
    """3,072 bytes: 1,024 of red, of green, of blue, each row by row."""
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(image)) as opened:
        return np.asarray(opened.convert("RGB"), dtype=np.uint8).transpose(2, 0, 1).reshape(-1)


def divide(count: int) -> list[list[int]]:
    """Indices of each batch, five of equal size to train and one to test."""
    order = list(range(count))
    random.Random(SEED).shuffle(order)
    test = count // TEST_SHARE
    train = order[test:]
    size = len(train) // 5
    return [*(train[number * size : (number + 1) * size] for number in range(5)), order[:test]]


def write(folder: Path, rows: Sequence[np.ndarray[Any, Any]], labels: Sequence[int], names: Sequence[str]) -> None:
    """The six batches, `batches.meta` and the sums of all; ``folder`` appears in one step."""
    import numpy as np

    staging = datafiles.stage(folder)
    for name, chosen in zip(BATCHES, divide(len(rows)), strict=True):
        batch = {b"batch_label": name.encode(), b"labels": [labels[one] for one in chosen]}
        _dump(staging / name, batch | {b"data": np.stack([rows[one] for one in chosen])})
    meta = {b"num_cases_per_batch": len(divide(len(rows))[0]), b"num_vis": 3072}
    _dump(staging / "batches.meta", meta | {b"label_names": [name.encode() for name in names]})
    datafiles.publish(staging, folder)


def _dump(path: Path, content: dict[bytes, Any]) -> None:
    with path.open("wb") as file:
        pickle.dump(content, file, protocol=4)


def main() -> int:
    """Command line entry; 1 with one line on stderr for a source that cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        images, labels, names = read(options.source)
        write(options.out, [pixels(image) for image in images], labels, names)
    except (OSError, ValueError) as error:
        print(f"cannot make the batches: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
