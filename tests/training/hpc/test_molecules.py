"""Open Catalyst: the files, forces, the training."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hpc_training.molecule_files import Database, join
from hpc_training.molecules import OpenCatalyst
from tests.training.hpc.conftest import Train, generator, needs, setup, to_target, unsealed

from trainer.errors import TrainingError

pytestmark = needs("ase", "lmdb", "torch_geometric")
adsorbates = generator("adsorbates")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("molecules") / "structures"
    adsorbates.write(folder, train=8, validation=3, shake=0.1, seed=0)
    return folder


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    return unsealed(Path(shutil.copytree(made, tmp_path / "own")))


def database(folder: Path) -> Database:
    return Database(folder / "train" / "data.0000.lmdb")


def test_what_ase_says_is_read(tmp_path: Path) -> None:
    atoms = adsorbates.structure(np.random.default_rng(1), 0.1)
    adsorbates.write_samples(tmp_path / "one.lmdb", [adsorbates.record(atoms, 0)])
    found = Database(tmp_path / "one.lmdb").read(0)
    assert found.numbers.tolist() == atoms.numbers.tolist()
    assert np.allclose(found.forces, atoms.get_forces(), atol=1e-5)
    assert float(found.energy) == pytest.approx(atoms.get_potential_energy(), rel=1e-6)
    source, target = found.edges
    lengths = (found.positions[source] - found.positions[target] + found.shifts).norm(dim=1)
    from ase.neighborlist import neighbor_list

    assert np.allclose(sorted(lengths), sorted(neighbor_list("d", atoms, adsorbates.CUTOFF)), atol=1e-4)
    assert found.free.tolist() == [False] * 4 + [True] * 5


def test_no_structure_is_torn_apart(made: Path) -> None:
    records = database(made)
    forces = torch.cat([records.read(number).forces for number in range(records.length)])
    assert forces.norm(dim=1).max() <= adsorbates.STRONGEST


def test_records_of_the_first_torch_geometric_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = adsorbates.record(adsorbates.structure(np.random.default_rng(1), 0.1), 0)
    # then attributes lay in the object itself
    old = type("Data", (), {"__module__": "torch_geometric.data.data"})()
    old.__dict__.update(new.to_dict())
    monkeypatch.setattr("torch_geometric.data.data.Data", type(old))
    adsorbates.write_samples(tmp_path / "old.lmdb", [old])
    assert torch.equal(Database(tmp_path / "old.lmdb").read(0).positions, new.pos)


def test_a_batch_is_one_graph_of_separate_parts(made: Path) -> None:
    records = database(made)
    one, two = records.read(0), records.read(1)
    batch = join([one, two])
    assert batch["owner"].tolist() == [0] * len(one.numbers) + [1] * len(two.numbers)
    assert torch.equal(batch["edges"][:, one.edges.shape[1] :], two.edges + len(one.numbers))
    assert batch["energies"].shape == (2,)


def test_forces_are_the_slope_of_the_energy(made: Path) -> None:
    torch.manual_seed(0)
    task = OpenCatalyst(setup(made))
    task.splits()
    model, records = task.model().double().eval(), database(made)
    batch = {name: one.double() if one.is_floating_point() else one for name, one in join([records.read(0)]).items()}
    with torch.no_grad():
        _, forces = model(batch)
        step = torch.zeros_like(batch["positions"])
        step[8, 2] = 1e-4
        up, down = (model(batch | {"positions": batch["positions"] + way * step})[0] for way in (1, -1))
    assert float(forces[8, 2]) == pytest.approx(float(-(up - down) / 2e-4), rel=1e-4)


def test_forces_are_not_rounded_to_half_precision(made: Path) -> None:
    task = OpenCatalyst(setup(made))
    train, _ = task.splits()
    model, batch = task.model().eval(), train.batch([0], torch.Generator())
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model(batch)[1]
    assert torch.equal(rounded, model(batch)[1])


def test_only_free_atoms_count(made: Path) -> None:
    task = OpenCatalyst(setup(made))
    train, _ = task.splits()
    batch = train.batch([0], torch.Generator())
    still = lambda one: (torch.zeros(1), torch.zeros_like(one["forces"]))  # noqa: E731
    wanted = batch["forces"][batch["free"]].abs().mean()
    assert task.quality([task.judge(still, batch)]) == pytest.approx(float(wanted))


def test_it_learns(made: Path, train: Train) -> None:
    found = train(OpenCatalyst(setup(made)), 3)
    assert found[-1] < found[0]


def test_the_official_target_comes_with_the_official_network() -> None:
    task = OpenCatalyst(setup(None, network="schnet-oc20"))
    assert (task.metric.target, task.metric.higher_is_better) == (0.036, False)


def entries(path: Path, **changed: Any) -> None:
    """Replace entries of a file: None removes one."""
    import lmdb

    with lmdb.open(str(path), subdir=False, lock=False, map_size=1 << 30) as opened, opened.begin(write=True) as edit:
        for key, value in changed.items():
            name = key.removeprefix("n").encode()
            edit.delete(name) if value is None else edit.put(name, value)


class Evil:
    """Unpickled by anything careless, this would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.folder,)


