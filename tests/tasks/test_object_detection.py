"""Detectors, their post-processing, data sets in COCO's format, and mAP."""

import json
import pickle
import sys
import types

import numpy as np
import pytest
from object_detection import metric
from object_detection.fit import Letterbox, Stretch, resized
from object_detection.pictures import Pictures
from object_detection.task import Detection416, Detection640, Detection800

from harness.config import ModelConfig
from harness.errors import HarnessError

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


def write_scenes(folder, sizes=((64, 48), (40, 60), (50, 50)), tier="full", **changes):
    """Pictures of noise and a COCO file with two categories, ids 3 and 7; one box of category 7 in each picture."""
    from PIL import Image

    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    images, boxes = [], []
    for number, (width, height) in enumerate(sizes, start=10):
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(folder / f"images/{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": width, "height": height, "coco_url": ""})
        box = {"id": number, "image_id": number, "category_id": 7, "bbox": [10, 5, 20, 30], "area": 600, "iscrowd": 0}
        boxes.append(box)
    categories = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}]
    coco = {"images": images, "annotations": boxes, "categories": categories}
    (folder / "coco.json").write_text(json.dumps(coco))
    info = {
        "schema": 1,
        "name": "test",
        "tier": tier,
        "count": len(sizes),
        "images": "images",
        "annotations": "coco.json",
    }
    (folder / "dataset.json").write_text(json.dumps(info | changes))
    return folder


def write_log(folder, answers):
    folder.mkdir(exist_ok=True)
    log = [{"seq_id": k, "qsl_idx": k, "data": np.float32(row).tobytes().hex().upper()} for k, row in answers.items()]
    (folder / "mlperf_log_accuracy.json").write_text(json.dumps(log))
    return folder


def task_of(kind, configure, folder, classes=2, **changes):
    """A task like `kind` for so many classes."""
    like = type(kind.__name__, (kind,), {"classes": classes})
    return like(configure(task=f"object_detection.task:{kind.__name__}", dataset=str(folder), **changes))


def model(architecture, weights=None):
    return ModelConfig(name="m", architecture=f"object_detection.models:{architecture}", weights=weights)


class TestData:
    def test_pictures_are_fitted_and_their_order_is_that_of_the_file(self, configure, tmp_path):
        task = task_of(Detection416, configure, write_scenes(tmp_path / "d"), tier="full")
        (loaded,) = task.load([2, 0])
        assert (loaded.shape, loaded.dtype) == ((2, 3, 416, 416), np.float32)
        assert task.sample_bytes == loaded.nbytes // 2
        assert task.count == 3
        assert (loaded >= 0).all()
        assert (loaded <= 1).all()

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"count": 4}, "lists 3 images, dataset.json says 4"),
            ({"annotations": "none.json"}, "cannot read"),
            ({"images": "nowhere"}, "3 of 3 images are missing"),
            ({"tier": "huge"}, "$.tier"),
        ],
    )
    def test_what_does_not_fit_is_an_error(self, configure, tmp_path, changes, said):
        with pytest.raises(HarnessError) as caught:
            task_of(Detection800, configure, write_scenes(tmp_path / "d", **changes))
        assert caught.value.kind == "dataset"
        assert said in caught.value.cause
        assert caught.value.hint

    def test_data_of_other_classes_are_refused(self, configure, tmp_path):
        with pytest.raises(HarnessError, match="has 2 categories, the network tells 264 classes apart") as caught:
            task_of(Detection800, configure, write_scenes(tmp_path / "d"), classes=Detection800.classes)
        assert caught.value.kind == "dataset"

    def test_an_empty_set_is_an_error(self, configure, tmp_path):
        with pytest.raises(HarnessError, match="lists no image"):
            task_of(Detection800, configure, write_scenes(tmp_path / "d", sizes=()))

    def test_a_claim_beyond_the_data_is_refused(self, configure, tmp_path):
        folder = write_scenes(tmp_path / "d", tier="synthetic")
        with pytest.raises(HarnessError, match="'synthetic'"):
            task_of(Detection800, configure, folder, tier="full")

    def test_a_damaged_picture_and_one_of_another_size_are_named(self, tmp_path):
        folder = write_scenes(tmp_path / "d")
        data = Pictures(folder)
        (folder / "images" / "11.png").write_bytes((folder / "images" / "10.png").read_bytes())
        with pytest.raises(HarnessError, match=r"11\.png is 64 x 48, its annotation says 40 x 60"):
            data.read(1)
        (folder / "images" / "11.png").write_bytes(b"no picture")
        with pytest.raises(HarnessError, match=r"11\.png cannot be decoded"):
            data.read(1)

    def test_a_malformed_coco_file_is_an_error(self, tmp_path):
        folder = write_scenes(tmp_path / "d")
        (folder / "coco.json").write_text('{"images": 3}')
        with pytest.raises(HarnessError, match=r"coco\.json"):
            Pictures(folder)


