"""IGBH and R-GAT as steps."""

import json
from pathlib import Path

import pytest

from cm4bench.errors import CMBenchError


def test_the_official_graph_is_found_and_must_be_complete(ours, script_file, tmp_path):
    files = script_file("get-dataset-igbh").FILES
    assert len(files) == 14
    with pytest.raises(CMBenchError, match="was not given") as caught:
        ours.run("get,dataset,igbh,original,_full")
    assert "--igbh_path=" in caught.value.hint
    for name in files:
        path = tmp_path / "igbh" / "full" / "processed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    options = {"igbh_path": str(tmp_path / "igbh")}
    env = ours.run("get,dataset,igbh,original,_full", options=options).outcome.new_env
    assert (env["CM_DATASET_TIER"], env["CM_DATASET_IGBH_SIZE"]) == ("full", "full")
    assert env["CM_DATASET_IGBH_PATH"] == str(tmp_path / "igbh" / "full" / "processed")
    (tmp_path / "other" / "processed" / "paper").mkdir(parents=True)
    (tmp_path / "other" / "processed" / "paper" / "node_feat.npy").write_bytes(b"")
    with pytest.raises(CMBenchError, match=r"13 of 14 files are missing in .*: author/node_feat\.npy"):
        ours.run("get,dataset,igbh,original,_full", options={"igbh_path": str(tmp_path / "other")})
    with pytest.raises(CMBenchError, match="no such folder"):
        ours.run("get,dataset,igbh,original,_full", options={"igbh_path": str(tmp_path / "none")})


def test_random_graph_and_weights_from_nothing(ours):
    pytest.importorskip("torch")
    report = ours.run("get,mlperf,inference,task,_rgat")
    env = report.outcome.new_env
    assert (env["CM_MLPERF_DATA_TIER"], env["CM_MLPERF_BENCHMARK"]) == ("synthetic", "rgat")
    assert env["CM_MLPERF_LOADGEN_MAX_BATCHSIZE"] == "64"
    parts = json.loads(Path(env["CM_ML_MODEL_FILE_WITH_PATH"]).read_text())
    assert parts["graph"] == env["CM_MLPERF_TASK_DATA"]
    info = json.loads((Path(parts["graph"]) / "dataset.json").read_text())
    assert (info["tier"], info["count"], info["classes"], len(info["relations"])) == ("synthetic", 1024, 2983, 11)


def test_the_official_checkpoint_must_be_given(script_file, tmp_path, monkeypatch):
    module = script_file("get-ml-model-rgat")
    monkeypatch.chdir(tmp_path)
    env = {"CM_ML_MODEL_DATA_TIER": "full", "CM_DATASET_PREPROCESSED_PATH": "/graph", "CM_ML_MODEL_SEED": "0"}
    with pytest.raises(CMBenchError, match="was not given"):
        module.preprocess({"env": env})
    with pytest.raises(CMBenchError, match="no such file"):
        module.preprocess({"env": env | {"CM_ML_MODEL_PATH": str(tmp_path / "none.pt")}})
    (tmp_path / "RGAT.pt").write_bytes(b"")
    module.preprocess({"env": env | {"CM_ML_MODEL_PATH": str(tmp_path / "RGAT.pt")}})
    parts = json.loads((tmp_path / "rgat.json").read_text())
    assert parts == {"graph": "/graph", "seed": 0, "checkpoint": str(tmp_path / "RGAT.pt")}
