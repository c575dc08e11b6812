"""What the words of a request choose: data set, tier and code; and folders that would not be read are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.script.conftest import load_file
from tests.workbench import ROOT, Bench

from cm4bench import Repo
from cm4bench.errors import CMBenchError

TAGS = "get,mlperf,training,task,recommendation"


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench(tmp_path / "CM", Repo("cm4bench", ROOT, "c4be0c1d2f7a4e63", "", True))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("_ncf", ["ncf", "movielens", "embedded"]),
        ("_dlrm", ["dlrm", "movielens", "embedded"]),
        ("_dlrm,_movielens", ["dlrm", "movielens", "embedded"]),
        ("_ncf,_movielens,_full", ["ncf", "movielens", "full"]),
        ("_dlrm,_full", ["dlrm", "criteo", "full"]),
        ("_dlrm,_criteo", ["dlrm", "criteo", "full"]),
    ],
)
def test_words_choose_data_and_tier(ours: Bench, words: str, expected: list[str]) -> None:
    env = ours.plan(f"{TAGS},{words}").root.outcome.new_env
    keys = ("CM_MODEL", "CM_MLPERF_TRAINING_DATASET", "CM_MLPERF_DATA_TIER")
    assert [str(env[key]) for key in keys] == expected


@pytest.mark.parametrize("words", ["_ncf,_criteo", "_dlrm,_movielens,_full"])
def test_what_does_not_exist_is_refused(ours: Bench, words: str) -> None:
    with pytest.raises(CMBenchError, match="do not work together"):
        ours.plan(f"{TAGS},{words}")


SCRIPTS: dict[str, tuple[str, str, str]] = {
    "ncf": ("recommendation", "CM_DATASET_MOVIELENS_GIVEN_PATH", "movielens_path"),
    "dlrm": ("recommendation", "CM_DATASET_CRITEO_TRAINING_PATH", "criteo_path"),
    "minigo": ("reinforcement", "CM_MLPERF_TRAINING_GO_PATH", "minigo_path"),
    "rnnt": ("speech", "CM_DATASET_LIBRISPEECH_GIVEN_PATH", "librispeech_path"),
}


@pytest.mark.parametrize("model", SCRIPTS)
def test_folders_belong_to_full(model: str) -> None:
    family, key, flag = SCRIPTS[model]
    script = load_file(ROOT / "script" / f"get-mlperf-training-task-{family}" / "customize.py")

    def answer(tier: str, **env: str) -> dict[str, Any]:
        found: dict[str, Any] = script.preprocess({"env": {"CM_MODEL": model, "CM_MLPERF_DATA_TIER": tier, **env}})
        return found

    assert answer("embedded") == {"return": 0} == answer("full", **{key: "/data"})
    unread, missing = answer("embedded", **{key: "/data"}), answer("full")
    assert unread["return"] == missing["return"] == 1
    assert f"--{flag}" in unread["error"] and f"--{flag}" in unread["hint"]
    assert f"--{flag}=FOLDER" in missing["hint"]


def test_the_other_models_folder_is_not_read() -> None:
    script = load_file(ROOT / "script" / "get-mlperf-training-task-recommendation" / "customize.py")
    env = {"CM_MODEL": "ncf", "CM_MLPERF_DATA_TIER": "full", "CM_DATASET_CRITEO_TRAINING_PATH": "/data"}
    assert "--criteo_path is not read" in script.preprocess({"env": env})["error"]
