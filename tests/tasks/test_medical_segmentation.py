"""Volumes, the sliding window, both networks, the GraphDef reader, and Dice scores."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from tests.workbench import ROOT

from harness import supervise
from harness.config import ModelConfig
from harness.errors import HarnessError

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from medical_segmentation import metric, sliding  # noqa: E402
from medical_segmentation.deepbrain import DeepBrain, build_deepbrain  # noqa: E402
from medical_segmentation.graphdef import float_constants  # noqa: E402
from medical_segmentation.sliding import SlidingWindow, importance, windows  # noqa: E402
from medical_segmentation.task import MedicalSegmentation  # noqa: E402
from medical_segmentation.unet3d import Unet3D, build_unet3d  # noqa: E402

TASK_PATH = str(ROOT / "script" / "get-mlperf-inference-task-medical-segmentation")
SHAPES = ((4, 5, 6), (3, 3, 3), (2, 6, 4))
KITS = ["kidney", "tumor"]


def write_volumes(folder, shapes=SHAPES, classes=KITS, tier="synthetic", **changes):
    """A folder as the preprocessing scripts write it; `changes` go into dataset.json."""
    random = np.random.default_rng(0)
    for name in ("volumes", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    cases = []
    for k, shape in enumerate(shapes):
        labels = random.integers(0, len(classes) + 1, shape, dtype=np.uint8)
        np.save(folder / "labels" / f"case_{k}.npy", labels)
        np.save(folder / "volumes" / f"case_{k}.npy", labels.astype(np.float32)[None])
        cases.append({"name": f"case_{k}", "shape": list(shape)})
    info = {"schema": 1, "name": "test", "tier": tier, "count": len(shapes), "classes": list(classes), "cases": cases}
    (folder / "dataset.json").write_text(json.dumps(info | changes))
    return folder


# Answers each voxel's own value: with volumes that hold their labels, all is right.
COPIES = """
import torch

class Copies(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, volume):
        return (volume[:, 0] * self.weight).to(torch.uint8)

def build(model):
    return Copies()
