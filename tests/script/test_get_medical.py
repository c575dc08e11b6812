"""KiTS19 and the head scan: which cases, how they are prepared, and what stops them."""

import json
import pickle
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from tests.file_server import FileServer
from tests.workbench import ROOT

from cm4bench.errors import CMBenchError

KITS = "get,dataset,medical-imaging,kits19"
nibabel = pytest.importorskip("nibabel")
pytest.importorskip("scipy")


def nifti(voxels, spacing=(1.6, 1.2, 1.2)):
    return nibabel.Nifti1Image(voxels, np.diag([*spacing, 1.0]))


def write_case(folder, name, shape=(64, 70, 90), spacing=(1.6, 1.2, 1.2), seed=0, label_shape=None):
    """A raw case: brightness in Hounsfield units, labels 0 to 2."""
    random = np.random.default_rng(seed)
    (folder / name).mkdir(parents=True)
    image = random.normal(100, 200, shape).astype(np.float32)
    labels = random.integers(0, 3, label_shape or shape).astype(np.uint8)
    nibabel.save(nifti(image, spacing), folder / name / "imaging.nii.gz")
    nibabel.save(nifti(labels, spacing), folder / name / "segmentation.nii.gz")
    return image, labels


@pytest.fixture(scope="module")
def kits(script_file):
    return script_file("get-preprocessed-dataset-kits19", "preprocess.py")


@pytest.fixture
def prepare(kits, tmp_path):
    def run(**source):
        fields = {"raw": None, "pickles": None, "synthetic": False, "seed": 0, "expect": 0, "processes": 1}
        out = tmp_path / "out"
        kits.convert(Namespace(**(fields | source | {"out": out})))
        info = json.loads((out / "dataset.json").read_text())
        names = [case["name"] for case in info["cases"]]
        volumes = {name: np.load(out / "volumes" / f"{name}.npy") for name in names}
        labels = {name: np.load(out / "labels" / f"{name}.npy") for name in names}
        return info, volumes, labels

    return run


