"""generate-mlperf-inference-user-conf: what a run needs, and that what is written is what loadgen takes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from harness import userconf

SCRIPT = Path(__file__).parents[2] / "script" / "generate-mlperf-inference-user-conf"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_customize", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CUSTOMIZE = load(SCRIPT / "customize.py")


def env(scenario: str = "Offline", mode: str = "performance", **more: object) -> dict[str, object]:
    base = {"CM_MLPERF_BENCHMARK": "resnet50", "CM_MLPERF_RUN_STYLE": "test", "CM_MLPERF_DEVICE": "cpu"}
    return base | {"CM_MLPERF_LOADGEN_SCENARIO": scenario, "CM_MLPERF_LOADGEN_MODE": mode} | more


def settings(values: dict[str, object]) -> dict[str, float]:
    entries = userconf.parse(CUSTOMIZE.user_conf(values))
    return {entry.key: entry.value for entry in entries}


@pytest.mark.parametrize("scenario", [*userconf.SCENARIOS, "Interactive"])
@pytest.mark.parametrize("mode", ["performance", "accuracy", "find-performance"])
@pytest.mark.parametrize("style", ["test", "valid"])
def test_every_run_gets_a_file_that_loadgen_takes(scenario: str, mode: str, style: str) -> None:
    text = CUSTOMIZE.user_conf(env(scenario, mode, CM_MLPERF_RUN_STYLE=style))
    in_loadgen = ("resnet50-interactive", "Server") if scenario == "Interactive" else ("resnet50", scenario)
    entries = userconf.parse(text, extra_models=["resnet50-interactive"])
    assert all((entry.model, entry.scenario) == in_loadgen for entry in entries)


def test_a_valid_run_leaves_the_rules_alone() -> None:
    assert settings(env("Server", CM_MLPERF_RUN_STYLE="valid", CM_MLPERF_LOADGEN_SERVER_TARGET_QPS="40")) == {
        "target_qps": 40
    }


def test_a_test_run_is_short_and_says_what_it_relaxes() -> None:
    found = settings(env("Server", CM_MLPERF_LOADGEN_TARGET_QPS=5))
    assert found["max_duration"] == 120_000
    assert found["target_latency"] == 1_000
    assert found["target_latency_percentile"] == 90


def test_the_limit_of_a_gpu_is_never_relaxed() -> None:
    assert "target_latency" not in settings(env("Server", CM_MLPERF_DEVICE="cuda"))


def test_the_scenario_s_own_target_beats_the_general_one() -> None:
    given = {"CM_MLPERF_LOADGEN_TARGET_QPS": "5", "CM_MLPERF_LOADGEN_OFFLINE_TARGET_QPS": "70"}
    assert settings(env("Offline", **given))["target_qps"] == 70
    assert settings(env("Server", **given))["target_qps"] == 5
    assert "target_qps" not in settings(env("SingleStream", **given))


def test_a_short_server_run_takes_its_rate_from_offline() -> None:
    offline = {"CM_MLPERF_LOADGEN_OFFLINE_TARGET_QPS": "100"}
    assert settings(env("Server", **offline))["target_qps"] == 30
    assert "target_qps" not in settings(env("Server", CM_MLPERF_RUN_STYLE="valid", **offline))
    assert settings(env("Server", CM_MLPERF_LOADGEN_SERVER_TARGET_QPS="7", **offline))["target_qps"] == 7


def test_a_short_offline_run_is_sized_by_its_samples() -> None:
    found = settings(env("Offline", CM_MLPERF_LOADGEN_OFFLINE_TARGET_QPS="100.5"))
    assert (found["min_duration"], found["min_query_count"]) == (0, 503)
    assert settings(env("Offline"))["min_query_count"] == 64


def test_an_accuracy_run_has_no_lengths() -> None:
    assert set(settings(env("Offline", "accuracy"))) == set()


def test_lengths_can_be_chosen() -> None:
    chosen = {
        "CM_MLPERF_INFERENCE_MIN_DURATION": "100",
        "CM_MLPERF_MAX_DURATION_TEST": "0.5",
        "CM_MLPERF_INFERENCE_MIN_QUERY_COUNT": "7",
        "CM_MLPERF_INFERENCE_MAX_QUERY_COUNT": "9",
    }
    found = settings(env("SingleStream", **chosen))
    assert found == {"min_duration": 100, "max_duration": 500, "min_query_count": 7, "max_query_count": 9}


@pytest.mark.parametrize("value", ["fast", "-1", "0", "nan", "inf"])
def test_a_target_that_is_no_positive_number_is_refused(value: str, tmp_path: Path) -> None:
    bad = env(CM_MLPERF_LOADGEN_TARGET_QPS=value, CM_MLPERF_OUTPUT_DIR=str(tmp_path))
    result = CUSTOMIZE.preprocess({"env": bad})
    assert result["return"] == 1
    assert "CM_MLPERF_LOADGEN_TARGET_QPS" in result["error"]
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_written_where_asked(tmp_path: Path) -> None:
    values = env(CM_MLPERF_OUTPUT_DIR=str(tmp_path / "new" / "folder"))
    assert CUSTOMIZE.preprocess({"env": values}) == {"return": 0}
    assert values["CM_MLPERF_USER_CONF"] == str(tmp_path / "new" / "folder" / "user.conf")
    assert userconf.read(Path(str(values["CM_MLPERF_USER_CONF"])))


def test_a_folder_that_cannot_be_made_is_an_error_not_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CUSTOMIZE.preprocess({"env": env(CM_MLPERF_OUTPUT_DIR=str(tmp_path / "file" / "below"))})
    assert result["return"] == 1
    assert "cannot be written" in result["error"]


VALID = {"CM_MLPERF_RUN_STYLE": "valid", "CM_MLPERF_INFERENCE_LOADGEN_VERSION": "6.0.17"}


def test_a_valid_run_gets_from_the_round_what_mlperf_conf_lacks() -> None:
    assert settings(env(CM_MLPERF_BENCHMARK="yolo", **VALID)) == {"min_query_count": 1525}
    chosen = {"CM_MLPERF_INFERENCE_MIN_QUERY_COUNT": "2000"}
    assert settings(env(CM_MLPERF_BENCHMARK="yolo", **VALID, **chosen)) == {"min_query_count": 2000}
    dlrm = settings(env("Server", CM_MLPERF_BENCHMARK="dlrm-v3", **VALID))
    assert dlrm == {"performance_sample_count_override": 349_823}
    assert settings(env(CM_MLPERF_BENCHMARK="yolo"))["min_query_count"] == 64, "a demonstration stays short"


def test_the_round_is_that_of_the_loadgen_which_runs() -> None:
    older = VALID | {"CM_MLPERF_INFERENCE_LOADGEN_VERSION": "5.0.20"}
    assert settings(env(CM_MLPERF_BENCHMARK="yolo", **older)) == {}
    unknown = VALID | {"CM_MLPERF_INFERENCE_LOADGEN_VERSION": "99.0"}
    assert settings(env(CM_MLPERF_BENCHMARK="yolo", **unknown)) == {}


def test_a_closed_run_in_a_scenario_that_the_round_has_not_is_refused(tmp_path: Path) -> None:
    values = env("Server", CM_MLPERF_OUTPUT_DIR=str(tmp_path), CM_MLPERF_SUBMISSION_DIVISION="closed", **VALID)
    result = CUSTOMIZE.preprocess({"env": values})
    assert result["return"] == 1
    assert "Server is no scenario of resnet in v6.1" in result["error"]
    assert "v5.0 has Server" in result["hint"]
    assert CUSTOMIZE.preprocess({"env": values | {"CM_MLPERF_SUBMISSION_DIVISION": "open"}})["return"] == 0


def test_a_demonstration_never_tightens_a_limit() -> None:
    assert "target_latency" not in settings(env("Server", CM_MLPERF_BENCHMARK="qwen3-vl-235b-a22b"))
    assert settings(env("Server", CM_MLPERF_BENCHMARK="bert"))["target_latency"] == 1_000


@pytest.mark.parametrize("scenario", ["Server", "Interactive"])
def test_language_models_have_their_token_limits_relaxed(scenario: str) -> None:
    found = settings(env(scenario, CM_MLPERF_BENCHMARK="llama3_1-8b"))
    assert (found["ttft_latency"], found["tpot_latency"]) == (10_000, 1_000)
    assert "target_latency" not in found
    assert found["target_latency_percentile"] == 90
    assert not {"ttft_latency", "tpot_latency"} & set(
        settings(env(scenario, CM_MLPERF_BENCHMARK="llama3_1-8b", **VALID))
    )


def test_an_interactive_run_has_a_rate_of_its_own() -> None:
    given = {"CM_MLPERF_LOADGEN_INTERACTIVE_TARGET_QPS": "3", "CM_MLPERF_LOADGEN_SERVER_TARGET_QPS": "9"}
    assert settings(env("Interactive", CM_MLPERF_BENCHMARK="llama3_1-8b", **given))["target_qps"] == 3


def test_a_demonstration_does_not_issue_the_whole_set_query_by_query() -> None:
    llm = {"CM_MLPERF_BENCHMARK": "llama3_1-8b", "CM_MLPERF_LOADGEN_TARGET_QPS": 0.2}
    assert settings(env("Server", **llm))["sample_concatenate_permutation"] == 0
    assert "sample_concatenate_permutation" not in settings(env("Offline", **llm))
    assert "sample_concatenate_permutation" not in settings(env("Server", CM_MLPERF_LOADGEN_TARGET_QPS=5))
    assert "sample_concatenate_permutation" not in settings(env("Server", CM_MLPERF_RUN_STYLE="valid", **llm))


@pytest.mark.parametrize(
    ("scenario", "given", "queries", "percentile"),
    [
        ("Server", {"CM_MLPERF_LOADGEN_SERVER_TARGET_QPS": 0.4}, 24, 70),
        ("SingleStream", {"CM_MLPERF_LOADGEN_SINGLESTREAM_TARGET_LATENCY": 5_000}, 12, 50),
        ("SingleStream", {"CM_MLPERF_LOADGEN_SINGLESTREAM_TARGET_LATENCY": 50}, 64, None),
    ],
)
def test_a_slow_model_shows_what_it_can_within_the_cap(
    scenario: str, given: dict[str, float], queries: int, percentile: float | None
) -> None:
    found = settings(env(scenario, **given))
    assert (found["min_query_count"], found.get("target_latency_percentile")) == (queries, percentile)
