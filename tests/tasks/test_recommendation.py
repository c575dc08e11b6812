"""Pairs in MLPerf's Criteo layout, how they are gathered, DLRM networks, the official checkpoint's format, AUC."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.workbench import ROOT

from harness import supervise
from harness.config import ModelConfig
from harness.errors import HarnessError

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from dlrm_movielens import model as movielens_model  # noqa: E402
from dlrm_movielens import training  # noqa: E402
from dlrm_movielens.network import Dlrm  # noqa: E402
from recommendation import dlrm_v2, hstu, snapshot  # noqa: E402
from recommendation.hstu_network import Hstu  # noqa: E402
from recommendation.networks import DlrmDcn  # noqa: E402
from recommendation.pairs import map_members, sample_bounds  # noqa: E402
from recommendation.ranking import CandidateRanking  # noqa: E402
from recommendation.shapes import DlrmShape  # noqa: E402
from recommendation.task import Recommendation  # noqa: E402

SCRIPTS = ROOT / "script"
CRITEO = SCRIPTS / "get-preprocessed-dataset-criteo" / "prepare.py"
MOVIELENS = SCRIPTS / "get-preprocessed-dataset-movielens" / "preprocess.py"
DLRM_V3 = SCRIPTS / "get-preprocessed-dataset-dlrm-v3" / "synthesize.py"
PAIRS = 1000


def write_pairs(folder, pairs=PAIRS, tier="full", extra=7, **changes):
    """Files as MLPerf publishes them, with `extra` pairs that belong to the second half of the day."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, rows = np.random.default_rng(0), pairs + extra
    np.save(folder / "dense.npy", rng.random((rows, 4), dtype=np.float32))
    np.save(folder / "labels.npy", rng.integers(0, 2, (rows, 1), dtype=np.int32))
    np.savez(folder / "sparse.npz", **{str(k): rng.integers(0, 9, (rows, k + 1), dtype=np.int32) for k in range(3)})
    files = {"dense": "dense.npy", "sparse": "sparse.npz", "labels": "labels.npy"}
    info = {"schema": 1, "name": "test", "tier": tier, "pairs": pairs, "rows": [9, 9, 9], "files": files}
    (folder / "dataset.json").write_text(json.dumps(info | changes))
    return folder


@pytest.fixture
def task_of(configure, tmp_path):
    def make(folder=None, **changes):
        fields = {"task": "recommendation.task:Recommendation", "tier": "full"}
        return Recommendation(configure(**(fields | changes), dataset=str(folder or write_pairs(tmp_path / "data"))))

    return make


def write_log(folder, rows):
    folder.mkdir(exist_ok=True)
    log = [{"seq_id": n, "qsl_idx": n, "data": np.float32(row).tobytes().hex().upper()} for n, row in rows.items()]
    (folder / "mlperf_log_accuracy.json").write_text(json.dumps(log))
    return folder


class TestSamples:
    def test_the_official_half_day_makes_the_official_number_of_samples(self):
        bounds = sample_bounds(89_137_319)
        assert len(bounds) - 1 == 330_067
        assert bounds[-1] == 89_137_319

    def test_sizes_are_those_of_the_reference(self):
        sizes = np.diff(sample_bounds(1_000_000))[:-1]
        assert set(sizes.tolist()) == {100, 200, 300, 400, 500, 600, 700}
        assert (sizes == 200).mean() == pytest.approx(0.6, abs=0.03)
        # what a generator gives that is asked once per sample, as the reference asks it
        one_by_one, generator = [], np.random.RandomState(123)
        quantiles = [100] * 2 + [200] * 12 + [300] * 2 + [400, 500, 600, 700]
        for _ in range(100):
            one_by_one.append(quantiles[generator.randint(low=0, high=20)])
        assert sizes[:100].tolist() == one_by_one

    @pytest.mark.parametrize("pairs", [1, 99, 100, 101, 4321])
    def test_every_pair_is_in_one_sample(self, pairs):
        sizes = np.diff(sample_bounds(pairs))
        assert sizes.sum() == pairs
        assert (sizes > 0).all()


