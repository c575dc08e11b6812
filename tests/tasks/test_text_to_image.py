"""SDXL in small, checkpoints in diffusers' format, captions and latents."""

import json
import shutil

import numpy as np
import pytest
from tests.script.conftest import load_file
from tests.workbench import ROOT
from text_to_image.task import TextToImage

from harness.config import ModelConfig
from harness.errors import HarnessError

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def prepare():
    return load_file(ROOT / "script" / "get-preprocessed-dataset-coco2014" / "prepare.py")


@pytest.fixture(scope="module")
def prepared(prepare, tmp_path_factory):
    out = tmp_path_factory.mktemp("captions") / "prepared"
    prepare.synthetic(5, 0, out)
    return out


def task_of(configure, folder, **changes):
    return TextToImage(configure(task="text_to_image.task:TextToImage", dataset=str(folder), **changes))


def build(weights=None):
    from text_to_image.models import build_sdxl

    torch.manual_seed(0)
    architecture = "text_to_image.models:build_sdxl"
    return build_sdxl(ModelConfig(name="sdxl", architecture=architecture, weights=weights and str(weights))).eval()


class TestTask:
    def test_columns_and_samples(self, configure, prepared):
        task = task_of(configure, prepared)
        tokens, tokens_2, latents = task.load([3, 1])
        stored = np.load(prepared / "tokens.npy")
        assert np.array_equal(tokens, stored[0, [3, 1]])
        assert np.array_equal(tokens_2, stored[1, [3, 1]])
        assert (latents.shape, latents.dtype) == ((2, 4, 16, 16), np.float32)
        assert np.array_equal(latents[0], latents[1])
        assert [column.shape for column in task.columns] == [(77,), (77,), (4, 16, 16)]
        assert (task.count, task.response_width) == (5, 128 * 128 * 3)
        assert task.sample_bytes == sum(part[0].nbytes for part in (tokens, tokens_2, latents))

    def test_responses_are_the_bytes_of_pictures(self, configure, prepared):
        task = task_of(configure, prepared)
        pictures = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
        rows = task.encode((pictures,), [0, 1])
        assert rows.dtype == np.uint8
        assert rows[1].tobytes() == pictures[1].tobytes()
        with pytest.raises(HarnessError, match="1 outputs for a batch of 2"):
            task.encode((pictures[:1],), [0, 1])
        with pytest.raises(HarnessError, match=r"pictures of \(64, 64, 3\)"):
            task.encode((pictures[:, :64, :64],), [0, 1])

    @pytest.mark.parametrize(
        ("file", "content", "said"),
        [
            ("tokens.npy", np.zeros((2, 4, 77), np.int64), "has shape (2, 4, 77), not (2, 5, 77)"),
            ("tokens.npy", np.zeros((2, 5, 77), np.int32), "holds int32, expected int64"),
            ("latents.npy", np.zeros((3, 16, 16), np.float32), "not (4, h, w)"),
        ],
    )
    def test_what_does_not_fit_is_an_error(self, configure, prepared, tmp_path, file, content, said):
        folder = shutil.copytree(prepared, tmp_path / "broken")
        np.save(folder / file, content)
        with pytest.raises(HarnessError) as caught:
            task_of(configure, folder)
        assert caught.value.kind == "dataset"
        assert said in caught.value.cause
        (folder / file).write_bytes((folder / file).read_bytes()[:50])
        with pytest.raises(HarnessError, match="usable"):
            task_of(configure, folder)

    def test_missing_and_empty_sets_are_errors(self, configure, prepared, tmp_path):
        with pytest.raises(HarnessError, match="cannot read"):
            task_of(configure, tmp_path)
        folder = shutil.copytree(prepared, tmp_path / "empty")
        (folder / "dataset.json").write_text('{"schema": 1, "name": "x", "tier": "synthetic", "count": 0}')
        with pytest.raises(HarnessError, match="says count 0"):
            task_of(configure, folder)

    def test_quality_is_refused_and_the_way_to_it_is_told(self, configure, prepared, tmp_path):
        with pytest.raises(HarnessError, match="CLIP score and FID are not computed") as caught:
            task_of(configure, prepared).quality(tmp_path)
        assert caught.value.kind == "accuracy"
        assert "accuracy_coco.py" in caught.value.hint
        assert str(tmp_path) in caught.value.hint