class TestKits:
    @pytest.mark.parametrize(
        ("length", "becomes"),
        [(64, 128), (128, 128), (150, 128), (159, 128), (160, 192), (191, 192), (192, 192), (223, 192), (224, 256)],
    )
    def test_sides_fit_the_windows(self, kits, length, becomes):
        """Less than half a step over is cut off, more is filled up; a window is the least."""
        scan = kits.Scan(np.zeros((length, 128, 128), np.float32), np.zeros((length, 128, 128), np.uint8))
        fitted = kits.fitted(kits.padded(scan))
        assert fitted.image.shape == fitted.label.shape == (becomes, 128, 128)

    def test_what_is_filled_up_is_air_and_what_is_cut_is_cut_on_both_sides(self, kits):
        image = np.arange(160, dtype=np.float32)[:, None, None] * np.ones((1, 128, 128), np.float32)
        filled = kits.fitted(kits.Scan(image, np.ones(image.shape, np.uint8)))
        assert filled.image[0, 0, 0] == np.float32(-2.2)
        assert filled.label[15, 0, 0] == 0
        assert filled.image[16:176, 0, 0].tolist() == list(range(160))
        cut = kits.fitted(kits.Scan(image[:149], np.ones((149, 128, 128), np.uint8)))
        assert cut.image[:, 0, 0].tolist() == list(range(10, 138))

    def test_brightness(self, kits):
        scan = kits.Scan(np.array([-1000.0, 101.0, 3000.0]).reshape(3, 1, 1), np.zeros((3, 1, 1), np.uint8))
        expected = [(-79 - 101) / 76.9, 0.0, (304 - 101) / 76.9]
        np.testing.assert_allclose(kits.normalised(scan).image.ravel(), expected)

    def test_spacing(self, kits, tmp_path):
        write_case(tmp_path, "case_00000", shape=(20, 30, 40), spacing=(3.2, 1.2, 0.6))
        scan = kits.resampled(tmp_path / "case_00000")
        assert scan.image.shape == scan.label.shape == (40, 30, 20)
        assert (scan.image.dtype, scan.label.dtype) == (np.float32, np.uint8)

    def test_a_case_twice(self, prepare, tmp_path):
        write_case(tmp_path / "data", "case_00185", seed=1)
        write_case(tmp_path / "data", "case_00003", seed=2)
        (tmp_path / "data" / "case_00007").mkdir()
        info, volumes, labels = prepare(raw=tmp_path / "data", processes=2)
        assert list(volumes) == ["case_00003", "case_00185", "case_00400"]
        assert (info["tier"], info["classes"], info["count"]) == ("full", ["kidney", "tumor"], 3)
        np.testing.assert_array_equal(volumes["case_00185"], volumes["case_00400"])
        assert volumes["case_00003"].shape == (1, 128, 128, 128)
        assert (labels["case_00003"].shape, labels["case_00003"].dtype) == ((128, 128, 128), np.uint8)

    def test_pickles_of_the_reference(self, prepare, tmp_path):
        image = np.random.default_rng(0).normal(size=(1, 4, 5, 6)).astype(np.float32)
        labels = np.ones((1, 4, 5, 6), np.uint8)
        for protocol, name in ((2, "case_00000"), (4, "case_00003"), (5, "case_00005")):
            (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps([image, labels], protocol=protocol))
        (tmp_path / "preprocessed_files.pkl").write_bytes(b"not wanted")
        _, volumes, found = prepare(pickles=tmp_path)
        assert len(volumes) == 3
        for name in volumes:
            np.testing.assert_array_equal(volumes[name], image)
            np.testing.assert_array_equal(found[name], labels[0])

    def test_pickles_of_another_numpy(self, kits, tmp_path):
        data = pickle.dumps([np.zeros((1, 2, 2, 2), np.float32)] * 2, protocol=2).replace(b"numpy._core", b"numpy.core")
        for named in (data, data.replace(b"numpy.core", b"numpy._core")):
            (tmp_path / "case_00000.pkl").write_bytes(named)
            assert kits.from_pickle(tmp_path / "case_00000.pkl").image.shape == (2, 2, 2)

    def test_pickles_that_call_functions_are_refused(self, kits, tmp_path):
        class Evil:
            def __reduce__(self):
                return Path.touch, (tmp_path / "was-here",)

        path = tmp_path / "case_00000.pkl"
        path.write_bytes(pickle.dumps([Evil(), 1]))
        with pytest.raises(ValueError, match=r"is no prepared case: it wants .*, which no array needs"):
            kits.from_pickle(path)
        assert not (tmp_path / "was-here").exists()

    @pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps([1, 2]), pickle.dumps(3), pickle.dumps({})])
    def test_pickles_of_something_else(self, kits, tmp_path, content):
        (tmp_path / "case_00000.pkl").write_bytes(content)
        with pytest.raises(ValueError, match=r"case_00000\.pkl is no prepared case"):
            kits.from_pickle(tmp_path / "case_00000.pkl")

    def test_scans_that_will_not_do(self, kits, tmp_path):
        write_case(tmp_path, "case_00000", shape=(4, 5, 6), label_shape=(4, 5, 7))
        with pytest.raises(ValueError, match=r"imaging.nii.gz is \(4, 5, 6\), segmentation.nii.gz \(4, 5, 7\)"):
            kits.resampled(tmp_path / "case_00000")
        path = tmp_path / "case_00000" / "imaging.nii.gz"
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(ValueError, match=r"imaging\.nii\.gz cannot be read"):
            kits.resampled(tmp_path / "case_00000")

    def test_too_few_cases_leave_nothing(self, prepare, tmp_path):
        write_case(tmp_path / "data", "case_00003", shape=(4, 4, 4))
        with pytest.raises(ValueError, match="holds 1 cases, 43 are expected"):
            prepare(raw=tmp_path / "data", expect=43)
        assert not (tmp_path / "out").exists()

    def test_through_the_command(self, tmp_path):
        script = ROOT / "script" / "get-preprocessed-dataset-kits19" / "preprocess.py"
        command = [sys.executable, str(script), "--pickles", str(tmp_path), "--out", str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.strip() == f"cannot preprocess: {tmp_path} holds 0 cases, at least 1 are expected"


class TestOriginal:
    @pytest.fixture
    def original(self, script_file):
        return script_file("get-dataset-kits19")

    def fill(self, original, folder, without=()):
        for name in original.missing_files(folder):
            if name not in without:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(b"x")
        return folder

    def test_42_cases(self, original):
        assert len(original.CASES) == len(set(original.CASES)) == 42

    def test_a_given_folder_or_its_repository(self, ours, original, tmp_path):
        self.fill(original, tmp_path / "kits19" / "data")
        for path in (tmp_path / "kits19", tmp_path / "kits19" / "data"):
            env = ours.run(f"{KITS},original", options={"kits19_path": str(path)}).outcome.new_env
            assert (env["CM_DATASET_PATH"], env["CM_DATASET_SIZE"]) == (str(tmp_path / "kits19" / "data"), "42")

    def test_missing_files_are_counted(self, ours, original, tmp_path):
        self.fill(original, tmp_path, without=("case_00003/imaging.nii.gz", "case_00207/segmentation.nii.gz"))
        with pytest.raises(CMBenchError, match=r"lacks 2 of 84 files .* the first is case_00003/imaging.nii.gz"):
            ours.run(f"{KITS},original", options={"kits19_path": str(tmp_path)})
        with pytest.raises(CMBenchError, match="no KiTS19 at /no/such/place"):
            ours.run(f"{KITS},original", options={"kits19_path": "/no/such/place"})

    def test_files_are_fetched_one_by_one(self, original, tmp_path, monkeypatch):
        monkeypatch.setattr(original, "CASES", (3, 185))
        with FileServer(content=b"scan", etag="") as server:
            original.fetch(tmp_path, f"{server.url}/master_", f"{server.url}/data")
            asked = [request["path"] for request in server.requests]
            original.fetch(tmp_path, f"{server.url}/master_", f"{server.url}/data")
            assert len(server.requests) == len(asked)
        assert asked[:2] == ["/master_00003.nii.gz", "/data/case_00003/segmentation.nii.gz"]
        assert original.missing_files(tmp_path) == []

    def test_a_wrong_folder_of_pickles(self, ours):
        options = {"kits19_preprocessed_path": "/no/such/place"}
        with pytest.raises(CMBenchError, match="no prepared KiTS19 at /no/such/place"):
            ours.run(f"{KITS},preprocessed,_full", options=options)

    def test_pickles_need_no_raw_scans(self, ours, tmp_path, capfd):
        (tmp_path / "case_00000.pkl").write_bytes(pickle.dumps([np.zeros((1, 2, 2, 2), np.float32)] * 2))
        options = {"kits19_preprocessed_path": str(tmp_path)}
        with pytest.raises(CMBenchError, match="get-preprocessed-dataset-kits19"):
            ours.run(f"{KITS},preprocessed,_full", options=options)
        assert "holds 1 cases, 43 are expected" in "".join(capfd.readouterr())


class TestHead:
    @pytest.fixture
    def head(self, script_file, tmp_path):
        """A bright ball with a dark rim on a smaller grid than the real one's."""
        grid = np.indices((60, 72, 60)).astype(np.float32)
        distance = np.sqrt(sum((axis - size / 2) ** 2 for axis, size in zip(grid, (60, 72, 60), strict=True)))
        nibabel.save(nifti(np.where(distance < 25, 200, 20).astype(np.float32)), tmp_path / "ch2.nii.gz")
        nibabel.save(nifti(np.where(distance < 22, 150, 0).astype(np.float32)), tmp_path / "ch2bet.nii.gz")
        return script_file("get-preprocessed-dataset-colin27", "preprocess.py")

    def test_twelve_volumes_with_their_masks(self, head, tmp_path):
        head.convert(tmp_path, tmp_path / "out")
        info = json.loads((tmp_path / "out" / "dataset.json").read_text())
        names = [case["name"] for case in info["cases"]]
        assert (len(names), len(set(names)), info["count"], info["classes"]) == (12, 12, 12, ["brain"])
        assert {"plain", "mirrored", "turned-xy", "tilted-xz-15", "darker"} <= set(names)
        for name in names:
            volume, label = (np.load(tmp_path / "out" / kind / f"{name}.npy") for kind in ("volumes", "labels"))
            assert (volume.shape, volume.dtype, label.shape) == ((1, 128, 128, 128), np.float32, (128,) * 3)
            assert float(volume.max()) == 1.0
            assert set(np.unique(label)) == {0, 1}
            # the mask lies in the bright ball, however it was turned
            assert float(volume[0][label == 1].mean()) > 0.95

    def test_as_many_volumes_as_a_submission_needs(self, head, tmp_path):
        names = [name for name, _ in head.changes()]
        assert len(names) == len(set(names)) >= 43
        assert names[12:14] == ["tilted-xy-3", "tilted-xy+3"]
        head.convert(tmp_path, tmp_path / "out", 14)
        assert len(list((tmp_path / "out" / "volumes").iterdir())) == 14
        with pytest.raises(ValueError, match="0 volumes were asked for; one scan gives 1 to"):
            head.convert(tmp_path, tmp_path / "none", 0)

    def test_volumes_that_do_not_belong_together(self, head, tmp_path):
        nibabel.save(nifti(np.zeros((3, 3, 3), np.float32)), tmp_path / "ch2bet.nii.gz")
        with pytest.raises(ValueError, match=r"ch2\.nii\.gz is \(60, 72, 60\), ch2bet\.nii\.gz \(3, 3, 3\)"):
            head.convert(tmp_path, tmp_path / "out")
        (tmp_path / "ch2.nii.gz").write_bytes(b"no volume")
        with pytest.raises(ValueError, match=r"ch2\.nii\.gz cannot be read"):
            head.convert(tmp_path, tmp_path / "out")
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("model", ["3d-unet-99", "3d-unet-99.9", "unet3d-deepbrain"])
def test_every_model_has_an_embedded_default(ours, model):
    plan = ours.plan(f"get,mlperf,inference,task,_{model}")
    chosen = {step.script.alias for step in plan.steps()}
    assert {"get-ml-model-deepbrain", "get-preprocessed-dataset-colin27"} <= chosen
    assert "get-ml-model-3d-unet-kits19" not in chosen


@pytest.mark.parametrize("form", ["weights", "torchscript", "onnx"])
def test_official_weights_only(ours, tmp_path, form):
    (tmp_path / "mine").write_bytes(b"other weights")
    with pytest.raises(CMBenchError, match="checksum mismatch"):
        ours.run(f"get,ml-model,3d-unet,kits19,_{form}", options={"model_path": str(tmp_path / "mine")})
