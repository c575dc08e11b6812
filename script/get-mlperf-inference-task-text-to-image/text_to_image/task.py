"""The text-to-image benchmark: tokens and latents in, a picture out.

The folder holds `tokens.npy` (int64, 2 x N x 77: for both text encoders), `latents.npy` (float32, 4 x h x w, the same
for all samples), `captions.json` (N texts) and `dataset.json`. A response is a picture, uint8, 8h x 8w x 3.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.arrays import Array
from harness.config import RunConfig, Tier
from harness.errors import HarnessError
from harness.outcome import Quality
from harness.tasks.base import Column, TaskDefaults, require, require_outputs, require_tier

LENGTH = 77
HINT = 'prepare the captions again: cmr "get preprocessed dataset coco2014"'


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`."""

    schema: int
    name: str
    tier: Tier
    count: int


class TextToImage(TaskDefaults):
    """Pictures from prepared captions. Raises HarnessError of kind `dataset` when the folder is not what it claims."""

    response_dtype = "uint8"

    def __init__(self, config: RunConfig) -> None:
        import numpy as np

        folder = Path(config.dataset)
        self._info = info = _describe(folder / "dataset.json")
        require_tier(config, info.tier, folder)
        require(info.count > 0, f"{folder}/dataset.json says count {info.count}", HINT)
        self._tokens = _array(folder / "tokens.npy", np.int64)
        self._latents = _array(folder / "latents.npy", np.float32)
        expected = (2, info.count, LENGTH)
        found, shape = self._tokens.shape, self._latents.shape
        require(found == expected, f"{folder}/tokens.npy has shape {found}, not {expected}", HINT)
        require(len(shape) == 3 and shape[0] == 4, f"{folder}/latents.npy has shape {shape}, not (4, h, w)", HINT)
        self.count = info.count
        self.columns: tuple[Column, ...] = (
            Column("tokens", (LENGTH,), "int64"),
            Column("tokens_2", (LENGTH,), "int64"),
            Column("latents", shape),
        )
        self.sample_bytes = 2 * 8 * LENGTH + self._latents.nbytes
        self.picture = (8 * shape[1], 8 * shape[2], 3)
        self.response_width: int | None = int(np.prod(self.picture))

    def load(self, indices: list[int]) -> tuple[Array, Array, Array]:
        """Tokens of both encoders, and the latents once per sample."""
        import numpy as np

        latents = np.broadcast_to(self._latents, (len(indices), *self._latents.shape)).copy()
        return self._tokens[0][indices], self._tokens[1][indices], latents

    def encode(self, outputs: tuple[Array, ...], indices: list[int]) -> Array:
        """Pictures, one row of bytes each."""
        require_outputs(outputs, len(indices))
        pictures = outputs[0]
        if pictures.shape[1:] != self.picture:
            raise HarnessError("raised", f"the network gave pictures of {pictures.shape[1:]}, not {self.picture}")
        rows: Array = pictures.reshape(len(indices), -1)
        return rows

    def facts(self) -> dict[str, Any]:
        """What the captions are, and the size of the pictures."""
        info = self._info
        return {"name": info.name, "tier": info.tier, "count": self.count, "picture": list(self.picture)}

    def quality(self, log_dir: Path) -> Quality | None:
        """Raises HarnessError of kind `accuracy`: CLIP score and FID are not computed, it says how to get them."""
        from text_to_image import metric

        raise metric.not_computed(log_dir)


def _describe(path: Path) -> Description:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Description)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror}", HINT) from error
    except msgspec.MsgspecError as error:
        raise HarnessError("dataset", f"{path}: {error}", HINT) from error


def _array(path: Path, dtype: type) -> Array:
    import numpy as np

    try:
        array: Array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise HarnessError("dataset", f"cannot read {path}: {error.strerror or error}", HINT) from error
    except (ValueError, EOFError) as error:
        raise HarnessError("dataset", f"{path} is not a usable .npy file: {error}", HINT) from error
    require(array.dtype == dtype, f"{path} holds {array.dtype}, expected {dtype.__name__}", HINT)
    return array