class TestData:
    def test_columns_are_concatenated_pairs(self, task_of, tmp_path):
        task = task_of()
        dense, sparse = task.load([2, 0])
        bounds = sample_bounds(PAIRS)
        assert [column.join for column in task.columns] == ["concat", "concat"]
        assert [len(one) for one in dense] == [bounds[3] - bounds[2], bounds[1]]
        with np.load(tmp_path / "data" / "sparse.npz") as file:
            expected = np.concatenate([file[str(k)][: bounds[1]] for k in range(3)], axis=1)
        assert (sparse[1] == expected).all()
        assert sparse[1].dtype == np.int32
        assert task.columns[1].shape == (None, 6)
        assert task.count == len(bounds) - 1

    def test_members_are_mapped_not_read(self, tmp_path):
        write_pairs(tmp_path)
        members = map_members(tmp_path / "sparse.npz")
        assert all(isinstance(array, np.memmap) for array in members.values())
        with np.load(tmp_path / "sparse.npz") as file:
            assert all((members[name] == file[name]).all() for name in file.files)

    @pytest.mark.parametrize(
        ("break_it", "said"),
        [
            (lambda d: (d / "dense.npy").unlink(), "cannot read"),
            (lambda d: (d / "dense.npy").write_bytes(b"\x93NUMPY"), "not a usable .npy"),
            (lambda d: (d / "sparse.npz").write_bytes((d / "sparse.npz").read_bytes()[:5000]), "not a usable .npz"),
            (
                lambda d: np.savez_compressed(d / "sparse.npz", **{str(k): np.zeros((9, 1)) for k in range(3)}),
                "compressed",
            ),
            (lambda d: np.savez(d / "sparse.npz", **{"0": np.zeros((PAIRS, 1), np.int32)}), "members 0, not 0 to 2"),
            (lambda d: np.save(d / "labels.npy", np.zeros((PAIRS, 2), np.int32)), r"shape \(1000, 2\)"),
            (lambda d: np.save(d / "labels.npy", np.zeros((PAIRS, 1), np.int64)), "holds int64"),
            (lambda d: np.save(d / "dense.npy", np.zeros((PAIRS - 1, 4), np.float32)), "1000 rows are needed"),
            (lambda d: write_pairs(d, pairs=0), "says 0 pairs"),
            (lambda d: write_pairs(d, tier="synthetic"), "claims 'full'"),
            (lambda d: (d / "dataset.json").unlink(), "cannot read"),
            (lambda d: (d / "dataset.json").write_text("[]"), "dataset.json"),
        ],
    )
    def test_damaged_data_are_refused(self, task_of, tmp_path, break_it, said):
        folder = write_pairs(tmp_path / "data")
        break_it(folder)
        with pytest.raises(HarnessError, match=said) as caught:
            task_of(folder)
        assert caught.value.kind == "dataset"
        if "claims" not in said:
            assert caught.value.hint == 'prepare the pairs again: cmr "get preprocessed dataset criteo _full" --new'


class TestAnswers:
    def answers(self, task, predicted):
        labels, bounds = task._pairs.labels, task._bounds
        couples = np.stack([predicted, labels[: len(predicted), 0]], axis=1)
        return {k: couples[bounds[k] : bounds[k + 1]].reshape(-1) for k in range(task.count)}

    def test_responses_are_couples_of_prediction_and_label(self, task_of):
        task = task_of()
        sizes = np.diff(task._bounds)
        outputs = (np.arange(sizes[1] + sizes[0], dtype=np.float32),)
        encoded = task.encode(outputs, [1, 0])
        assert [len(one) for one in encoded] == [2 * sizes[1], 2 * sizes[0]]
        assert encoded[1][::2].tolist() == outputs[0][sizes[1] :].tolist()
        assert encoded[1][1::2].tolist() == task._pairs.labels[: sizes[0], 0].tolist()
        assert encoded[0].dtype == np.float32

    def test_another_number_of_outputs(self, task_of):
        with pytest.raises(HarnessError, match="returned 3 outputs"):
            task_of().encode((np.zeros(3),), [0])

    def test_auc_is_scikit_learns(self, task_of, tmp_path):
        task = task_of(quality_target=50.0)
        predicted = np.random.default_rng(1).random(PAIRS, dtype=np.float32)
        predicted += 0.3 * task._pairs.labels[:PAIRS, 0]
        quality = task.quality(write_log(tmp_path / "log", self.answers(task, predicted)))
        expected = 100 * roc_auc_score(task._pairs.labels[:PAIRS, 0], predicted)
        assert quality.value == pytest.approx(expected, abs=1e-9)
        assert (quality.metric, quality.passed, quality.total) == ("AUC", True, PAIRS)
        line = (tmp_path / "log" / "accuracy.txt").read_text()
        assert line.startswith(f"AUC={expected:.3f}%, accuracy=")
        assert line.endswith(f"good={quality.correct}, total={PAIRS}, queries={task.count}\n")

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda rows: rows.pop(0), "answers . of . samples"),
            (lambda rows: rows.update({0: rows[0][:-2]}), "response 0 has"),
            (lambda rows: rows[1].__setitem__(0, np.nan), "NaN or infinite"),
            (lambda rows: [row.__setitem__(slice(1, None, 2), 1) for row in rows.values()], "all labels are 1"),
        ],
    )
    def test_bad_logs(self, task_of, tmp_path, spoil, said):
        task = task_of()
        rows = self.answers(task, np.random.default_rng(1).random(PAIRS))
        spoil(rows)
        with pytest.raises(HarnessError, match=said) as caught:
            task.quality(write_log(tmp_path / "log", rows))
        assert caught.value.kind == "accuracy"

    def test_synthetic_labels_mean_nothing(self, task_of, tmp_path):
        task = task_of(write_pairs(tmp_path / "data", tier="synthetic"), tier="synthetic")
        assert task.quality(tmp_path) is None