class TestFit:
    @pytest.mark.parametrize("fit", [Stretch(96), Letterbox(96, 114)])
    @pytest.mark.parametrize("size", [(64, 48), (30, 90)])
    def test_boxes_come_back_to_where_they_were(self, fit, size):
        from PIL import Image

        width, height = size
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[height // 3 : height // 2, width // 4 : width // 2] = 255
        seen = fit.prepare(Image.fromarray(pixels)).min(axis=0) > 0.9
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        box = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], np.float32)
        expected = [(width // 4) / width, (height // 3) / height, (width // 2) / width, (height // 2) / height]
        np.testing.assert_allclose(fit.restore(box, width, height)[0], expected, atol=0.06)

    def test_shrinking_does_not_average(self):
        """As cv2.INTER_LINEAR, which the reference uses: of each 4 pixels only the middle two count."""
        from PIL import Image

        row = np.array([0, 100, 200, 0, 0, 0, 0, 255], np.uint8)
        image = Image.fromarray(np.broadcast_to(row[None, :, None], (8, 8, 3)).copy())
        np.testing.assert_allclose(resized(image, 2, 2)[0, 0] * 255, [150, 0], atol=1e-3)


class TestPostprocessing:
    def test_it_equals_the_row_by_row_loop(self):
        from object_detection.postprocess import Selection, corners, detections, iou

        generator = torch.Generator().manual_seed(1)
        rows, images = [], []
        for image in range(3):
            count = (150, 0, 60)[image]
            centre, size = torch.rand(2, count, 2, generator=generator) * torch.tensor([100.0, 60.0]).view(2, 1, 1)
            score, label = torch.rand(count, generator=generator), torch.randint(0, 3, (count,), generator=generator)
            rows.append(torch.cat([corners(centre, size + 5), score[:, None], label[:, None].float()], dim=1))
            images.append(torch.full((count,), image))
        shuffled = torch.randperm(210, generator=generator)
        found = torch.cat(rows)[shuffled]
        result = detections(torch.cat(images)[shuffled], found, 3, Selection(0.0, 0.5, 1000, 100))
        assert result.shape == (3, 100, 6)
        for given, got in zip(rows, result, strict=True):
            left = given[given[:, 4].argsort(descending=True)]
            kept = []
            while len(left):
                kept.append(left[0])
                overlap = iou(left[None, :, :4])[0, 0]
                left = left[1:][((overlap <= 0.5) | (left[:, 5] != left[0, 5]))[1:]]
            expected = torch.stack(kept)[:100] if kept else torch.zeros(0, 6)
            assert torch.equal(got[got[:, 4].isfinite()], expected)

    def test_each_image_has_its_own_best_candidates(self):
        from object_detection.postprocess import Selection, candidates

        scores = torch.tensor([[[0.9], [0.8], [0.1]], [[0.3], [0.05], [0.7]]])
        image, found = candidates(torch.zeros(2, 3, 4), scores, Selection(0.06, 0.5, 2, 10))
        assert image.tolist() == [0, 0, 1, 1]
        np.testing.assert_allclose(found[:, 4], [0.9, 0.8, 0.7, 0.3])


class TestResponses:
    def test_rows_are_the_references(self, configure, tmp_path):
        task = task_of(Detection800, configure, write_scenes(tmp_path / "d"))
        found = np.zeros((2, 4, 6), np.float32)
        found[1, 0] = [80, 160, 400, 800, 0.75, 1]
        first, second = task.encode((found,), [0, 2])
        assert first.shape == (0,)
        # index, top, left, bottom, right, score, and the id of the second category: ids in order are 3 and 7
        np.testing.assert_allclose(second, [2, 0.2, 0.1, 1.0, 0.5, 0.75, 7])
        assert second.dtype == np.float32
        with pytest.raises(HarnessError, match="2 outputs for a batch of 3"):
            task.encode((found,), [0, 1, 2])

    def test_letterbox_is_taken_off(self, configure, tmp_path):
        task = task_of(Detection640, configure, write_scenes(tmp_path / "d"))
        found = np.zeros((1, 1, 6), np.float32)
        found[0, 0] = [0, 80, 640, 560, 0.5, 0]  # a 64 x 48 picture fills the middle 480 rows
        (row,) = task.encode((found,), [0])
        np.testing.assert_allclose(row, [0, 0, 0, 1, 1, 0.5, 3], atol=1e-6)


class TestMetric:
    @pytest.fixture(autouse=True)
    def tools(self):
        pytest.importorskip("pycocotools")

    def test_right_boxes_give_100_percent_and_the_checkers_line(self, tmp_path):
        data = Pictures(write_scenes(tmp_path / "d"))
        rows = {
            index: [index, 5 / p.height, 10 / p.width, 35 / p.height, 30 / p.width, 0.9, 7]
            for index, p in enumerate(data.pictures)
        }
        quality = metric.score(write_log(tmp_path / "log", rows), data, 99.0)
        assert (quality.metric, quality.unit, quality.total, quality.passed) == ("mAP", "%", 3, True)
        assert quality.value == pytest.approx(100.0)
        assert [m.name for m in quality.more] == ["mAP@.5", "mAP@.75"]
        assert (tmp_path / "log" / "accuracy.txt").read_text() == "mAP=100.000%\n"

    def test_half_of_the_boxes_gives_half(self, tmp_path):
        data = Pictures(write_scenes(tmp_path / "d", sizes=((64, 48), (64, 48))))
        right = [0, 5 / 48, 10 / 64, 35 / 48, 30 / 64, 0.9, 7]
        quality = metric.score(write_log(tmp_path / "log", {0: right, 1: []}), data, 99.0)
        assert quality.value == pytest.approx(50.0, abs=0.6)  # recall is read at 101 points
        assert quality.passed is False

    def test_no_detection_at_all_is_zero(self, tmp_path):
        data = Pictures(write_scenes(tmp_path / "d"))
        assert metric.score(write_log(tmp_path / "log", {0: [], 1: [], 2: []}), data, None).value == 0.0

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            ({0: [0, 1, 2], 1: [], 2: []}, "not rows of 7"),
            ({0: [1, 0, 0, 1, 1, 0.5, 7], 1: [], 2: []}, "names sample 1"),
            ({0: []}, "answers 1 of 3"),
        ],
    )
    def test_a_wrong_log_is_an_error(self, tmp_path, rows, said):
        data = Pictures(write_scenes(tmp_path / "d"))
        with pytest.raises(HarnessError, match=said) as caught:
            metric.score(write_log(tmp_path / "log", rows), data, None)
        assert caught.value.kind == "accuracy"