class TestPreparation:
    def test_official_files(self, configure, prepare, tokenizer, tmp_path):
        captions = tmp_path / "captions.tsv"
        captions.write_text('id\timage_id\tcaption\n7\t1\tA city "at night".\n9\t2\tcats\n')
        for name in ("tokenizer", "tokenizer_2"):
            shutil.copytree(tokenizer, tmp_path / "checkpoint_pipe" / name)
        prepare.official(captions, tmp_path, None, tmp_path / "out")
        task = task_of(configure, tmp_path / "out", tier="full", model=ModelConfig(name="m", architecture="none"))
        tokens, tokens_2, latents = task.load([0, 1])
        assert (task.count, task.picture, latents.shape[1:]) == (2, (1024, 1024, 3), (4, 128, 128))
        vocabulary = json.loads((tokenizer / "vocab.json").read_text())
        assert tokens[1, 0] == vocabulary["<|startoftext|>"]
        assert tokens[1, 1:5].tolist() == [vocabulary[c] for c in ("c", "a", "t", "s</w>")]
        assert tokens[1, 5] == vocabulary["<|endoftext|>"]
        assert np.array_equal(tokens, tokens_2)
        assert json.loads((tmp_path / "out" / "captions.json").read_text())[1] == "cats"

    def test_latents_from_the_file_or_the_seed(self, prepare, tmp_path):
        drawn = prepare.read_latents(None)
        assert drawn.shape == (4, 128, 128)
        np.testing.assert_allclose(drawn[0, 0, :3], torch.randn(3, generator=torch.Generator().manual_seed(0)), atol=9)
        torch.save(torch.from_numpy(drawn)[None], tmp_path / "latents.pt")
        assert np.array_equal(prepare.read_latents(tmp_path / "latents.pt"), drawn)
        torch.save(torch.zeros(1, 4, 64, 64), tmp_path / "latents.pt")
        with pytest.raises(ValueError, match="was expected"):
            prepare.read_latents(tmp_path / "latents.pt")
        (tmp_path / "latents.pt").write_bytes(b"nothing")
        with pytest.raises(ValueError, match="cannot be read"):
            prepare.read_latents(tmp_path / "latents.pt")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A CLIP tokenizer that knows single letters."""
    pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("tokenizer")
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "unk_token": "<|endoftext|>"} | special
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def diffusers():
    return pytest.importorskip("diffusers")


@pytest.fixture(scope="module")
def checkpoint(diffusers, tokenizer, tmp_path_factory):
    """A checkpoint in MLPerf's layout: checkpoint_pipe, and the scheduler apart."""
    from text_to_image.sdxl import Shape, small_pipeline

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("sdxl")
    pipe = small_pipeline(Shape(channels=(32, 64, 64)))
    pipe.save_pretrained(folder / "checkpoint_pipe")
    index = json.loads((folder / "checkpoint_pipe" / "model_index.json").read_text())
    for name in ("tokenizer", "tokenizer_2"):
        shutil.copytree(tokenizer, folder / "checkpoint_pipe" / name)
        index[name] = ["transformers", "CLIPTokenizer"]
    (folder / "checkpoint_pipe" / "model_index.json").write_text(json.dumps(index))
    pipe.scheduler.save_pretrained(folder / "checkpoint_scheduler" / "scheduler")
    return folder, pipe


class TestNetwork:
    @pytest.fixture(autouse=True)
    def three_steps(self, diffusers, monkeypatch):
        from text_to_image import sdxl

        monkeypatch.setattr(sdxl, "STEPS", 3)

    def test_random_weights_give_pictures(self, diffusers, configure, prepared):
        task = task_of(configure, prepared)
        inputs = [torch.from_numpy(part) for part in task.load([0, 1])]
        net = build()
        with torch.inference_mode():
            pictures = net(*inputs)
            alone = net(*(part[1:] for part in inputs))
        assert (pictures.shape, pictures.dtype) == ((2, 128, 128, 3), torch.uint8)
        assert not torch.equal(pictures[0], pictures[1])  # another caption, another picture
        assert (pictures[1].int() - alone[0].int()).abs().max() <= 1  # whoever else is in the batch
        assert task.encode((pictures.numpy(),), [0, 1]).shape == (2, task.response_width)

    def test_the_official_layout_is_read(self, checkpoint):
        folder, pipe = checkpoint
        net = build(folder)
        assert type(net._pipe.scheduler).__name__ == "EulerDiscreteScheduler"
        for name, value in pipe.unet.state_dict().items():
            assert torch.equal(net.unet.state_dict()[name], value)
        assert net._negative[0].shape == (1, 77)
        again = build(folder / "checkpoint_pipe")
        assert torch.equal(again._negative[1], net._negative[1])

    def test_missing_and_truncated_checkpoints_have_words(self, checkpoint, tmp_path):
        with pytest.raises(HarnessError, match="no model_index") as caught:
            build(tmp_path)
        assert caught.value.kind == "weights"
        folder = shutil.copytree(checkpoint[0], tmp_path / "broken")
        weights = next((folder / "checkpoint_pipe" / "unet").glob("*.safetensors"))
        weights.write_bytes(weights.read_bytes()[:1000])
        with pytest.raises(HarnessError, match="cannot be read") as caught:
            build(folder)
        assert caught.value.kind == "weights"
