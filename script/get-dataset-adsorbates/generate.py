"""Make small molecules on metal surfaces, with energies and forces, in the files of Open Catalyst 2020 (S2EF).

Writes `train/data.0000.lmdb` and `validation/data.0000.lmdb`: pickled `torch_geometric.data.Data` under the keys 0, 1
and so on, and their number under `length`; `dataset.json`; SHA256SUMS. The folder appears only when it is complete.

A structure is an fcc111 slab of Cu, Ag, Ni or Pd, periodic sideways, with an H, C, N or O atom on it, all atoms shaken.
Energies (eV) and forces (eV/Å) are those of ASE's effective medium theory, a potential with published parameters
(Jacobsen et al. 1996), not of density functional theory as in the official set. The lower layer is marked as fixed.
"""

from __future__ import annotations

import argparse
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from trainer.datafiles import publish, stage

METALS, ADSORBATES = ("Cu", "Ag", "Ni", "Pd"), ("H", "C", "N", "O")
SITES = ("fcc", "hcp", "ontop", "bridge")
CUTOFF = 6.0  # Å, that of the official graphs
STRONGEST = 10.0  # eV/Å; what pulls harder is thrown away: atoms inside each other (the official set stops at 50)
MAP_BYTES = 1 << 30


def structure(rng: np.random.Generator, shake: float) -> Any:
    """One structure as ASE's Atoms, the first that is drawn in which no force is too strong."""
    while True:
        atoms = _drawn(rng, shake)
        if np.linalg.norm(atoms.get_forces(), axis=1).max() <= STRONGEST:
            return atoms


def _drawn(rng: np.random.Generator, shake: float) -> Any:
    """A slab with its adsorbate; ``shake`` is the standard deviation of each coordinate in Å."""
    from ase.build import add_adsorbate, fcc111
    from ase.calculators.emt import EMT

    atoms = fcc111(str(rng.choice(METALS)), (2, 2, 2), vacuum=7.0, periodic=True)
    add_adsorbate(atoms, str(rng.choice(ADSORBATES)), float(rng.uniform(1.1, 2.2)), str(rng.choice(SITES)))
    atoms.positions += rng.normal(0.0, shake, atoms.positions.shape)
    atoms.calc = EMT()
    return atoms


def record(atoms: Any, number: int) -> Any:
    """What OC20 stores of a structure: atoms, cell, the graph of neighbours, energy and forces."""
    import torch
    from ase.neighborlist import neighbor_list
    from torch_geometric.data import Data

    centre, neighbour, shifts = neighbor_list("ijS", atoms, CUTOFF)
    layers = atoms.get_tags()  # 0 for the adsorbate, then 1 for the top layer, 2 …
    return Data(
        pos=torch.tensor(atoms.positions, dtype=torch.float32),
        cell=torch.tensor(atoms.cell.array, dtype=torch.float32)[None],
        atomic_numbers=torch.tensor(atoms.numbers, dtype=torch.float32),
        natoms=len(atoms),
        edge_index=torch.tensor(np.stack([neighbour, centre]), dtype=torch.int64),
        cell_offsets=torch.tensor(shifts, dtype=torch.float32),
        y=float(atoms.get_potential_energy()),
        force=torch.tensor(atoms.get_forces(), dtype=torch.float32),
        fixed=torch.tensor(layers == layers.max(), dtype=torch.float32),
        tags=torch.tensor(np.where(layers == 0, 2, np.where(layers == 1, 1, 0)), dtype=torch.int64),
        sid=number,
        fid=0,
    )


def write_samples(path: Path, records: list[Any]) -> None:
    """One LMDB file as OC20's are."""
    import lmdb

    entries = {str(number): one for number, one in enumerate(records)} | {"length": len(records)}
    environment = lmdb.open(str(path), map_size=MAP_BYTES, subdir=False, lock=False)
    with environment, environment.begin(write=True) as transaction:
        for key, value in entries.items():
            transaction.put(key.encode(), pickle.dumps(value, protocol=4))


def write(out: Path, train: int, validation: int, shake: float, seed: int) -> None:
    """Write the data set; ``out`` appears in one step."""
    staging = stage(out)
    for number, (part, count) in enumerate((("train", train), ("validation", validation))):
        (staging / part).mkdir(parents=True)
        drawn = (np.random.default_rng((seed, number, index)) for index in range(count))
        records = [record(structure(rng, shake), index) for index, rng in enumerate(drawn)]
        write_samples(staging / part / "data.0000.lmdb", records)
    facts = {"schema": 1, "name": "adsorbates", "tier": "synthetic", "train": train, "validation": validation}
    described = facts | {"seed": seed, "shake": shake, "method": "ASE, effective medium theory"}
    (staging / "dataset.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    publish(staging, out)


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser()
    for name in ("train", "validation", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--shake", type=float, required=True, help="standard deviation of the coordinates in Å")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    write(given.out, given.train, given.validation, given.shake, given.seed)


if __name__ == "__main__":
    main()