class TestDarknet:
    CFG = """[net]
width=416
[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky
[maxpool]
size=2
stride=1
[upsample]
stride=2
[route]
layers=-1,-1
[convolutional]
size=1
stride=1
pad=1
filters=14
activation=linear
[yolo]
mask=0,1
anchors=10,14, 23,27
classes=2
"""
    VALUES = 4 * 8 + 8 * 3 * 9 + 14 + 14 * 16

    def write(self, folder, values):
        (folder / "net.cfg").write_text(self.CFG)
        (folder / "net.weights").write_bytes(bytes(20) + np.full(values, 0.01, "<f4").tobytes())
        return str(folder / "net.weights")

    def test_a_network_is_built_filled_and_runs(self, tmp_path):
        from object_detection.models import build_yolov3_tiny

        net = build_yolov3_tiny(model("build_yolov3_tiny", self.write(tmp_path, self.VALUES))).eval()
        with torch.inference_mode():
            result = net(torch.rand(2, 3, 32, 32))
        assert result.shape == (2, 100, 6)
        assert (result[..., 4] >= 0).all()
        assert result[0, 0, 4] > 0

    @pytest.mark.parametrize("difference", [-1, 1])
    def test_too_few_or_too_many_weights(self, tmp_path, difference):
        from object_detection.models import build_yolov3_tiny

        path = self.write(tmp_path, self.VALUES + difference)
        with pytest.raises(HarnessError, match="the network needs") as caught:
            build_yolov3_tiny(model("build_yolov3_tiny", path))
        assert caught.value.kind == "weights"

    def test_other_faults_have_words(self, tmp_path):
        from object_detection.models import build_yolov3_tiny

        with pytest.raises(HarnessError, match="no synthetic form"):
            build_yolov3_tiny(model("build_yolov3_tiny"))
        with pytest.raises(HarnessError, match="cannot read the network"):
            build_yolov3_tiny(model("build_yolov3_tiny", str(tmp_path / "none.weights")))
        (tmp_path / "net.cfg").write_text("hello")
        with pytest.raises(HarnessError, match="not a network"):
            build_yolov3_tiny(model("build_yolov3_tiny", str(tmp_path / "net.weights")))