class TestCriteo:
    def run(self, tmp_path, *options):
        command = [sys.executable, str(CRITEO), "--out", str(tmp_path / "out"), *options]
        return subprocess.run(command, capture_output=True, text=True)

    def official(self, folder, rows=9, members=26, dense=13):
        folder.mkdir()
        np.save(folder / "day_23_dense.npy", np.zeros((rows, dense), np.float32))
        np.save(folder / "day_23_labels.npy", np.zeros((rows, 1), np.int32))
        arrays = {str(k): np.zeros((rows, 1 + k % 2), np.int32) for k in range(members)}
        np.savez(folder / "day_23_sparse_multi_hot.npz", **arrays)
        return ("--tier", "full", "--rows", "9", "--folder", str(folder))

    def test_the_first_half_of_the_official_files_is_named(self, tmp_path, task_of):
        done = self.run(tmp_path, *self.official(tmp_path / "day23"))
        assert done.returncode == 0, done.stderr
        task = task_of(tmp_path / "out")
        assert task._pairs.info.pairs == 5
        assert task.columns[1].shape == (None, 39)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"rows": 8}, "dense has shape (8, 13) and labels (8, 1), not (9, 13)"),
            ({"dense": 12}, "dense has shape (9, 12)"),
            ({"members": 25}, "25 members"),
        ],
    )
    def test_other_files_are_refused(self, tmp_path, changes, said):
        done = self.run(tmp_path, *self.official(tmp_path / "day23", **changes))
        assert done.returncode == 1
        assert said in done.stderr
        assert not (tmp_path / "out").exists()

    def test_nothing_given_says_how_to_get_it(self, tmp_path):
        done = self.run(tmp_path, "--tier", "full", "--rows", "9")
        assert done.returncode == 1
        assert "--criteo_path=FOLDER" in done.stderr
        assert "dlrm-v2-preprocessed-dataset.uri" in done.stderr

    def test_synthetic_pairs_fit_the_synthetic_network(self, tmp_path, task_of):
        done = self.run(tmp_path, "--tier", "synthetic", "--samples", "2")
        assert done.returncode == 0, done.stderr
        task = task_of(tmp_path / "out", tier="synthetic")
        assert task._pairs.info.pairs == 540
        shape = DlrmShape().cut(100_000)
        assert task._pairs.info.rows == shape.rows
        assert task.columns[1].shape == (None, sum(shape.hots)) == (None, 214)
        assert all(ids.max() < rows for ids, rows in zip(task._pairs.sparse, shape.rows, strict=True))


SMALL = DlrmShape((50, 7), (3, 1), 4, 8, (16, 8), (32, 16, 1), 2, 5)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return DlrmDcn(SMALL).randomize()


def write_snapshot(folder, tensors, split=None, ranks=1):
    """A checkpoint as torchsnapshot 0.1 writes it: small tensors in one file, `split` cut into row shards."""
    manifest, slab = {"0/model": {"type": "dict", "keys": list(tensors)}}, b""
    for name, tensor in tensors.items():
        if name == split:
            for rank, part in enumerate(tensor.split(math.ceil(len(tensor) / ranks))):
                (folder / "sharded").mkdir(parents=True, exist_ok=True)
                (folder / f"sharded/{rank}").write_bytes(part.numpy().tobytes())
                entry = tensor_entry(f"sharded/{rank}", part, None)
                offset = rank * math.ceil(len(tensor) / ranks)
                shard = {"offsets": [offset, 0], "sizes": list(part.shape), "tensor": entry}
                manifest[f"{rank}/model/{name}"] = {"type": "ShardedTensor", "shards": [shard]}
        else:
            data = tensor.numpy().tobytes()
            manifest[f"0/model/{name}"] = tensor_entry("batched/a", tensor, [len(slab), len(slab) + len(data)])
            slab += data
    (folder / "batched").mkdir(parents=True, exist_ok=True)
    (folder / "batched/a").write_bytes(slab)
    metadata = {"version": "0.1.0", "world_size": ranks, "manifest": manifest}
    (folder / ".snapshot_metadata").write_text(json.dumps(metadata))
    return folder / ".snapshot_metadata"


