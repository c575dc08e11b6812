"""Captions and checkpoint of the text-to-image benchmark as steps."""

import json
from pathlib import Path

import pytest

from cm4bench.errors import CMBenchError


def test_captions_are_found_and_counted(ours, tmp_path):
    with pytest.raises(CMBenchError, match="were not given") as caught:
        ours.run("get,dataset,coco2014,original")
    assert "--coco2014_path=" in caught.value.hint
    table = tmp_path / "coco2014" / "captions" / "captions_source.tsv"
    table.parent.mkdir(parents=True)
    table.write_text("id\tcaption\n" + "".join(f"{k}\tcaption {k}\n" for k in range(4999)))
    with pytest.raises(CMBenchError, match="has 4999 captions, 5000 are needed"):
        ours.run("get,dataset,coco2014,original", options={"coco2014_path": str(tmp_path / "coco2014")})
    with table.open("a") as file:
        file.write("4999\tthe last\n")
    (tmp_path / "coco2014" / "latents").mkdir()
    (tmp_path / "coco2014" / "latents" / "latents.pt").write_bytes(b"")
    env = ours.run("get,dataset,coco2014,original", options={"coco2014_path": str(table)}).outcome.new_env
    assert env["CM_DATASET_CAPTIONS_FILE_PATH"] == str(table)
    assert env["CM_DATASET_LATENTS_FILE_PATH"] == str(tmp_path / "coco2014" / "latents" / "latents.pt")


def test_a_table_without_captions_is_refused(ours, tmp_path):
    (tmp_path / "captions.tsv").write_text("id\ttext\n1\thello\n")
    with pytest.raises(CMBenchError, match="column caption"):
        ours.run("get,dataset,coco2014,original", options={"coco2014_path": str(tmp_path)})
    with pytest.raises(CMBenchError, match="no captions at"):
        ours.run("get,dataset,coco2014,original", options={"coco2014_path": str(tmp_path / "none")})


def test_the_checkpoint_must_be_given(ours, tmp_path):
    with pytest.raises(CMBenchError, match="was not given"):
        ours.run("get,ml-model,stable-diffusion,_full")
    with pytest.raises(CMBenchError, match="no model_index"):
        ours.run("get,ml-model,stable-diffusion,_full", options={"model_path": str(tmp_path)})
    (tmp_path / "checkpoint_pipe").mkdir()
    (tmp_path / "checkpoint_pipe" / "model_index.json").write_text("{}")
    env = ours.run("get,ml-model,stable-diffusion,_full", options={"model_path": str(tmp_path)}).outcome.new_env
    assert env["CM_ML_MODEL_FILE_WITH_PATH"] == str(tmp_path)


def test_random_tokens_from_nothing(ours):
    pytest.importorskip("numpy")
    env = ours.run("get,dataset,coco2014,preprocessed,_size.3").outcome.new_env
    info = json.loads((Path(env["CM_DATASET_PREPROCESSED_PATH"]) / "dataset.json").read_text())
    assert (info["tier"], info["count"]) == ("synthetic", 3)
