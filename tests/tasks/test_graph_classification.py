"""R-GAT on a small graph in IGBH's layout: preparation, sampling, attention, accuracy."""

import json

import numpy as np
import pytest
from graph_classification import metric
from graph_classification.graph import Graph, Relation
from graph_classification.sampling import Sampler, distinct, neighbours
from graph_classification.task import GraphClassification
from tests.script.conftest import load_file
from tests.workbench import ROOT

from harness.config import ModelConfig
from harness.errors import HarnessError

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

NODES = {"paper": 60, "author": 50, "institute": 5, "fos": 12, "journal": 4, "conference": 3}


@pytest.fixture(scope="module")
def prepare():
    return load_file(ROOT / "script" / "get-preprocessed-dataset-igbh" / "prepare.py")


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """A folder with the files of IGBH, 60 papers, 20 of them asked for."""
    made = load_file(ROOT / "script" / "get-dataset-igbh" / "synthesize.py")
    folder = tmp_path_factory.mktemp("igbh") / "processed"
    made.synthesize(folder, 0, NODES, asked=20)
    return folder


@pytest.fixture(scope="module")
def prepared(official, prepare, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared") / "graph"
    prepare.prepare(official, "synthetic", "made", out)
    return out


@pytest.fixture
def graph(prepared):
    return Graph(prepared)


def rgat_of(prepared, folder, **changes):
    from graph_classification.models import build_rgat

    path = folder / "rgat.json"
    path.write_text(json.dumps({"graph": str(prepared), "seed": 0} | changes))
    return build_rgat(
        ModelConfig(name="rgat", architecture="graph_classification.models:build_rgat", weights=str(path))
    )


def pairs_of(relation):
    """Sources and targets of a prepared relation; papers that cite each other are in it twice."""
    degrees = np.diff(relation.indptr)
    return np.asarray(relation.indices), np.repeat(np.arange(len(degrees)), degrees)


def edges_of(relation):
    """All different (source, target) of a prepared relation."""
    return set(zip(*(ends.tolist() for ends in pairs_of(relation)), strict=True))


class TestPreparation:
    def test_relations_are_the_references(self, official, graph):
        """Each relation and its reverse; citations in both directions, each paper cites itself once."""
        found = {relation.name: edges_of(relation) for relation in graph.relations}
        assert len(found) == 11
        for source, name, target in (("paper", "written_by", "author"), ("paper", "topic", "fos")):
            edges = np.load(official / f"{source}__{name}__{target}" / "edge_index.npy").tolist()
            assert found[name] == {(a, b) for a, b in edges}
            assert found[f"rev_{name}"] == {(b, a) for a, b in edges}
        cites = [(a, b) for a, b in np.load(official / "paper__cites__paper" / "edge_index.npy").tolist() if a != b]
        assert found["cites"] == {*cites, *((b, a) for a, b in cites), *((n, n) for n in range(60))}
        source, target = pairs_of(graph.relations[0])
        assert (source == target).sum() == 60

    def test_pieces_give_the_same_as_one_piece(self, official, prepare, prepared, tmp_path, monkeypatch):
        monkeypatch.setattr(prepare, "PIECE", 7)
        prepare.prepare(official, "synthetic", "made", tmp_path / "again")
        for one, other in zip(Graph(prepared).relations, Graph(tmp_path / "again").relations, strict=True):
            assert np.array_equal(one.indptr, other.indptr)
            assert sorted(np.asarray(one.indices)) == sorted(np.asarray(other.indices))
            assert edges_of(one) == edges_of(other)

    @pytest.mark.parametrize(
        ("file", "content", "said"),
        [
            ("paper/node_feat.npy", np.zeros((60, 8), np.float32), "features of width 1024"),
            ("paper__topic__fos/edge_index.npy", np.array([[0, 12]]), "topic names node 12, there are 12"),
            ("paper__topic__fos/edge_index.npy", np.zeros((3, 3), np.int64), "two columns"),
        ],
    )
    def test_wrong_files_are_named(self, official, prepare, tmp_path, file, content, said):
        broken = tmp_path / "processed"
        for path in official.rglob("*"):
            if path.is_file():
                (broken / path.relative_to(official)).parent.mkdir(parents=True, exist_ok=True)
                (broken / path.relative_to(official)).symlink_to(path)
        (broken / file).unlink()
        np.save(broken / file, content)
        with pytest.raises(ValueError, match=said):
            prepare.prepare(broken, "full", "full", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_damaged_files_are_named(self, official, prepare, tmp_path):
        with pytest.raises(OSError, match="node_feat"):
            prepare.prepare(tmp_path / "nothing", "full", "full", tmp_path / "out")
        (tmp_path / "val_idx.pt").write_bytes(b"nothing")
        with pytest.raises(ValueError, match="cannot be read"):
            prepare.read_seeds(tmp_path / "val_idx.pt", 60)
        torch.save(torch.tensor([60]), tmp_path / "val_idx.pt")
        with pytest.raises(ValueError, match="not a list of papers"):
            prepare.read_seeds(tmp_path / "val_idx.pt", 60)

    def test_plain_values_without_a_header_are_read(self, prepared, tmp_path):
        """So are the largest files of IGBH-full."""
        from graph_classification.graph import read_values

        values = np.arange(12, dtype=np.float32).reshape(3, 4)
        values.tofile(tmp_path / "node_feat.npy")
        assert np.array_equal(read_values(tmp_path / "node_feat.npy", (3, 4)), values)
        with pytest.raises(HarnessError, match="holds 12 values"):
            read_values(tmp_path / "node_feat.npy", (4, 4))


class TestSampling:
    def test_distinct_numbers_and_all_of_them_equally(self):
        rng = np.random.default_rng(0)
        chosen = distinct(np.full(4000, 6), 4, rng)
        assert (np.sort(chosen, axis=1)[:, 1:] > np.sort(chosen, axis=1)[:, :-1]).all()
        assert chosen.min() == 0
        assert chosen.max() == 5
        np.testing.assert_allclose(np.bincount(chosen.reshape(-1)) / 4000, 4 / 6, atol=0.03)

    def test_neighbours_are_all_or_as_many_as_asked(self):
        relation = Relation("r", "a", "b", np.array([0, 2, 2, 9]), np.array([5, 6, 10, 11, 12, 13, 14, 15, 16]))
        source, place = neighbours(relation, np.array([2, 1, 0]), 3, np.random.default_rng(0))
        assert place.tolist() == [0, 0, 0, 2, 2]
        assert len(set(source[:3])) == 3
        assert set(source[:3]) <= set(range(10, 17))
        assert source[3:].tolist() == [5, 6]

    def test_each_hop_looks_at_what_the_hop_before_found(self, graph):
        seeds = np.array([3, 7, 11])
        part = Sampler(graph.relations, "paper").sample(seeds, np.random.default_rng(0))
        assert part.nodes["paper"][:3].tolist() == [3, 7, 11]
        assert all(len(set(found.tolist())) == len(found) for found in part.nodes.values())
        ends = {relation.name: relation for relation in graph.relations}
        for hop, edges in enumerate(part.hops):
            for name, found in edges.items():
                relation = ends[name]
                known = part.known[relation.target]
                first = known[hop - 1] if hop else 0
                assert found.target.min() >= first
                assert found.target.max() < known[hop]
                sources = part.nodes[relation.source][found.source]
                targets = part.nodes[relation.target][found.target]
                assert set(zip(sources.tolist(), targets.tolist(), strict=True)) <= edges_of(relation)
                assert np.bincount(found.target).max() <= (15, 10, 5)[hop]


class TestNetwork:
    def test_names_and_sizes_of_the_reference(self, prepared, tmp_path):
        state = rgat_of(prepared, tmp_path).state_dict()
        assert state["layers.0.mods.cites.fc.weight"].shape == (512, 1024)
        assert state["layers.2.mods.rev_written_by.attn_l"].shape == (1, 4, 128)
        assert state["layers.1.mods.topic.bias"].shape == (512,)
        assert state["linear.weight"].shape == (2983, 512)
        assert len(state) == 3 * 11 * 4 + 2

    def test_attention_equals_the_formula_edge_by_edge(self):
        from graph_classification.rgat import Attention

        torch.manual_seed(0)
        net = Attention(6)
        torch.nn.init.normal_(net.bias)
        source, target = torch.randn(5, 6), torch.randn(3, 6)
        edges = torch.tensor([0, 1, 2, 4, 4]), torch.tensor([0, 0, 0, 0, 2])
        result = net(source, target, edges)
        h_source, h_target = (net.fc(x).view(-1, 4, 128) for x in (source, target))
        expected = net.bias.repeat(3, 1).view(3, 4, 128)
        for node in (0, 2):
            into = edges[0][edges[1] == node]
            score = (h_source[into] * net.attn_l).sum(-1) + (h_target[node] * net.attn_r[0]).sum(-1)
            weight = torch.nn.functional.leaky_relu(score, 0.2).softmax(dim=0)
            expected[node] = expected[node] + (h_source[into] * weight[:, :, None]).sum(0)
        torch.testing.assert_close(result, expected.reshape(3, 512), atol=1e-5, rtol=1e-5)
        assert torch.equal(result[1], net.bias)  # a node without neighbours

    def test_the_whole_equals_a_walk_over_the_full_graph(self, graph, prepared, tmp_path, monkeypatch):
        """With fan-outs beyond all degrees nothing is left to chance; hidden features are computed node by node."""
        from graph_classification import rgat

        monkeypatch.setattr(rgat, "FANOUTS", (1000, 1000, 1000))
        net = rgat_of(prepared, tmp_path).eval()
        seeds = torch.tensor([[7], [3], [7]])
        with torch.inference_mode():
            result = net(seeds)
            x = {kind: torch.from_numpy(np.array(values)) for kind, values in graph.features.items()}
            for number, layer in enumerate(net.layers):
                new = dict.fromkeys(x, 0)
                for relation in graph.relations:
                    pairs = tuple(torch.tensor(ends) for ends in pairs_of(relation))
                    module = layer.mods[relation.name]
                    new[relation.target] = new[relation.target] + module(x[relation.source], x[relation.target], pairs)
                x = {k: torch.nn.functional.leaky_relu(v) if number < 2 else v for k, v in new.items()}
            expected = net.linear(x["paper"])
        torch.testing.assert_close(result, expected[[7, 3, 7]], atol=1e-4, rtol=1e-4)
        assert torch.equal(result[0], result[2])

    def test_checkpoints_of_the_reference_are_read(self, prepared, tmp_path):
        net = rgat_of(prepared, tmp_path)
        state = {f"model.{name}": value.half() for name, value in net.state_dict().items()}
        torch.save({"model_state_dict": state, "epoch": 1}, tmp_path / "RGAT.pt")
        other = rgat_of(prepared, tmp_path, checkpoint=str(tmp_path / "RGAT.pt"), seed=5)
        torch.testing.assert_close(other.linear.weight, net.linear.weight, atol=1e-3, rtol=0)

    def test_wrong_checkpoints_have_words(self, prepared, tmp_path):
        with pytest.raises(HarnessError, match="does not exist"):
            rgat_of(prepared, tmp_path, checkpoint=str(tmp_path / "none.pt"))
        torch.save({"model_state_dict": {"model.linear.weight": torch.zeros(3, 512)}}, tmp_path / "RGAT.pt")
        with pytest.raises(HarnessError, match="does not fit RGAT") as caught:
            rgat_of(prepared, tmp_path, checkpoint=str(tmp_path / "RGAT.pt"))
        assert caught.value.kind == "weights"
        whole = (tmp_path / "RGAT.pt").read_bytes()
        (tmp_path / "RGAT.pt").write_bytes(whole[:100])
        with pytest.raises(HarnessError, match="cannot be read"):
            rgat_of(prepared, tmp_path, checkpoint=str(tmp_path / "RGAT.pt"))

    def test_random_weights_are_for_synthetic_graphs(self, official, prepare, tmp_path):
        prepare.prepare(official, "full", "made", tmp_path / "graph")
        with pytest.raises(HarnessError, match="random weights on a graph of tier 'full'"):
            rgat_of(tmp_path / "graph", tmp_path)


class TestTask:
    def open(self, configure, folder, **changes):
        return GraphClassification(
            configure(task="graph_classification.task:GraphClassification", dataset=str(folder), **changes)
        )

    def test_samples_are_node_numbers(self, configure, official, prepared):
        task = self.open(configure, prepared)
        asked = torch.load(official / "val_idx.pt")
        (loaded,) = task.load([4, 0])
        assert (task.count, loaded.dtype, loaded.tolist()) == (20, np.int64, [[int(asked[4])], [int(asked[0])]])
        assert task.encode((np.array([2982, 300]),), [0, 1]).tolist() == [2982, 300]
        with pytest.raises(HarnessError, match="1 outputs for a batch of 2"):
            task.encode((np.array([1]),), [0, 1])

    def test_what_does_not_fit_is_an_error(self, configure, prepared, tmp_path):
        with pytest.raises(HarnessError, match="tier 'synthetic'"):
            self.open(configure, prepared, tier="full", model=ModelConfig(name="m", architecture="none"))
        with pytest.raises(HarnessError, match="cannot read"):
            self.open(configure, tmp_path)
        content = json.loads((prepared / "dataset.json").read_text())
        for change, said in (({"count": 0}, "says count 0"), ({"count": 21}, "has shape"), ({"nodes": 3}, "nodes")):
            (tmp_path / "dataset.json").write_text(
                json.dumps(content | {"seeds": str(prepared / "seeds.npy")} | change)
            )
            with pytest.raises(HarnessError, match=said) as caught:
                self.open(configure, tmp_path)
            assert caught.value.kind == "dataset"

    def test_accuracy_is_a_fraction_and_the_line_that_of_the_reference(self, tmp_path):
        labels, given = np.array([5.0, 2982.0, 300.0, 44.0]), [5, 2982, 44, 44]
        log = [{"seq_id": k, "qsl_idx": k, "data": np.int64(v).tobytes().hex()} for k, v in enumerate(given)]
        (tmp_path / "mlperf_log_accuracy.json").write_text(json.dumps(log))
        quality = metric.score(tmp_path, labels, 0.8)
        assert (quality.value, quality.correct, quality.total, quality.passed) == (0.75, 3, 4, False)
        assert (tmp_path / "accuracy.txt").read_text() == "accuracy=75.000%, good=3, total=4\n"

    def test_a_wrong_log_is_an_error(self, tmp_path):
        (tmp_path / "mlperf_log_accuracy.json").write_text('[{"seq_id": 0, "qsl_idx": 0, "data": "05"}]')
        with pytest.raises(HarnessError, match="1 bytes are not one int64"):
            metric.score(tmp_path, np.array([5]), None)
        with pytest.raises(HarnessError, match="answers 1 of 2"):
            metric.score(tmp_path, np.array([5, 6]), None)
