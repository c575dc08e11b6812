"""NCF and DLRM: what is read from disk, what is drawn, what is judged; and the small defaults to their targets."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recommendation_training.dlrm import Dlrm
from recommendation_training.dlrm_network import Dlrm as DlrmNetwork
from recommendation_training.ncf import NEGATIVES, Ncf
from recommendation_training.negatives import Unseen, candidates
from recommendation_training.pairs import COUNTS, DENSE, SPARSE, TEST, TRAIN, read_arrays, read_terabyte
from recommendation_training.ratings import Feedback, read_feedback
from tests.training.front_door import trained as trained_by_cmr

from trainer.batches import Layout, Order
from trainer.config import TrainConfig
from trainer.datafiles import seal
from trainer.engine import Engine
from trainer.errors import TrainingError
from trainer.listener import Silence
from trainer.loop import Trained, Training
from trainer.registry import load_task
from trainer.task import Setup

USERS, FILMS = 30, 40

torch.set_num_threads(1)


def write_ratings(folder: Path, layout: str = "ratings.csv") -> Path:
    """Two kinds of users, each with films of their own kind; the last by time is not the last in the file."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, separator = np.random.default_rng(0), "," if layout.endswith("csv") else "\t"
    lines = [separator.join(("userId", "movieId", "rating", "timestamp"))]
    for user in range(USERS):
        films = rng.permutation(np.arange(user % 2, FILMS, 2))[:12]
        times = rng.permutation(len(films)) + 1000
        lines += [separator.join((str(user + 7), str(f * 3 + 1), "3.5", str(t))) for f, t in zip(films, times)]
    (folder / layout).write_text("\n".join(lines) + "\n")
    return folder


def write_arrays(folder: Path, **changes: Any) -> Path:
    """Pairs whose label is in their first sparse column, split in two."""
    rng = np.random.default_rng(0)
    for name, count in (("training", 600), ("test", 200)):
        part = folder / name
        part.mkdir(parents=True)
        sparse = rng.integers(0, 8, (count, 2))
        np.save(part / "dense.npy", rng.random((count, 5), dtype=np.float32))
        np.savez(part / "sparse.npz", **{str(k): sparse[:, k : k + 1] for k in range(2)})
        np.save(part / "labels.npy", (sparse[:, :1] % 2).astype(np.int32))
        files = {"dense": "dense.npy", "sparse": "sparse.npz", "labels": "labels.npy"}
        (part / "dataset.json").write_text(json.dumps({"pairs": count, "rows": [8, 8], "files": files} | changes))
    return folder