class TestRetinanet:
    def test_shapes_and_names_of_the_official_network(self):
        from object_detection.retinanet import RetinaNet, anchors

        with torch.device("meta"):
            state = RetinaNet().state_dict()
        assert len(state) == 301
        assert sum(value.numel() for value in state.values()) == 37_197_100
        assert state["backbone.body.layer4.2.conv2.weight"].shape == (1024, 32, 3, 3)
        assert state["backbone.fpn.extra_blocks.p7.bias"].shape == (256,)
        assert state["head.classification_head.cls_logits.weight"].shape == (9 * 264, 256, 3, 3)
        assert state["head.regression_head.bbox_reg.weight"].shape == (36, 256, 3, 3)
        first = anchors(torch.zeros(1, 256, 100, 100), 32, (800, 800))
        assert first.shape == (90_000, 4)
        assert first[:3].tolist() == [[-23, -11, 23, 11], [-28, -14, 28, 14], [-35, -18, 35, 18]]

    def test_it_finds_boxes_inside_the_picture(self):
        from object_detection.models import build_retinanet

        torch.manual_seed(0)
        net = build_retinanet(model("build_retinanet")).eval()
        last = net.head["classification_head"].cls_logits
        torch.nn.init.constant_(last.bias, -4.0)
        last.bias.data[5] = 2.0  # one class of the first anchor everywhere
        with torch.inference_mode():
            result = net(torch.rand(2, 3, 64, 64))
        found = result[0][result[0, :, 4] > 0]
        assert 0 < len(found) <= 300
        assert set(found[:, 5].tolist()) == {5.0}
        assert (found[:, :4] >= 0).all()
        assert (found[:, :4] <= 64).all()
        np.testing.assert_allclose(found[0, 4], 1 / (1 + np.exp(-2)), rtol=1e-3)