"""


@pytest.fixture
def volumes(configure, tmp_path):
    (tmp_path / "voxel_copies.py").write_text(COPIES)

    def make(**changes):
        names = {
            "dataset": str(write_volumes(tmp_path / "volumes")),
            "task": "medical_segmentation.task:MedicalSegmentation",
            "task_path": (TASK_PATH, str(tmp_path)),
            "model": ModelConfig(name="copies", architecture="voxel_copies:build"),
            "backend": "pytorch",
            "benchmark": "3d-unet",
            "batch_size": 1,
        }
        return configure(**(names | changes))

    return make


def write_log(folder, answers):
    entries = [{"seq_id": k, "qsl_idx": k, "data": one.tobytes().hex()} for k, one in enumerate(answers)]
    (folder / "mlperf_log_accuracy.json").write_text(json.dumps(entries))


class TestVolumes:
    def test_samples_and_answers(self, volumes):
        task = MedicalSegmentation(volumes())
        ((first, second),) = task.load([2, 0])
        assert (first.shape, second.shape, first.dtype) == ((1, 2, 6, 4), (1, 4, 5, 6), np.float32)
        assert (task.count, task.sample_bytes) == (3, 4 * 4 * 5 * 6)
        (answer,) = task.encode((np.ones((1, 3, 3, 3), np.uint8),), [1])
        assert (answer.shape, answer.dtype) == ((27,), np.uint8)
        with pytest.raises(HarnessError, match="returned 27 labels for 120 voxels"):
            task.encode((np.ones((1, 3, 3, 3), np.uint8),), [0])

    def test_batches_are_of_one(self, volumes):
        with pytest.raises(HarnessError, match="batch_size is 2") as caught:
            MedicalSegmentation(volumes(batch_size=2))
        assert caught.value.hint == "--batch_size=1"

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"count": 4}, "lists 3 cases but says 4"),
            ({"count": 0, "cases": []}, "says count 0"),
            ({"classes": []}, "names no classes"),
            ({"cases": [{"name": "case_0", "shape": [9, 5, 6]}], "count": 1}, "float32 of (1, 4, 5, 6), expected"),
            ({"cases": [{"name": "case_9", "shape": [9, 5, 6]}], "count": 1}, "case_9.npy"),
            ({"cases": [{"name": "case_0"}]}, "$.cases[0]"),
            ({"tier": "huge"}, "$.tier"),
        ],
    )
    def test_a_description_that_does_not_fit_is_an_error(self, volumes, tmp_path, changes, said):
        config = volumes()
        write_volumes(tmp_path / "volumes", **changes)
        with pytest.raises(HarnessError) as caught:
            MedicalSegmentation(config)
        assert caught.value.kind == "dataset"
        assert said in caught.value.cause

    @pytest.mark.parametrize("name", ["volumes/case_1.npy", "labels/case_2.npy", "dataset.json"])
    @pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY cut off"])
    def test_missing_and_damaged_files_are_named(self, volumes, tmp_path, name, content):
        config = volumes()
        path = tmp_path / "volumes" / name
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(HarnessError) as caught:
            MedicalSegmentation(config)
        assert (caught.value.kind, path.name in caught.value.cause) == ("dataset", True)


class TestMetric:
    def test_dice(self):
        found, truth = np.array([0, 1, 1, 1, 2]), np.array([1, 1, 1, 0, 0])
        kidney, tumour, nothing = metric.dice(found, truth, 3)
        assert kidney == pytest.approx(2 * 2 / 6)
        assert tumour == pytest.approx(0, abs=1e-5)
        assert nothing == 1  # neither there nor found

    def test_a_log_becomes_a_score(self, volumes, tmp_path):
        task = MedicalSegmentation(volumes(quality_target=0.9))
        truth = [np.load(tmp_path / "volumes" / "labels" / f"case_{k}.npy") for k in range(3)]
        write_log(tmp_path, truth)
        quality = task.quality(tmp_path)
        assert (quality.value, quality.total, quality.passed) == (1.0, 3, True)
        line = (tmp_path / "accuracy.txt").read_text()
        assert line == "Accuracy: mean = 1.00000, kidney = 1.0000, tumor = 1.0000\n"
        without_tumours = [np.where(labels == 2, 0, labels) for labels in truth]
        write_log(tmp_path, without_tumours)
        worse = task.quality(tmp_path)
        assert worse.value == pytest.approx(0.5, abs=1e-6)
        assert [round(one.value, 4) for one in worse.more] == [1.0, 0.0]
        assert worse.passed is False

    def test_answers_of_another_size(self, volumes, tmp_path):
        task = MedicalSegmentation(volumes())
        write_log(tmp_path, [np.zeros(7, np.uint8)] * 3)
        with pytest.raises(HarnessError, match="answers case_0 with 7 labels, it has 120 voxels"):
            task.quality(tmp_path)
        write_log(tmp_path, [np.zeros(120, np.uint8)])
        with pytest.raises(HarnessError, match="answers 1 of 3 samples"):
            task.quality(tmp_path)


class TestSlidingWindow:
    def test_windows_overlap_by_half(self):
        assert len(list(windows((128, 192, 256)))) == 1 * 2 * 3
        assert [window[2].start for window in windows((128, 128, 256))] == [0, 64, 128]

    def test_the_middle_counts_most(self):
        kernel = importance()
        assert (kernel.dtype, tuple(kernel.shape)) == (torch.float32, (128, 128, 128))
        assert float(kernel.max()) == 1.0
        one = np.exp(-((np.arange(128) - 63.5) ** 2) / (2 * 16.0**2))
        expected = np.cbrt(one[0] * one[64] * one[100]) / np.cbrt(one.max() ** 3)
        assert float(kernel[0, 64, 100]) == pytest.approx(expected, rel=1e-6)

    def test_windows_are_weighed_and_summed(self, monkeypatch):
        """Against the plain formula, with windows of four voxels; the network scores by position in the window."""
        monkeypatch.setattr(sliding, "SIDE", 4)
        monkeypatch.setattr(sliding, "STRIDE", 2)
        random = torch.Generator().manual_seed(0)
        scores = torch.rand((3, 4, 4, 4), generator=random)

        class Scores(torch.nn.Module):
            def forward(self, x):
                return scores[None] * x

        volume = torch.rand((1, 1, 4, 6, 8), generator=random)
        found = SlidingWindow(Scores(), 3)(volume)
        weight, total = importance(), torch.zeros(3, 4, 6, 8)
        for h in (0, 2):
            for w in (0, 2, 4):
                total[:, :, h : h + 4, w : w + 4] += scores * volume[0, :, :, h : h + 4, w : w + 4] * weight
        assert found.dtype == torch.uint8
        assert torch.equal(found[0], total.argmax(0).to(torch.uint8))

    @pytest.mark.parametrize("value", [torch.nan, torch.inf])
    def test_scores_that_are_no_numbers(self, value):
        """Labels made of them would look like any others."""
        with pytest.raises(HarnessError) as caught:
            sliding.require_numbers(torch.tensor([1.0, value]))
        assert caught.value.kind == "nan"
        network = DeepBrain().eval()
        with torch.no_grad():
            network.conv[9].bias.fill_(value)
        with pytest.raises(HarnessError, match="not finite"), torch.inference_mode():
            network(torch.rand(1, 1, 16, 16, 16))


class TestUnet3D:
    def checkpoint(self, path, state):
        torch.save({"epoch": 1, "best_model_state_dict": state}, path)
        return ModelConfig(name="x", architecture="medical_segmentation.unet3d:build_unet3d", weights=str(path))

    def test_sizes_and_names_of_the_official_network(self):
        with torch.device("meta"):
            state = Unet3D().state_dict()
        assert sum(tensor.numel() for tensor in state.values()) == 31_190_243
        assert tuple(state["upsample.1.upsample_conv.0.weight"].shape) == (320, 256, 2, 2, 2)
        assert tuple(state["bottleneck.conv1.0.weight"].shape) == (320, 320, 3, 3, 3)
        assert tuple(state["output.conv.0.bias"].shape) == (3,)
        assert "input_block.conv1.1.weight" in state

    def test_shapes_on_the_way(self):
        network = Unet3D(levels=(2, 3, 4)).eval()
        with torch.inference_mode():
            assert network(torch.zeros(1, 1, 16, 16, 16)).shape == (1, 3, 16, 16, 16)

    def test_a_checkpoint_is_loaded_exactly(self, tmp_path, monkeypatch):
        self.small(monkeypatch)
        state = Unet3D().state_dict()
        loaded = build_unet3d(self.checkpoint(tmp_path / "a.pth", state)).network
        assert all(torch.equal(loaded.state_dict()[name], tensor) for name, tensor in state.items())

    @pytest.mark.filterwarnings("ignore")  # tracing is deprecated, the official file is not
    def test_torchscript(self, tmp_path, monkeypatch):
        self.small(monkeypatch)
        network = Unet3D(levels=(2, 3)).eval()
        volume = torch.rand(1, 1, 8, 8, 8)
        torch.jit.trace(network, volume).save(str(tmp_path / "a.ptc"))
        config = ModelConfig(name="x", architecture="y", weights=str(tmp_path / "a.ptc"))
        torch.testing.assert_close(build_unet3d(config).network(volume), network(volume))

    @pytest.mark.parametrize("suffix", [".pth", ".ptc"])
    def test_files_that_will_not_do(self, tmp_path, monkeypatch, suffix):
        self.small(monkeypatch)
        path = tmp_path / f"a{suffix}"
        config = self.checkpoint(path, {})
        path.write_bytes(path.read_bytes()[:300])
        with pytest.raises(HarnessError, match=r"is no (checkpoint|TorchScript)"):
            build_unet3d(config)
        path.unlink()
        with pytest.raises(HarnessError, match="does not exist"):
            build_unet3d(config)

    def test_another_networks_weights(self, tmp_path, monkeypatch):
        self.small(monkeypatch)
        state = Unet3D().state_dict()
        state["output.conv.0.bias"] = torch.zeros(4)
        with pytest.raises(HarnessError, match=r"does not fit Unet3D: 1 of another shape \(output.conv.0.bias\)"):
            build_unet3d(self.checkpoint(tmp_path / "a.pth", state))

    def small(self, monkeypatch):
        monkeypatch.setattr(Unet3D.__init__, "__defaults__", ((2, 3), 3))


def varint(value):
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def constant(name, array, spread=False):
    """A Const node as TensorFlow writes it; `spread`: one value for the whole tensor."""
    shape = b"".join(field(2, b"\x08" + varint(size)) for size in array.shape)
    one, all_of_them = struct.pack("<f", float(array.flat[0])), array.astype("<f4").tobytes()
    values = field(5, one) if spread else field(4, all_of_them)
    tensor = b"\x08\x01" + field(2, shape) + values
    attribute = field(1, b"value") + field(2, field(8, tensor))
    return field(1, field(1, name.encode()) + field(2, b"Const") + field(5, attribute))


def frozen_graph(module):
    """deepbrain's file around the given network's weights."""
    nodes = [field(1, field(1, b"img") + field(2, b"Placeholder"))]
    for k, conv in enumerate(module.conv):
        name = f"conv3d_{k}" if k else "conv3d"
        nodes.append(constant(f"{name}/kernel", conv.weight.detach().permute(2, 3, 4, 1, 0).numpy()))
        nodes.append(constant(f"{name}/bias", conv.bias.detach().numpy()))
    for k, up in enumerate(module.up):
        name = f"conv3d_transpose_{k}" if k else "conv3d_transpose"
        nodes.append(constant(f"{name}/kernel", up.conv.weight.detach().permute(2, 3, 4, 1, 0).numpy()))
    return b"".join(nodes)


class TestDeepBrain:
    def config(self, path):
        return ModelConfig(name="x", architecture="medical_segmentation.deepbrain:build_deepbrain", weights=str(path))

    def test_weights_of_a_frozen_graph(self, tmp_path):
        torch.manual_seed(0)
        network = DeepBrain()
        (tmp_path / "graph.pb").write_bytes(frozen_graph(network))
        loaded = build_deepbrain(self.config(tmp_path / "graph.pb"))
        assert sum(parameter.numel() for parameter in loaded.parameters()) == 171_465
        for name, tensor in network.state_dict().items():
            assert torch.equal(loaded.state_dict()[name], tensor)
        with torch.inference_mode():
            labels = loaded(torch.rand(2, 1, 16, 16, 16))
        assert (labels.shape, labels.dtype) == ((2, 16, 16, 16), torch.uint8)

    def test_constants_may_be_spread(self, tmp_path):
        data = (
            constant("a", np.full((2, 3), 0.5), spread=True)
            + constant("b", np.array(2.0))
            + constant("c", np.arange(3))
        )
        (tmp_path / "graph.pb").write_bytes(data)
        found = float_constants(tmp_path / "graph.pb")
        assert found["a"].tolist() == [[0.5] * 3] * 2
        assert (float(found["b"]), found["c"].tolist()) == (2.0, [0.0, 1.0, 2.0])

    @pytest.mark.parametrize("cut", [1, 100, -10])
    def test_cut_off_graphs(self, tmp_path, cut):
        path = tmp_path / "graph.pb"
        path.write_bytes(frozen_graph(DeepBrain())[:cut])
        with pytest.raises(HarnessError) as caught:
            build_deepbrain(self.config(path))
        assert (caught.value.kind, str(path) in caught.value.cause) == ("weights", True)

    @pytest.mark.parametrize("content", [b"", b"\xff" * 50, b"no graph at all", bytes(range(256)) * 4])
    def test_other_files(self, tmp_path, content):
        path = tmp_path / "graph.pb"
        path.write_bytes(content)
        with pytest.raises(HarnessError) as caught:
            build_deepbrain(self.config(path))
        assert caught.value.kind == "weights"

    def test_no_file(self, tmp_path):
        with pytest.raises(HarnessError, match="cannot be read"):
            build_deepbrain(self.config(tmp_path / "none.pb"))


@pytest.mark.parametrize("scenario", ["Offline", "SingleStream"])
def test_whole_run(volumes, scenario):
    """Volumes of different sizes, each with its own answer."""
    pytest.importorskip("mlperf_loadgen")
    config = volumes(mode="accuracy", scenario=scenario, quality_target=0.999, min_query_count=None)
    outcome = supervise.run(config)
    assert outcome.failure is None, outcome.failure
    assert (outcome.quality.value, outcome.quality.passed) == (1.0, True)
    assert (Path(outcome.config.output_dir) / "accuracy.txt").read_text().startswith("Accuracy: mean = 1.00000, ")