def write_terabyte(folder: Path, rows: int = 64) -> Path:
    """The binary files of MLPerf's DLRM."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    counts = np.full(SPARSE, 50)
    counts[0] = 10
    np.savez(folder / COUNTS, counts=counts)
    for name in (TRAIN, TEST):
        labels, dense = rng.integers(0, 2, (rows, 1)), rng.integers(0, 9, (rows, DENSE))
        np.hstack([labels, dense, rng.integers(0, 50, (rows, SPARSE))]).astype(np.int32).tofile(folder / name)
    return folder


def trained(task: str, data: Path, out: Path, **changes: Any) -> Trained:
    fields: dict[str, Any] = {"tier": "synthetic", "benchmark": "test", "threads": 1, "log": False}
    config = TrainConfig(task=task, data=str(data), output_dir=str(out), **(fields | changes))
    out.mkdir()
    return Training(load_task(config), config, Engine(config), Silence(), out).run()


class TestRatings:
    @pytest.mark.parametrize("layout", ["ratings.csv", "ml-100k.inter"])
    def test_each_users_last_film_is_left_out(self, tmp_path: Path, layout: str) -> None:
        found = read_feedback(write_ratings(tmp_path, layout))
        table = np.loadtxt(tmp_path / layout, delimiter="," if layout.endswith("csv") else "\t", skiprows=1)
        films = np.unique(table[:, 1])
        assert (found.user_count, found.item_count) == (USERS, len(films))
        for user, number in enumerate(np.unique(table[:, 0])):
            own = table[table[:, 0] == number]
            last = own[own[:, 3].argmax(), 1]
            assert films[found.held_out[user]] == last
            assert sorted(films[found.items[found.users == user]]) == sorted(set(own[:, 1]) - {last})

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda path: path.unlink(), r"has no ratings\.csv or ml-100k\.inter"),
            (lambda path: path.write_text("userId,movieId,rating,timestamp\n"), r"ratings\.csv has no ratings"),
            (lambda path: path.write_text("a,b,c\n1,2,3\n"), r"ratings\.csv has 3 columns"),
            (lambda path: os.truncate(path, path.stat().st_size - 20), r"ratings\.csv"),
            (lambda path: path.write_text("a,b,c,d\n1,2,x,4\n"), r"ratings\.csv.*x"),
        ],
    )
    def test_damaged_files_are_named(self, tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
        damage(write_ratings(tmp_path) / "ratings.csv")
        with pytest.raises(TrainingError, match=words) as caught:
            read_feedback(tmp_path, USERS * 12)
        assert caught.value.kind == "data"

    def test_users_with_one_film_leave_nothing_to_learn(self, tmp_path: Path) -> None:
        (tmp_path / "ratings.csv").write_text("a,b,c,d\n1,2,3,4\n2,2,3,4\n")
        with pytest.raises(TrainingError, match=r"ratings\.csv: no user has a rating to spare"):
            read_feedback(tmp_path)

    def test_a_file_cut_between_two_lines_is_noticed(self, tmp_path: Path) -> None:
        path = write_ratings(tmp_path) / "ratings.csv"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        with pytest.raises(TrainingError, match=r"ratings\.csv has 359 ratings, 360 are expected"):
            read_feedback(tmp_path, USERS * 12)

    def test_sealed_ratings_are_verified(self, tmp_path: Path) -> None:
        seal(write_ratings(tmp_path))
        with (tmp_path / "ratings.csv").open("a") as file:
            file.write("7,1,5,1\n")
        with pytest.raises(TrainingError, match=r"ratings\.csv is damaged"):
            Ncf(Setup(data=tmp_path)).splits()


class TestNegatives:
    feedback = Feedback(torch.tensor([0, 0, 1, 2]), torch.tensor([1, 2, 0, 3]), torch.tensor([0, 1, 2]), 8)

    def test_no_seen_item_is_drawn(self) -> None:
        users = torch.arange(3).repeat(400)
        items = Unseen(self.feedback, with_held_out=True).draw(users, torch.Generator().manual_seed(0))
        seen = {0: {0, 1, 2}, 1: {0, 1}, 2: {2, 3}}
        for user, items_seen in seen.items():
            assert set(items[users == user].tolist()) == set(range(8)) - items_seen

    def test_lists_are_one_held_out_and_different_unseen_items(self) -> None:
        rows = candidates(self.feedback, 5)
        assert rows[:, 0].tolist() == [0, 1, 2]
        assert [len(set(row.tolist())) for row in rows] == [6, 6, 6]
        assert not set(rows[0, 1:].tolist()) & {0, 1, 2}
        assert torch.equal(rows, candidates(self.feedback, 5))

    def test_a_batch_has_four_unseen_per_seen(self, tmp_path: Path) -> None:
        train, evaluation = Ncf(Setup(data=write_ratings(tmp_path), options={"negatives": "9"})).splits()
        assert (len(train), len(evaluation)) == (USERS * 11 * (1 + NEGATIVES), USERS)
        batch = train.batch(range(50), torch.Generator().manual_seed(3))
        again = train.batch(range(50), torch.Generator().manual_seed(3))
        assert batch["labels"].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0] * 10
        assert all(torch.equal(batch[name], again[name]) for name in batch)
        other = train.batch(range(50), torch.Generator().manual_seed(4))
        assert not torch.equal(batch["items"], other["items"])


class TestNcf:
    def test_the_hit_rate_is_that_of_sorting(self, tmp_path: Path) -> None:
        task = Ncf(Setup(data=write_ratings(tmp_path), options={"negatives": "18"}))
        _, evaluation = task.splits()
        model, batch = task.model(), evaluation.batch(range(USERS), torch.Generator())
        with torch.no_grad():
            hits = task.judge(model, batch)
            scores = model(batch["users"][:, None].expand_as(batch["items"]), batch["items"])
        top = scores.argsort(descending=True)[:, :10]
        assert hits.tolist() == (top == 0).any(1).tolist()
        assert task.quality([hits[:10], hits[10:]]) == pytest.approx(float((top == 0).any(1).double().mean()))

    def test_equal_scores_are_no_success(self, tmp_path: Path) -> None:
        task = Ncf(Setup(data=write_ratings(tmp_path), options={"negatives": "25"}))
        _, evaluation = task.splits()
        hits = task.judge(lambda users, items: torch.zeros(items.shape), evaluation.batch(range(4), torch.Generator()))
        assert not hits.any()

    def test_it_learns_and_repeats(self, tmp_path: Path) -> None:
        data, recipe = write_ratings(tmp_path / "data"), {"epochs": 6, "batch_size": 64, "learning_rate": 0.02}
        common: dict[str, Any] = {"options": {"negatives": "18"}, "recipe": recipe, "target": 2.0}
        first, second = (
            trained("recommendation_training.ncf:Ncf", data, tmp_path / name, **common) for name in ("1", "2")
        )
        assert first.quality is not None and first.quality > 0.8
        assert first.quality == second.quality

    def test_without_a_folder(self) -> None:
        with pytest.raises(TrainingError, match="ncf needs a folder of MovieLens"):
            Ncf(Setup()).splits()


class TestPairs:
    def test_both_layouts_give_the_same_kind_of_batch(self, tmp_path: Path) -> None:
        arrays = read_arrays(write_arrays(tmp_path / "a") / "training")
        train, test = read_terabyte(write_terabyte(tmp_path / "t"))
        for pairs, dense, sparse in ((arrays, 5, 2), (train, DENSE, SPARSE), (test, DENSE, SPARSE)):
            batch = pairs.batch([5, 3], torch.Generator())
            assert (batch["dense"].shape, batch["sparse"].shape, batch["labels"].shape) == (
                (2, dense),
                (2, sparse),
                (2,),
            )
            assert (batch["dense"].dtype, batch["sparse"].dtype) == (torch.float32, torch.int64)

    def test_criteos_counts_become_logarithms_and_ids_fit_their_tables(self, tmp_path: Path) -> None:
        train, _ = read_terabyte(write_terabyte(tmp_path))
        raw = np.fromfile(tmp_path / TRAIN, np.int32).reshape(-1, 40)
        batch = train.batch(range(64), torch.Generator())
        np.testing.assert_allclose(batch["dense"], np.log(raw[:, 1:14] + 1.0), rtol=1e-6)
        assert batch["sparse"][:, 0].tolist() == (raw[:, 14] % 10).tolist()
        assert batch["labels"].tolist() == raw[:, 0].tolist()

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda folder: (folder / COUNTS).unlink(), COUNTS),
            (lambda folder: (folder / COUNTS).write_bytes(b"no archive"), COUNTS),
            (lambda folder: np.savez(folder / COUNTS, counts=np.ones(3)), "counts 3 columns"),
            (lambda folder: (folder / TEST).unlink(), f"{TEST} is missing"),
            (lambda folder: os.truncate(folder / TRAIN, 1001), f"{TRAIN} has 1001 bytes"),
            (lambda folder: os.truncate(folder / TRAIN, 0), f"{TRAIN} has 0 bytes"),
        ],
    )
    def test_damaged_binary_files_are_named(self, tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
        damage(write_terabyte(tmp_path))
        with pytest.raises(TrainingError, match=words):
            Dlrm(Setup(data=tmp_path)).splits()

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda part: (part / "dense.npy").unlink(), r"dense\.npy cannot be read"),
            (lambda part: os.truncate(part / "sparse.npz", 100), r"sparse\.npz cannot be read"),
            (lambda part: os.truncate(part / "dense.npy", 200), r"dense\.npy cannot be read"),
            (lambda part: np.save(part / "labels.npy", np.zeros((3, 1))), r"labels\.npy has 3 rows"),
            (lambda part: (part / "dataset.json").write_text("{"), r"dataset\.json"),
            (lambda part: (part / "dataset.json").write_text("{}"), r"dataset\.json does not describe pairs"),
            (lambda part: (part / "dataset.json").unlink(), r"dataset\.json"),
        ],
    )
    def test_damaged_arrays_are_named(self, tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
        damage(write_arrays(tmp_path) / "training")
        with pytest.raises(TrainingError, match=words):
            Dlrm(Setup(data=tmp_path)).splits()

    def test_ids_beyond_their_table_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TrainingError, match=r"sparse\.npz has ids beyond its tables"):
            Dlrm(Setup(data=write_arrays(tmp_path, rows=[8, 4]))).splits()


class TestDlrm:
    def test_all_pairs_of_vectors_are_multiplied(self) -> None:
        model = DlrmNetwork([5, 6], dense=3, bottom=[4], top=[7])
        dense, sparse = torch.randn(2, 3), torch.tensor([[1, 2], [4, 5]])
        given: list[torch.Tensor] = []
        model.top.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
        model(dense, sparse)
        bottom = model.bottom(dense)
        vectors = [bottom, *(table(sparse[:, k]) for k, table in enumerate(model.tables))]
        products = [(a * b).sum(1) for a, b in itertools.combinations(vectors, 2)]
        torch.testing.assert_close(given[0], torch.cat([bottom, torch.stack(products, 1)], 1))

    def test_it_learns(self, tmp_path: Path) -> None:
        recipe = {"batch_size": 50, "learning_rate": 0.02, "epochs": 8}
        found = trained(
            "recommendation_training.dlrm:Dlrm", write_arrays(tmp_path / "d"), tmp_path / "1", recipe=recipe
        )
        assert found.ended_by == "target"

    def test_it_trains_on_the_official_layout(self, tmp_path: Path) -> None:
        recipe, options = {"batch_size": 16, "epochs": 1}, {"bottom": "8 4", "top": "8"}
        data = write_terabyte(tmp_path / "d")
        found = trained("recommendation_training.dlrm:Dlrm", data, tmp_path / "1", recipe=recipe, options=options)
        assert found.quality is not None and 0 <= found.quality <= 1

    def test_auc_is_the_share_of_pairs_in_order(self) -> None:
        scores, labels = torch.tensor([0.1, 0.4, 0.35, 0.8]), torch.tensor([0.0, 0.0, 1.0, 1.0])
        task = Dlrm(Setup())
        assert task.quality([(scores[:2], labels[:2]), (scores[2:], labels[2:])]) == pytest.approx(0.75)

    def test_labels_of_one_kind_have_no_auc(self) -> None:
        with pytest.raises(TrainingError, match="all labels of the test set are the same"):
            Dlrm(Setup()).quality([(torch.rand(3), torch.ones(3))])


def test_every_pair_is_in_an_epoch_once(tmp_path: Path) -> None:
    train, _ = Ncf(Setup(data=write_ratings(tmp_path), options={"negatives": "9"})).splits()
    order = Order(len(train), Layout.divide(55, 0, 1, 1), seed=0, epoch=0)
    seen = [index for batch in order.micro_batches(0) for index in batch]
    assert sorted(seen) == list(range(len(train)))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("model", "target"), [("ncf", 0.635), ("dlrm", 0.775)])
def test_the_small_default_reaches_its_target(tmp_path: Path, model: str, target: float) -> None:
    found = trained_by_cmr(tmp_path, f"_{model} _movielens")
    assert found.reached and found.quality is not None and found.quality.value >= target
    assert (found.tier, found.dataset) == ("embedded", "movielens")
