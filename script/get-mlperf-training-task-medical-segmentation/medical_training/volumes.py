"""Prepared cases (get-preprocessed-dataset-kits19, _training): patches for training, whole volumes for evaluation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    import torch

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
else:
    Array = Any

HINT = "a folder that get,preprocessed,dataset,kits19,_training has made"
#: share of patches that are sure to show some of a labelled class, as in MLPerf's reference
OVERSAMPLING = 0.4


@dataclass(frozen=True)
class Case:
    """The files of one case: brightness [1, D, H, W] and labels [D, H, W]."""

    image: Path
    label: Path

    def open(self) -> tuple[Array, Array]:
        """Both, mapped into memory; TrainingError of kind `data` names a file that cannot be used."""
        image, label = _mapped(self.image), _mapped(self.label)
        if image.ndim != 4 or image.shape[1:] != label.shape:
            cause = f"{self.label}: labels of {label.shape} for a volume of {image.shape}"
            raise TrainingError("data", cause, HINT)
        return image, label


def _mapped(path: Path) -> Array:
    import numpy as np

    try:
        found: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise TrainingError("data", f"{path}: {error.strerror or error}", HINT) from error
    except (ValueError, EOFError) as error:
        raise TrainingError("data", f"{path}: no readable array ({error})", HINT) from error
    return found


@dataclass(frozen=True)
class Folder:
    """The cases of a prepared folder, and how many classes they have besides the background."""

    training: tuple[Case, ...]
    evaluation: tuple[Case, ...]
    classes: int


def read(folder: Path) -> Folder:
    """The cases that dataset.json lists; TrainingError of kind `data` names what is missing or damaged."""
    index = folder / "dataset.json"
    try:
        described = json.loads(index.read_bytes())
        names = [str(one["name"]) for one in described["cases"]]
        evaluation = {str(name) for name in described["evaluation"]}
        classes = len(described["classes"])
    except OSError as error:
        raise TrainingError("data", f"{index}: {error.strerror}", HINT) from error
    except KeyError as error:
        raise TrainingError("data", f"{index}: {error} is not there", HINT) from error
    except (ValueError, TypeError) as error:
        raise TrainingError("data", f"{index}: {error}", HINT) from error
    cases = {name: Case(folder / "volumes" / f"{name}.npy", folder / "labels" / f"{name}.npy") for name in names}
    missing = [path for case in cases.values() for path in (case.image, case.label) if not path.is_file()]
    missing += [folder / "volumes" / f"{name}.npy" for name in sorted(evaluation - set(names))]
    if missing:
        raise TrainingError("data", f"{missing[0]}: missing", HINT)
    parts = [tuple(case for name, case in cases.items() if (name in evaluation) is wanted) for wanted in (False, True)]
    return Folder(parts[0], parts[1], classes)


class Patches:
    """A cube of ``side`` voxels from each case: anywhere, or around a labelled voxel; mirrored, with other brightness.

    A batch is ``{"image": [N, 1, side, side, side], "label": the same}``.
    """

    def __init__(self, cases: Sequence[Case], side: int) -> None:
        self._cases, self._side = cases, side

    def __len__(self) -> int:
        return len(self._cases)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """A patch of each of the cases; all chance is ``draw``'s."""
        import torch

        pairs = [self._patch(self._cases[index], draw) for index in indices]
        images, labels = (torch.stack(parts) for parts in zip(*pairs, strict=True))
        return {"image": images, "label": labels}

    def _patch(self, case: Case, draw: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        image, label = case.open()
        around = float(torch.rand((), generator=draw)) < OVERSAMPLING
        corner = self._around_class(label, draw) if around else self._anywhere(label.shape, draw)
        where = tuple(slice(start, start + self._side) for start in corner)
        patch = torch.from_numpy(image[0][where].copy()).float()[None]
        truth = torch.from_numpy(label[where].astype("int64"))[None]
        if patch.shape[1:] != (self._side,) * 3:
            raise TrainingError("data", f"{case.image}: smaller than a patch of {self._side} voxels", "--patch")
        axes = [axis for axis in (1, 2, 3) if float(torch.rand((), generator=draw)) < 0.5]
        return _other_brightness(patch.flip(axes), draw), truth.flip(axes)

    def _anywhere(self, shape: tuple[int, ...], draw: torch.Generator) -> list[int]:
        return [_draw_int(max(1, length - self._side + 1), draw) for length in shape]

    def _around_class(self, label: Array, draw: torch.Generator) -> list[int]:
        """A corner so that a voxel of a class, drawn among those that are there, is in the middle if it can be."""
        import numpy as np

        present = [value for value in np.unique(label) if value]
        if not present:
            return self._anywhere(label.shape, draw)
        places = np.argwhere(label == present[_draw_int(len(present), draw)])
        centre = places[_draw_int(len(places), draw)]
        ends = [max(0, length - self._side) for length in label.shape]
        return [int(min(max(0, middle - self._side // 2), end)) for middle, end in zip(centre, ends, strict=True)]


def _draw_int(bound: int, draw: torch.Generator) -> int:
    import torch

    return int(torch.randint(bound, (), generator=draw))


def _other_brightness(patch: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """In one patch of ten each: up to 30 % brighter or darker, and noise of deviation up to 0.1."""
    import torch

    chances = torch.rand(4, generator=draw).tolist()
    if chances[0] < 0.1:
        patch = patch * (0.7 + 0.6 * chances[1])
    if chances[2] < 0.1:
        patch = patch + 0.1 * chances[3] * torch.randn(patch.shape, generator=draw)
    return patch


class Volumes:
    """Whole cases. They differ in size, so a batch holds lists: ``{"image": [[1, D, H, W] …], "label": […]}``."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = cases

    def __len__(self) -> int:
        return len(self._cases)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, list[torch.Tensor]]:
        """The cases at ``indices``; nothing is left to chance."""
        import torch

        pairs = [self._cases[index].open() for index in indices]
        return {
            "image": [torch.from_numpy(image.copy()).float() for image, _ in pairs],
            "label": [torch.from_numpy(label.astype("int64"))[None] for _, label in pairs],
        }