def tensor_entry(location, tensor, byte_range):
    entry = {"type": "Tensor", "location": location, "serializer": "buffer_protocol", "dtype": "torch.float32"}
    return entry | {"shape": list(tensor.shape), "replicated": False, "byte_range": byte_range}


class TestOfficialWeights:
    TABLE = "model.sparse_arch.embedding_bag_collection.embedding_bags.t_cat_0.weight"

    @pytest.mark.parametrize("ranks", [1, 3])
    def test_a_snapshot_fills_the_network(self, tmp_path, network, ranks):
        metadata = write_snapshot(tmp_path, dlrm_v2.torchrec_names(network), self.TABLE, ranks)
        loaded = dlrm_v2.load(SMALL, metadata)
        dense, sparse = torch.rand(5, 4), torch.randint(0, 7, (5, 4), dtype=torch.int32)
        with torch.inference_mode():
            assert torch.equal(loaded(dense, sparse), network(dense, sparse))

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda d, m: m["manifest"].pop("0/model/model.over_arch.model.1.bias"), "lacks 1 tensors"),
            (lambda d, m: (d / "sharded/1").unlink(), "is missing"),
            (lambda d, m: (d / "batched/a").write_bytes(b"1234"), "has 4 bytes"),
            (
                lambda d, m: m["manifest"].pop(f"1/model/{TestOfficialWeights.TABLE}"),
                "a tensor of (50, 8) was expected",
            ),
            (lambda d, m: m.pop("manifest"), "is not the list of a snapshot"),
            (lambda d, m: next(iter(m["manifest"].values())).pop("type"), "is not the list of a snapshot"),
        ],
    )
    def test_incomplete_snapshots_are_refused(self, tmp_path, network, spoil, said):
        import re

        metadata = write_snapshot(tmp_path, dlrm_v2.torchrec_names(network), self.TABLE, 2)
        manifest = json.loads(metadata.read_text())
        spoil(tmp_path, manifest)
        metadata.write_text(json.dumps(manifest))
        with pytest.raises(HarnessError, match=re.escape(said)) as caught:
            dlrm_v2.load(SMALL, metadata)
        assert caught.value.kind == "weights"

    def test_pieces_at_odd_places_are_read(self, tmp_path):
        (tmp_path / "f").write_bytes(b"x" + np.arange(3, dtype=np.float32).tobytes())
        target = torch.zeros(3)
        snapshot.fill(target, [snapshot.Piece((0,), (3,), tmp_path / "f", 1, "float32")], "t")
        assert target.tolist() == [0, 1, 2]


class TestNetworks:
    def test_cross_layers_are_dcn_v2(self, network):
        """x ← x₀ · (W (V x) + b) + x, written out."""
        first = torch.rand(2, SMALL.crossed)
        value = first
        for down, up in zip(network.cross.down, network.cross.up, strict=True):
            value = first * ((value @ down.weight.T) @ up.weight.T + up.bias) + value
        assert torch.allclose(network.cross(first), value)

    def test_ids_of_a_feature_are_summed(self, network):
        dense = torch.rand(1, 4)
        bags = torch.tensor([[4, 4, 9, 2]], dtype=torch.int32)
        seen = []
        network.cross.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        network(dense, bags)
        expected = 2 * network.tables[0][4] + network.tables[0][9]
        assert torch.allclose(seen[0][0, 8:16], expected)
        assert torch.allclose(seen[0][0, 16:], network.tables[1][2])

    def test_a_batch_is_its_samples(self, network):
        dense, sparse = torch.rand(9, 4), torch.randint(0, 7, (9, 4), dtype=torch.int32)
        with torch.inference_mode():
            assert torch.allclose(network(dense, sparse)[3:5], network(dense[3:5], sparse[3:5]))