def test_yolo11l_has_the_published_size():
    from object_detection.yolo11 import YOLO11

    with torch.device("meta"):
        net = YOLO11()
    assert sum(parameter.numel() for parameter in net.parameters()) == 25_372_160
    assert net.state_dict()["model.10.m.1.attn.qkv.conv.weight"].shape == (512, 256, 1, 1)


def test_yolo11_keeps_one_class_per_box():
    from object_detection.models import build_yolo11

    torch.manual_seed(0)
    net = build_yolo11(model("build_yolo11")).eval()
    with torch.inference_mode():
        result = net(torch.rand(1, 3, 64, 64))[0]
    found = result[result[:, 4] > 0]
    assert len(found) <= 64 + 16 + 4
    assert ((found[:, 5] >= 0) & (found[:, 5] < 80)).all()


class TestCheckpoint:
    """Official weights are pickled objects of libraries that are not here."""

    @pytest.fixture
    def foreign(self, monkeypatch):
        """A module class in a package that is gone when the file is read."""
        package = types.ModuleType("gone_library")

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = torch.nn.Conv2d(3, 4, 1)
                self.bn = torch.nn.BatchNorm2d(4)
                self.extra = {"anchors": [1, 2]}

        Net.__module__, Net.__qualname__ = "gone_library", "Net"
        package.Net = Net
        monkeypatch.setitem(sys.modules, "gone_library", package)
        return Net()

    @pytest.mark.parametrize("wrap", [lambda net: net, lambda net: {"epoch": 3, "ema": None, "model": net.half()}])
    def test_a_pickled_network_of_an_unknown_library(self, tmp_path, foreign, monkeypatch, wrap):
        from object_detection import checkpoint

        expected = {name: value.clone() for name, value in foreign.state_dict().items()}
        torch.save(wrap(foreign), tmp_path / "net.pth")
        monkeypatch.delitem(sys.modules, "gone_library")
        state = checkpoint.read(tmp_path / "net.pth")
        assert set(state) == set(expected)
        assert state["conv.weight"].dtype == torch.float32
        torch.testing.assert_close(state["conv.weight"], expected["conv.weight"], atol=1e-3, rtol=0)

    def test_state_dicts_and_checkpoints(self, tmp_path):
        from object_detection import checkpoint

        module = torch.nn.Linear(2, 3)
        for content in (module.state_dict(), {"model": module.state_dict(), "epoch": 1}):
            torch.save(content, tmp_path / "net.pth")
            other = torch.nn.Linear(2, 3)
            checkpoint.load_into(other, tmp_path / "net.pth")
            assert torch.equal(other.weight, module.weight)
        with pytest.raises(HarnessError, match="does not fit"):
            checkpoint.load_into(torch.nn.Linear(2, 4), tmp_path / "net.pth")

    def test_code_in_a_file_is_not_run(self, tmp_path):
        from object_detection import checkpoint

        class Attack:
            def __reduce__(self):
                return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

        torch.save({"model": Attack()}, tmp_path / "net.pth")
        with pytest.raises(HarnessError, match="holds no network"):
            checkpoint.read(tmp_path / "net.pth")
        assert not (tmp_path / "ran").exists()

    def test_missing_truncated_and_foreign_files(self, tmp_path):
        from object_detection import checkpoint

        with pytest.raises(HarnessError, match="does not exist"):
            checkpoint.read(tmp_path / "none.pth")
        torch.save(torch.nn.Linear(20, 30).state_dict(), tmp_path / "net.pth")
        whole = (tmp_path / "net.pth").read_bytes()
        (tmp_path / "net.pth").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(HarnessError, match="cannot be read"):
            checkpoint.read(tmp_path / "net.pth")
        (tmp_path / "net.pth").write_bytes(pickle.dumps({"a": 1}))
        with pytest.raises(HarnessError, match="weights file"):
            checkpoint.read(tmp_path / "net.pth")
