"""Open Catalyst's LMDB files (S2EF): structures with their neighbours, their energy, and the force on each atom."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpc_training.files import Stored, files_of, reading
from trainer.errors import TrainingError

if TYPE_CHECKING:
    import torch

FIELDS = ("atomic_numbers", "pos", "cell", "edge_index", "cell_offsets", "y", "force", "fixed")


@dataclass(frozen=True)
class Structure:
    """Atoms ``a`` and their neighbours ``e``: ``edges`` (2, e) from neighbour to centre, in images of the cell.

    ``numbers`` (a,), ``positions`` (a, 3) in Å, ``shifts`` (e, 3) in Å, ``energy`` () in eV, ``forces`` (a, 3) in eV/Å,
    ``free`` (a,) is true for atoms that may move.
    """

    numbers: torch.Tensor
    positions: torch.Tensor
    edges: torch.Tensor
    shifts: torch.Tensor
    energy: torch.Tensor
    forces: torch.Tensor
    free: torch.Tensor


class Database:
    """One LMDB file, open from its first use on; a worker process opens it anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: tuple[int, Any] | None = None
        with reading(path):
            self.length = int(_unpickled(self._get(b"length")))

    def read(self, number: int) -> Structure:
        """One structure; TrainingError names the file and what is wrong."""
        with reading(self.path):
            fields = _fields(_unpickled(self._get(str(number).encode())))
            if missing := [name for name in FIELDS if name not in fields]:
                raise TrainingError("data", f"{self.path}: structure {number} has no {missing[0]}", "S2EF, with edges")
            return self._checked(_structure(fields), number)

    def _get(self, key: bytes) -> bytes:
        with self._environment().begin() as transaction:
            value = transaction.get(key)
            if value is None:
                raise TrainingError("data", f"{self.path} has no entry {key.decode()!r}", f"get {self.path.name} anew")
            return bytes(value)

    def _environment(self) -> Any:
        if self._opened is None or self._opened[0] != os.getpid():  # what a fork inherits must not be used
            import lmdb

            opened = lmdb.open(str(self.path), subdir=False, readonly=True, lock=False, max_readers=1)
            self._opened = os.getpid(), opened
        return self._opened[1]

    def _checked(self, found: Structure, number: int) -> Structure:
        atoms, edges = len(found.numbers), found.edges.shape[-1]
        shapes = (found.positions.shape, found.forces.shape, found.shifts.shape, found.edges.shape)
        wanted = ((atoms, 3), (atoms, 3), (edges, 3), (2, edges))
        if shapes != wanted or len(found.free) != atoms or (edges and int(found.edges.max()) >= atoms):
            raise TrainingError("data", f"{self.path}: structure {number} contradicts itself", "S2EF, with edges")
        if not (found.forces.isfinite().all() and found.positions.isfinite().all() and found.energy.isfinite()):
            raise TrainingError("data", f"{self.path}: structure {number} has values that are not finite", "")
        return found


class _Recorded:
    """Stands for any class of torch_geometric: keeps what the pickle says of the object, of whatever version it is."""

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state)


class _Reader(pickle.Unpickler):
    """Reads tensors and plain values, and runs nothing that a file names: a pickle could name any function."""

    def find_class(self, module: str, name: str) -> Any:
        import torch

        if module.startswith("torch_geometric."):
            return _Recorded
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return lambda content: torch.load(io.BytesIO(content), weights_only=True)
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return torch._utils._rebuild_tensor_v2
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a structure")


def _unpickled(content: bytes) -> Any:
    return _Reader(io.BytesIO(content)).load()


def _fields(record: Any) -> Mapping[str, Any]:
    """A Data object's attributes: itself in PyG 1, its store's mapping since PyG 2."""
    own: Mapping[str, Any] = vars(record)
    if "_store" not in own:
        return own
    return dict(vars(own["_store"])["_mapping"])


def _structure(fields: Mapping[str, Any]) -> Structure:
    import torch

    cell = fields["cell"].reshape(3, 3).float()
    return Structure(
        numbers=fields["atomic_numbers"].long(),
        positions=fields["pos"].float(),
        edges=fields["edge_index"].long(),
        shifts=fields["cell_offsets"].float() @ cell,
        energy=torch.as_tensor(fields["y"], dtype=torch.float32).reshape(()),
        forces=fields["force"].float(),
        free=fields["fixed"].reshape(-1) == 0,
    )


def structures(folder: Path) -> Stored[tuple[Database, int], Structure]:
    """The samples of all LMDB files of ``folder`` (train or validation)."""
    databases = [Database(path) for path in files_of(folder, "*.lmdb")]
    keys = [(database, number) for database in databases for number in range(database.length)]
    first = keys[0][0].read(keys[0][1]) if keys else None
    size = 20 * first.edges.shape[1] + 40 * len(first.numbers) if first else 0
    return Stored(keys, _read, join, size)


def _read(key: tuple[Database, int]) -> Structure:
    database, number = key
    return database.read(number)


def join(samples: list[Structure]) -> dict[str, Any]:
    """One graph of all: as `Structure`, with ``owner`` (a,), the structure of each atom, and energies (batch,)."""
    import torch

    sizes = [len(one.numbers) for one in samples]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return {
        "numbers": torch.cat([one.numbers for one in samples]),
        "positions": torch.cat([one.positions for one in samples]),
        "edges": torch.cat([one.edges + start for one, start in zip(samples, starts, strict=True)], 1),
        "shifts": torch.cat([one.shifts for one in samples]),
        "energies": torch.stack([one.energy for one in samples]),
        "forces": torch.cat([one.forces for one in samples]),
        "free": torch.cat([one.free for one in samples]),
        "owner": torch.repeat_interleave(torch.arange(len(samples)), torch.tensor(sizes)),
    }