def write_movielens(folder, ratings=400):
    """Files as RecBole writes them: people up to 20 like even films."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    lines = {"user": ["user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token"]}
    lines["user"] += [f"{n}\t{20 + n}\t{'MF'[n % 2]}\tjob{n % 3}\t0" for n in range(1, 31)]
    lines["item"] = ["item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"]
    lines["item"] += [f"{n}\tFilm {n}\t{1970 + n if n > 1 else ''}\tA{' B' * (n % 2)}" for n in range(1, 41)]
    lines["inter"] = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    for _ in range(ratings):
        user, film = rng.integers(1, 31), rng.integers(1, 41)
        lines["inter"].append(f"{user}\t{film}\t{5 if (user <= 20) == (film % 2 == 0) else 2}\t880000000")
    for name, text in lines.items():
        (folder / f"ml-100k.{name}").write_text("\n".join(text) + "\n")
    return folder


class TestMovieLens:
    def run(self, tmp_path, folder):
        command = [sys.executable, str(MOVIELENS), "--ratings", str(folder), "--out", str(tmp_path / "out")]
        return subprocess.run(command, capture_output=True, text=True)

    def test_a_fifth_is_kept_for_the_benchmark(self, tmp_path, task_of):
        done = self.run(tmp_path, write_movielens(tmp_path / "ml"))
        assert done.returncode == 0, done.stderr
        task = task_of(tmp_path / "out" / "test", tier="embedded")
        assert task._pairs.info.pairs == 80
        assert task._pairs.info.rows == (31, 41, 3, 2)
        assert task.columns[0].shape == (None, 5)
        assert len(np.load(tmp_path / "out" / "training" / "labels.npy")) == 320

    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            ("inter", "user\titem\trating\ttime\n", "has no rating"),
            ("inter", "user\titem\trating\ttime\n1\t2\n", "has 2 columns"),
            ("inter", "user\titem\trating\ttime\n99\t2\t5\t1\n", "names '99'"),
        ],
    )
    def test_damaged_ratings_are_said_in_one_line(self, tmp_path, name, text, said):
        folder = write_movielens(tmp_path / "ml")
        (folder / f"ml-100k.{name}").write_text(text)
        done = self.run(tmp_path, folder)
        assert done.returncode == 1
        assert said in done.stderr
        assert done.stderr.count("\n") == 1

    def test_training_learns_and_repeats(self, tmp_path, monkeypatch):
        assert self.run(tmp_path, write_movielens(tmp_path / "ml", 3000)).returncode == 0
        monkeypatch.setattr(training, "EPOCHS", 30)
        monkeypatch.setattr(training, "BATCH", 64)
        training.train(tmp_path / "out" / "training", 0, tmp_path / "a.pth")
        training.train(tmp_path / "out" / "training", 0, tmp_path / "b.pth")
        first, again = (torch.load(tmp_path / name, weights_only=True) for name in ("a.pth", "b.pth"))
        assert all(torch.equal(first[name], again[name]) for name in first)
        module = movielens_model.build(ModelConfig(name="d", architecture="x", weights=str(tmp_path / "a.pth")))
        test = tmp_path / "out" / "test"
        sparse = np.concatenate([map_members(test / "sparse.npz")[str(k)] for k in range(4)], axis=1)
        with torch.inference_mode():
            predicted = module(torch.from_numpy(np.load(test / "dense.npy")), torch.from_numpy(sparse))
        assert ((predicted >= 0) & (predicted <= 1)).all()
        assert roc_auc_score(np.load(test / "labels.npy")[:, 0], predicted.numpy()) > 0.9

    def test_other_weights_are_refused(self, tmp_path):
        def build(state):
            torch.save(state, tmp_path / "w.pth")
            movielens_model.build(ModelConfig(name="d", architecture="x", weights=str(tmp_path / "w.pth")))

        state = Dlrm((5, 6), 3).state_dict()
        with pytest.raises(HarnessError, match=r"'embeddings\.0\.weight' is missing"):
            build({"a": torch.zeros(1)})
        with pytest.raises(HarnessError, match="1 missing"):
            build({name: value for name, value in state.items() if name != "top.0.bias"})
        with pytest.raises(HarnessError, match="no weights were given"):
            movielens_model.build(ModelConfig(name="d", architecture="x"))


class TestRanking:
    @pytest.fixture
    def folder(self, tmp_path):
        sizes = ("--samples", "6", "--history", "30", "--candidates", "4")
        command = [sys.executable, str(DLRM_V3), *sizes, "--out", str(tmp_path / "requests")]
        subprocess.run(command, check=True)
        return tmp_path / "requests"

    def task(self, configure, folder):
        return CandidateRanking(configure(task="recommendation.ranking:CandidateRanking", dataset=str(folder)))

    def network(self):
        torch.manual_seed(0)
        shape = hstu.HstuShape(table=16, width=16, hidden=8, layers=2, heads=2, query=4, value=4)
        return Hstu(shape).eval()

    def ask(self, network, task, indices):
        history, candidates, request = task.load(indices)
        columns = (np.concatenate(history), np.concatenate(candidates), request)
        with torch.inference_mode():
            return network(*(torch.from_numpy(column) for column in columns))

    def test_requests_are_loaded_and_answered(self, configure, folder):
        task = self.task(configure, folder)
        history, candidates, request = task.load([4, 1])
        assert (request[:, 1].tolist(), request[:, 2].tolist()) == ([len(one) for one in history], [4, 4])
        assert candidates[0].shape == (4, 2)
        first, second = task.encode((np.arange(8, dtype=np.float32) / 8,), [4, 1])
        assert first[:6].tolist() == [0, 4, 0, 0.125, 0.25, 0.375]
        assert len(second) == 3 + 3 * 4
        assert second[-1] == 4
        assert task.quality(folder) is None

    def test_a_batch_is_its_requests(self, configure, folder):
        task, network = self.task(configure, folder), self.network()
        together = self.ask(network, task, [0, 3, 5])
        assert torch.allclose(together[4:8], self.ask(network, task, [3]), atol=1e-6)
        assert ((together > 0) & (together < 1)).all()

    def test_candidates_do_not_see_each_other_but_the_history(self, configure, folder):
        task, network = self.task(configure, folder), self.network()
        history, candidates, request = (
            torch.from_numpy(np.concatenate(c)) for c in (*task.load([0])[:2], task.load([0])[2:])
        )
        request = request.reshape(1, 3)
        with torch.inference_mode():
            before = network(history, candidates, request)
            candidates[0] += 1
            assert torch.allclose(network(history, candidates, request)[1:], before[1:], atol=1e-7)
            history[0] += 1
            assert not torch.allclose(network(history, candidates, request)[1:], before[1:], atol=1e-7)

    def test_damaged_requests_are_refused(self, configure, folder):
        with np.load(folder / "requests.npz") as file:
            arrays = dict(file)
        np.savez(folder / "requests.npz", **{k: v for k, v in arrays.items() if k != "labels"})
        with pytest.raises(HarnessError, match="lacks labels"):
            self.task(configure, folder)
        np.savez(folder / "requests.npz", **(arrays | {"users": arrays["users"][1:]}))
        with pytest.raises(HarnessError, match=r"has 5 requests, dataset\.json says 6"):
            self.task(configure, folder)
        (folder / "requests.npz").unlink()
        with pytest.raises(HarnessError, match="cannot read"):
            self.task(configure, folder)

    def test_there_are_no_weights_for_it(self):
        with pytest.raises(HarnessError, match="only its shape"):
            hstu.build(ModelConfig(name="d", architecture="x", weights="w"))


class TestRun:
    @pytest.mark.parametrize("scenario", ["Offline", "Server"])
    def test_every_pair_keeps_its_answer(self, configure, tmp_path, scenario):
        """Real loadgen, samples of different sizes side by side in a batch, several loaded sets."""
        pytest.importorskip("mlperf_loadgen")
        folder = write_pairs(tmp_path / "data", pairs=9000)
        dense = np.load(folder / "dense.npy")
        dense[:, 0] = np.load(folder / "labels.npy")[:, 0]
        np.save(folder / "dense.npy", dense)
        changes = {"target_qps": 200.0} if scenario == "Server" else {}
        outcome = supervise.run(
            configure(
                scenario=scenario,
                mode="accuracy",
                task="recommendation.task:Recommendation",
                task_path=(str(SCRIPTS / "get-mlperf-inference-task-recommendation"),),
                backend="pytorch",
                model=ModelConfig(
                    name="o", architecture="tests.tasks.oracles:pairs", weights=str(folder / "dataset.json")
                ),
                dataset=str(folder),
                tier="full",
                batch_size=4,
                performance_sample_count=10,
                quality_target=99.0,
                **changes,
            )
        )
        assert outcome.failure is None
        quality = outcome.quality
        assert (quality.value, quality.correct, quality.total, quality.passed) == (100.0, 9000, 9000, True)