def broken(**changes: Any) -> bytes:
    record = adsorbates.record(adsorbates.structure(np.random.default_rng(1), 0.1), 0)
    for name, value in changes.items():
        if value is None:
            del record[name]
        else:
            record[name] = value
    return pickle.dumps(record)


FAULTS = {
    "no length": lambda path: entries(path, nlength=None),
    "a structure is missing": lambda path: entries(path, n3=None),
    "no pickle": lambda path: entries(path, n3=b"hello"),
    "no forces": lambda path: entries(path, n3=broken(force=None)),
    "no edges": lambda path: entries(path, n3=broken(edge_index=None)),
    "an edge to nowhere": lambda path: entries(path, n3=broken(edge_index=torch.full((2, 5), 99))),
    "forces for fewer atoms": lambda path: entries(path, n3=broken(force=torch.zeros(2, 3))),
    "not a number": lambda path: entries(path, n3=broken(force=torch.full((9, 3), float("nan")))),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_file_is_named(own: Path, fault: str) -> None:
    path = own / "train" / "data.0000.lmdb"
    FAULTS[fault](path)
    with pytest.raises(TrainingError, match=str(path)) as caught:
        OpenCatalyst(setup(own)).splits()
    assert caught.value.kind == "data"


def test_a_file_cannot_run_code(own: Path, tmp_path: Path) -> None:
    entries(own / "train" / "data.0000.lmdb", n3=pickle.dumps(Evil(tmp_path / "made by the pickle")))
    with pytest.raises(TrainingError, match="has no place in a structure"):
        OpenCatalyst(setup(own)).splits()
    assert not (tmp_path / "made by the pickle").exists()


def test_a_file_may_hold_nothing(own: Path) -> None:
    entries(own / "train" / "data.0000.lmdb", nlength=pickle.dumps(0))
    train, _ = OpenCatalyst(setup(own)).splits()
    assert len(train) == 0  # which the harness refuses for any task


def test_missing_parts_are_named(own: Path) -> None:
    (own / "validation" / "data.0000.lmdb").unlink()
    with pytest.raises(TrainingError, match=r"validation has no \*.lmdb"):
        OpenCatalyst(setup(own)).splits()


@pytest.mark.slow
def test_two_processes_learn_what_one_does(made: Path, tmp_path: Path) -> None:
    recipe = {"batch_size": 4, "epochs": 3}
    one, two = (
        to_target("molecules:OpenCatalyst", made, tmp_path / str(ranks), processes=ranks, recipe=recipe)
        for ranks in (1, 2)
    )
    assert two.failure is None
    assert two.quality.value == pytest.approx(one.quality.value, rel=1e-3)


@pytest.mark.slow
def test_the_small_default_reaches_its_target(tmp_path: Path) -> None:
    adsorbates.write(tmp_path / "structures", train=480, validation=80, shake=0.1, seed=0)
    assert to_target("molecules:OpenCatalyst", tmp_path / "structures", tmp_path / "out").reached
