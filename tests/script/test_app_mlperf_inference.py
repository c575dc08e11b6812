"""One loadgen run as a CM step: environment to RunConfig, outcome to environment and state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.config import ModelConfig, RunConfig
from harness.errors import HarnessError
from harness.outcome import Failure, Found, Outcome

Script = Callable[..., ModuleType]


@pytest.fixture
def app(script_file: Script) -> Any:
    return script_file("app-mlperf-inference")


@pytest.fixture
def configs(script_file: Script) -> Any:
    return script_file("app-mlperf-inference", "mlperf_run_config.py")


def env(**more: Any) -> dict[str, Any]:
    return {
        "CM_MODEL": "efficientnet-lite0",
        "CM_ML_MODEL_ARCHITECTURE": "nets:build",
        "CM_ML_MODEL_FILE_WITH_PATH": "/weights.pth",
        "CM_MLPERF_TASK": "images.task:Images",
        "CM_MLPERF_TASK_PATH": "/tasks/images",
        "CM_MLPERF_TASK_DATA": "/data",
        "CM_MLPERF_BACKEND": "pytorch",
        "CM_MLPERF_BENCHMARK": "resnet50",
        "CM_MLPERF_DATA_TIER": "embedded",
        "CM_MLPERF_DEVICE": "cpu",
        "CM_MLPERF_LOADGEN_MODE": "performance",
        "CM_MLPERF_LOADGEN_SCENARIO": "Offline",
        "CM_MLPERF_MODEL_PRECISION": "fp32",
        **more,
    }


class TestRunConfig:
    def test_the_environment_becomes_the_run(self, configs: Any) -> None:
        given = env(
            CM_MLPERF_LOADGEN_MAX_BATCHSIZE="4",
            CM_NUM_THREADS="2",
            CM_MLPERF_COMPILE="yes",
            CM_MLPERF_QUALITY_TARGET="90",
        )
        config = configs.build(given, Path("/out"), Path("/user.conf"))
        assert config.model == ModelConfig(name="efficientnet-lite0", architecture="nets:build", weights="/weights.pth")
        assert (config.task, config.task_path, config.dataset) == ("images.task:Images", ("/tasks/images",), "/data")
        assert (config.batch_size, config.threads, config.compile, config.quality_target) == (4, 2, True, 90.0)
        assert (config.output_dir, config.user_conf) == ("/out", "/user.conf")
        assert (config.implementation, config.program, config.sut_servers) == ("python", "", ())

    def test_the_implementation_asked_for_is_the_one_that_runs(self, configs: Any) -> None:
        given = env(CM_MLPERF_IMPLEMENTATION="cpp", CM_MLPERF_CPP_PROGRAM="/cache/program")
        config = configs.build(given, Path("/out"), None)
        assert (config.implementation, config.program) == ("cpp", "/cache/program")

    @pytest.mark.parametrize("written", ["a:1, b:2", "['a:1', 'b:2']"])
    def test_sut_servers_make_it_a_network_run(self, configs: Any, written: str) -> None:
        config = configs.build(env(CM_NETWORK_LOADGEN_SUT_SERVERS=written), Path("/out"), None)
        assert (config.backend, config.sut_servers, config.workers) == ("network", ("a:1", "b:2"), 16)

    @pytest.mark.parametrize(
        ("tier", "network", "name"),
        [("embedded", "minilm", "bert-99 (minilm)"), ("full", "bert-large", "bert-99"), ("embedded", "", "bert-99")],
    )
    def test_a_stand_in_is_named(self, configs: Any, tier: str, network: str, name: str) -> None:
        given = env(CM_MODEL="bert-99", CM_ML_MODEL=network, CM_MLPERF_DATA_TIER=tier)
        assert configs.build(given, Path("/out"), None).model.name == name

    @pytest.mark.parametrize(("scenario", "size"), [("SingleStream", 1), ("MultiStream", 8), ("Offline", 64)])
    def test_a_stream_never_gets_a_batch_larger_than_its_queries(self, configs: Any, scenario: str, size: int) -> None:
        given = env(CM_MLPERF_LOADGEN_SCENARIO=scenario, CM_MLPERF_LOADGEN_MAX_BATCHSIZE="64")
        assert configs.build(given, Path("/out"), None).batch_size == size

    def test_an_engine_of_the_task_is_not_swapped_for_another_backend(self, configs: Any) -> None:
        given = env(CM_MLPERF_ENGINE="speech.engine:Whisper")
        assert configs.build(given, Path("/out"), None).backend == "speech.engine:Whisper"
        with pytest.raises(ValueError, match="brings its own engine"):
            configs.build(given | {"CM_MLPERF_BACKEND": "onnxruntime"}, Path("/out"), None)

    def test_a_gpu_gets_larger_batches(self, configs: Any) -> None:
        sizes = [
            configs.build(env(CM_MLPERF_DEVICE=d), Path("/out"), None).batch_size for d in ("cpu", "cuda", "cuda:1")
        ]
        assert sizes[0] < sizes[1] == sizes[2]

    @pytest.mark.parametrize(
        ("asked", "there", "used"), [("auto", "cuda", "cuda"), ("", "cpu", "cpu"), ("cpu", "cuda", "cpu")]
    )
    def test_auto_takes_what_is_there(self, configs: Any, asked: str, there: str, used: str) -> None:
        assert configs.chosen_device({"CM_MLPERF_DEVICE": asked}, there) == used

    def test_asking_for_a_gpu_is_never_answered_with_the_cpu(self, configs: Any) -> None:
        assert configs.chosen_device({"CM_MLPERF_DEVICE": "cuda"}, "cpu") == "cuda"

    def test_random_weights_are_for_the_synthetic_tier_only(self, configs: Any) -> None:
        bare = env(CM_ML_MODEL_FILE_WITH_PATH="")
        assert configs.build(bare | {"CM_MLPERF_DATA_TIER": "synthetic"}, Path("/out"), None).uses_random_weights
        with pytest.raises(HarnessError, match="random weights"):
            configs.build(bare, Path("/out"), None)

    def test_only_a_search_is_told_the_server_limit(self, configs: Any) -> None:
        limit = env(CM_MLPERF_LOADGEN_SCENARIO="Server", CM_MLPERF_LOADGEN_SERVER_TARGET_LATENCY="50")
        assert configs.build(limit, Path("/out"), None).target_latency_ns is None
        limit["CM_MLPERF_LOADGEN_MODE"] = "find-performance"
        assert configs.build(limit, Path("/out"), None).target_latency_ns == 50_000_000

    @pytest.mark.parametrize("value", ["many", "1.5"])
    def test_what_is_no_whole_number_is_refused(self, configs: Any, value: str) -> None:
        with pytest.raises(ValueError, match="CM_NUM_THREADS"):
            configs.build(env(CM_NUM_THREADS=value), Path("/out"), None)


def left_by_harness(folder: Path, **changes: Any) -> dict[str, Any]:
    """Input of postprocess after the harness wrote an outcome."""
    scenario = changes.pop("scenario", "Offline")
    config = RunConfig(
        model=ModelConfig(name="m", architecture="none"),
        dataset="",
        scenario=scenario,
        output_dir=str(folder),
        tier="synthetic",
    )
    Outcome(**{"status": "ok", "tier": "synthetic", "config": config, **changes}).write()
    return {"env": env(CM_MLPERF_OUTCOME=str(folder / "outcome.json"), CM_TORCH_VERSION="2.13.0"), "state": {}}


class TestHooks:
    def test_files_are_laid_out_by_scenario_and_mode(self, app: Any, tmp_path: Path) -> None:
        i = {"env": env(CM_MLPERF_RUN_DIR=str(tmp_path))}
        assert app.preprocess(i) == {"return": 0}
        folder = tmp_path / "offline" / "performance"
        config = RunConfig.read(Path(i["env"]["CM_MLPERF_RUN_CONFIG"]))
        assert Path(i["env"]["CM_MLPERF_RUN_CONFIG"]) == folder / "run_config.json"
        assert config.output_dir == str(folder / "run_1")
        # The harness clears its folder of old files, so user.conf must lie outside of it.
        assert config.user_conf == str(folder / "user.conf")

    def test_a_search_has_no_user_conf(self, app: Any, tmp_path: Path) -> None:
        i = {"env": env(CM_MLPERF_RUN_DIR=str(tmp_path), CM_MLPERF_LOADGEN_MODE="find-performance")}
        app.preprocess(i)
        assert RunConfig.read(Path(i["env"]["CM_MLPERF_RUN_CONFIG"])).user_conf is None

    def test_an_impossible_configuration_is_an_error_with_its_cause(self, app: Any, tmp_path: Path) -> None:
        result = app.preprocess({"env": env(CM_MLPERF_RUN_DIR=str(tmp_path), CM_MLPERF_MODEL_PRECISION="int3")})
        assert result["return"] == 1
        assert "int3" in result["error"]

    def test_a_good_outcome_is_added_to_the_state(self, app: Any, tmp_path: Path) -> None:
        i = left_by_harness(tmp_path)
        assert app.postprocess(i) == {"return": 0}
        assert i["state"]["cm_mlperf_outcomes"] == [
            {"path": str(tmp_path / "outcome.json"), "versions": {"torch": "2.13.0"}}
        ]

    @pytest.mark.parametrize("keep", ["yes", "no"])
    @pytest.mark.parametrize(("kind", "measured"), [("invalid", True), ("accuracy", True), ("hang", False)])
    def test_failures_end_the_step_unless_something_was_measured_and_is_wanted(
        self, app: Any, tmp_path: Path, kind: str, measured: bool, keep: str
    ) -> None:
        failure = Failure(kind=kind, cause="the cause", hint="the hint", log="/the/log")
        i = left_by_harness(tmp_path, status="failed", failure=failure)
        i["env"]["CM_MLPERF_KEEP_INVALID"] = keep
        result = app.postprocess(i)
        if measured and keep == "yes":
            assert result == {"return": 0}
        else:
            assert result == {"return": 1, "error": "the cause\nlog: /the/log", "hint": "the hint"}
            assert i["state"] == {}

    @pytest.mark.parametrize(
        ("scenario", "key", "leans"),
        [
            ("Offline", "CM_MLPERF_LOADGEN_OFFLINE_TARGET_QPS", 1),
            ("Server", "CM_MLPERF_LOADGEN_SERVER_TARGET_QPS", 0),
            ("SingleStream", "CM_MLPERF_LOADGEN_SINGLESTREAM_TARGET_LATENCY", -1),
            ("MultiStream", "CM_MLPERF_LOADGEN_MULTISTREAM_TARGET_LATENCY", -1),
        ],
    )
    def test_what_a_search_found_is_handed_on_with_headroom(
        self, app: Any, tmp_path: Path, scenario: str, key: str, leans: int
    ) -> None:
        found = Found(key="target_qps", value=10.0, unit="x", trials=())
        i = left_by_harness(tmp_path, scenario=scenario, found=found)
        assert app.postprocess(i) == {"return": 0}
        value = float(i["env"][key])
        assert (value > 10) - (value < 10) == leans

    @pytest.mark.parametrize("content", [None, "{", "{}"])
    def test_an_unreadable_outcome_is_an_error(self, app: Any, tmp_path: Path, content: str | None) -> None:
        if content is not None:
            (tmp_path / "outcome.json").write_text(content)
        result = app.postprocess({"env": env(CM_MLPERF_OUTCOME=str(tmp_path / "outcome.json")), "state": {}})
        assert result["return"] == 1
        assert "no readable outcome" in result["error"]


class TestLeftOut:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"CM_MLPERF_LOADGEN_SCENARIO": "Server"}, "the benchmark has Offline, SingleStream"),
            ({"CM_MLPERF_LOADGEN_MODE": "accuracy", "CM_MLPERF_DATA_TIER": "synthetic"}, "no accuracy"),
            ({}, ""),
            ({"CM_MLPERF_LOADGEN_SCENARIO": "Server", "CM_MLPERF_ASKED_SCENARIO": "Server"}, ""),
        ],
    )
    def test_a_set_of_runs_holds_those_that_the_benchmark_has(
        self, app: Any, changes: dict[str, str], says: str
    ) -> None:
        given = env(CM_MLPERF_SCENARIOS="Offline,SingleStream", CM_MLPERF_SCENARIOS_AS_KNOWN="yes", **changes)
        assert says in app.left_out(given)
        assert bool(app.left_out(given)) == bool(says)

    def test_what_was_asked_for_by_name_is_never_left_out(self, app: Any) -> None:
        assert app.left_out(env(CM_MLPERF_SCENARIOS="Offline", CM_MLPERF_LOADGEN_SCENARIO="Server")) == ""
