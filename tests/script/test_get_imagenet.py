"""get-dataset-imagenet-val and -aux: which images, how many, and a label for each."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.file_server import FileServer

from cm4bench.errors import CMBenchError

TAGS = "get,dataset,imagenet,val,original"


@pytest.fixture(scope="module")
def imagenet(script_file):
    return script_file("get-dataset-imagenet-val")


def names(count, start=1):
    return [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(start, start + count)]


def fill(folder, files):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"jpeg")
    return folder


def env_of(path="", expected=3, **more):
    return {"CM_DATASET_TIER": "full", "CM_DATASET_EXPECTED_SIZE": str(expected), "IMAGENET_PATH": str(path), **more}


def run(imagenet, env):
    imagenet.preprocess({"env": env})
    return imagenet.postprocess({"env": env})


def test_full_set_with_labels_beside_it(imagenet, tmp_path, monkeypatch):
    fill(tmp_path / "val", names(3))
    (tmp_path / "val_map.txt").write_text("".join(f"{name} {n}\n" for n, name in enumerate(names(3))))
    monkeypatch.chdir(tmp_path)
    env = env_of(tmp_path / "val")
    assert run(imagenet, env) == {"return": 0}
    assert (env["CM_DATASET_PATH"], env["CM_DATASET_SIZE"]) == (str(tmp_path / "val"), "3")
    assert env["CM_DATASET_IMAGENET_REQUIRE_LABELS"] == "no"
    assert Path(env["CM_DATASET_LABELS_PATH"]).read_text().splitlines()[2] == f"{names(3)[2]} 2"


def test_folders_per_class_and_labels_from_caffe(imagenet, tmp_path, monkeypatch):
    """torchvision's layout below `val`; labels by file name from caffe's val.txt."""
    fill(tmp_path / "set" / "val" / "n01440764", names(2))
    fill(tmp_path / "set" / "val" / "n01443537", names(1, start=3))
    (tmp_path / "aux").mkdir()
    (tmp_path / "aux" / "val.txt").write_text("".join(f"{name} {n}\n" for n, name in enumerate(names(3), start=7)))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    env = env_of(tmp_path / "set", CM_DATASET_AUX_PATH=str(tmp_path / "aux"))
    assert run(imagenet, env) == {"return": 0}
    assert env["CM_DATASET_IMAGENET_REQUIRE_LABELS"] == "yes"
    assert Path("val_map.txt").read_text().splitlines()[2] == f"n01443537/{names(3)[2]} 9"


def test_too_few_images_are_counted(ours, tmp_path):
    fill(tmp_path / "val", [*names(3), "readme.txt"])
    with pytest.raises(CMBenchError, match="holds 3 images, 50000 are needed") as caught:
        ours.run(f"{TAGS},_full", options={"imagenet_path": str(tmp_path / "val")})
    assert "--imagenet_path" in caught.value.hint
    assert ours.entries() == []


def test_wrong_path(ours):
    with pytest.raises(CMBenchError, match="no ImageNet images at /no/such/place"):
        ours.run(f"{TAGS},_full", options={"imagenet_path": "/no/such/place"})


def test_no_path(ours):
    with pytest.raises(CMBenchError, match="was not given") as caught:
        ours.run(f"{TAGS},_full")
    for way in ("--imagenet_path", "--imagenet_url", "_embedded"):
        assert way in caught.value.hint


def test_archive_of_the_user_is_unpacked_and_counted(ours, tmp_path):
    with tarfile.open(tmp_path / "val.tar", "w") as archive:
        for name in names(4):
            info = tarfile.TarInfo(name)
            archive.addfile(info, io.BytesIO(b""))
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{name} 1\n" for name in names(4)))
    options = {"imagenet_path": str(tmp_path / "val.tar"), "imagenet_labels": str(labels)}
    with pytest.raises(CMBenchError, match="holds 4 images, 50000 are needed"):
        ours.run(f"{TAGS},_full", options=options)
    assert (tmp_path / "val.tar").is_file()


def test_archive_from_an_address_must_be_the_official_one(ours, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text(f"{names(1)[0]} 1\n")
    with FileServer(b"some other tar") as server:
        options = {"imagenet_url": f"{server.url}/x.tar", "imagenet_labels": str(labels)}
        with pytest.raises(CMBenchError, match="checksum mismatch") as caught:
            ours.run(f"{TAGS},_full", options=options)
    assert "29b22e2961454d5413ddabcf34fc5622" in caught.value.cause
    assert ours.entries() == []


def test_image_without_a_label(imagenet, tmp_path, monkeypatch):
    fill(tmp_path / "val", names(3))
    (tmp_path / "val_map.txt").write_text(f"{names(1)[0]} 1\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CMBenchError, match="2 of 3 images have no label") as caught:
        run(imagenet, env_of(tmp_path / "val"))
    assert names(3)[1] in caught.value.cause


def test_label_file_that_is_not_there(imagenet, tmp_path, monkeypatch):
    fill(tmp_path / "val", names(3))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CMBenchError, match="no such label file"):
        run(imagenet, env_of(tmp_path / "val", CM_DATASET_IMAGENET_LABELS=str(tmp_path / "nothing")))


@pytest.mark.parametrize("line", ["a.JPEG", "a.JPEG 1000", "a.JPEG -1", "a.JPEG 1 2", "a.JPEG x"])
def test_bad_label_lines_are_named(imagenet, line):
    with pytest.raises(CMBenchError, match=r"val\.txt:2"):
        imagenet.parse_labels(f"ok.JPEG 0\n{line}\n", "val.txt")


NAMES = st.text(alphabet=st.characters(categories=["L", "N"], include_characters="_-./"), min_size=1)


@given(labels=st.dictionaries(NAMES, st.integers(0, 999)))
def test_labels_survive_their_file(imagenet, labels):
    text = "".join(f"{name} {label}\n" for name, label in labels.items())
    assert imagenet.parse_labels(text, "x") == labels


@pytest.mark.parametrize(("name", "label"), [("imagenet_04_281.jpg", 281), ("a_1000.jpg", None), ("plain.jpg", None)])
def test_label_in_a_name(imagenet, name, label):
    assert imagenet.label_in_name(name) == label


def test_synthetic_images(ours):
    from PIL import Image

    env = ours.run(f"{TAGS},_size.5").outcome.new_env
    assert (env["CM_DATASET_TIER"], env["CM_DATASET_SIZE"]) == ("synthetic", "5")
    files = sorted(Path(env["CM_DATASET_PATH"]).iterdir())
    lines = Path(env["CM_DATASET_LABELS_PATH"]).read_text().splitlines()
    assert [line.split()[0] for line in lines] == [file.name for file in files]
    assert all(0 <= int(line.split()[1]) < 1000 for line in lines)
    with Image.open(files[0]) as image:
        assert (image.size, image.mode) == ((256, 256), "RGB")


def test_synthetic_images_follow_their_seed(script_file, tmp_path):
    synthesize = script_file("get-dataset-imagenet-val", "synthesize.py").synthesize
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        synthesize(tmp_path / name, 3, seed)
    digests = {
        name: [hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((tmp_path / name).iterdir())]
        for name in "abc"
    }
    assert digests["a"] == digests["b"] != digests["c"]


def test_contradictory_tiers(ours):
    with pytest.raises(CMBenchError):
        ours.run(f"{TAGS},_full,_size.5")


def test_packaged_images(packaged, ours):
    env = ours.run(TAGS).outcome.new_env
    assert (env["CM_DATASET_TIER"], env["CM_DATASET_SIZE"]) == ("embedded", "20")
    assert len(list(Path(env["CM_DATASET_PATH"]).iterdir())) == 20
    lines = [line.split() for line in Path(env["CM_DATASET_LABELS_PATH"]).read_text().splitlines()]
    assert all(Path(name).stem.endswith(f"_{label}") for name, label in lines)
