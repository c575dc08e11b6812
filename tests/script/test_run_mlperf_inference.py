"""The front door: which runs a request leads to, and what becomes of their outcomes. Nothing is run here."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from cm4bench.engine import Engine, Request
from cm4bench.errors import CMBenchError
from cm4bench.facts import Facts
from cm4bench.manifest import Repo
from cm4bench.plan import Plan
from cm4bench_results.harvest import Context, division, join, loadgen_run
from cm4bench_results.record import Host
from cm4bench_results.record import Request as Asked
from cm4bench_results.store import load_file
from harness.config import ModelConfig, RunConfig
from harness.outcome import (
    CpuTruth,
    DeviceTruth,
    Failure,
    Figure,
    Found,
    GpuTruth,
    Latencies,
    Ledger,
    Loadgen,
    Outcome,
    Power,
    Quality,
    Submittable,
    Validity,
)

ROOT = Path(__file__).parents[2]
OURS = Repo("cm4bench", ROOT, strict=True)
HOSTS = {"cpu": Facts("linux-x86_64", {"accelerator": "cpu"}), "cuda": Facts("linux-x86_64", {"accelerator": "cuda"})}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cm")


@pytest.fixture(scope="module")
def engine(home: Path) -> Engine:
    return Engine([OURS], home, facts=HOSTS["cpu"])


def plan(engine: Engine, words: str = "", **options: Any) -> Plan:
    return engine.plan(Request(f"run,mlperf,inference{words.replace(' ', ',')}", options))


def runs(planned: Plan) -> list[str]:
    """The loadgen runs of a plan, as `scenario mode`, in order."""
    apps = [edge.step for edge in planned.root.edges if edge.wanted and edge.query.startswith("app,")]
    scenarios = ("offline", "server", "singlestream", "multistream")
    modes = ("performance", "accuracy", "find-performance")
    return [
        " ".join([next(s for s in scenarios if s in app.variations), next(m for m in modes if m in app.variations)])
        for app in apps
    ]


def task(planned: Plan) -> Any:
    """The task of all the plan's loadgen runs."""
    return next(edge.step for edge in planned.root.edges if edge.wanted and "inference,task" in edge.query)


DEFAULT = [
    f"{scenario} {mode}"
    for scenario in ("offline", "singlestream")
    for mode in ("find-performance", "performance", "accuracy")
]


class TestScenarios:
    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            ({"CM_MLPERF_ASKED_SCENARIO": "Server"}, "whisper has no scenario Server"),
            ({"CM_MLPERF_RUN_SINGLESTREAM": "yes"}, "whisper has no scenario SingleStream"),
            ({"CM_MLPERF_RUN_OFFLINE": "yes"}, None),
            ({"CM_MLPERF_RUN_SERVER": "yes", "CM_MLPERF_SCENARIOS_AS_KNOWN": "yes"}, None),
        ],
    )
    def test_one_that_the_benchmark_has_not_got_is_refused(self, door: Any, asked: Any, says: str | None) -> None:
        env = {"CM_MODEL": "whisper", "CM_MLPERF_BENCHMARK_NAME": "whisper", "CM_MLPERF_SCENARIOS": "Offline", **asked}
        result = door.unknown_scenarios(env)
        assert (result and result["error"]) == says

    def test_the_round_that_has_it_is_named(self, door: Any) -> None:
        env = {"CM_MODEL": "resnet50", "CM_MLPERF_BENCHMARK_NAME": "resnet", "CM_MLPERF_SCENARIOS": "Offline"}
        result = door.unknown_scenarios(env | {"CM_MLPERF_ASKED_SCENARIO": "Server"})
        assert "it was there in v5.0" in result["error"]


class TestPlan:
    def test_the_default_is_two_scenarios_on_packaged_data(self, engine: Engine) -> None:
        planned = plan(engine)
        assert runs(planned) == DEFAULT
        assert {"auto", "fp32"} <= set(app(planned).variations)
        assert {"efficientnet-lite0", "embedded"} <= set(task(planned).variations)
        assert planned.undecided() == []

    def test_synthetic_runs_all_four_scenarios_and_no_accuracy(self, engine: Engine) -> None:
        found = runs(plan(engine, " _resnet50 _synthetic _cpu"))
        assert [one for one in found if "find" not in one] == [
            "offline performance",
            "server performance",
            "singlestream performance",
            "multistream performance",
        ]
        assert "server find-performance" not in found

    def test_scenarios_add_up(self, engine: Engine) -> None:
        found = runs(plan(engine, " _server _multistream _performance-only"))
        assert [one for one in found if "find" not in one] == ["server performance", "multistream performance"]

    def test_all_scenarios_with_both_modes(self, engine: Engine) -> None:
        found = runs(plan(engine, " _all-scenarios"))
        assert len([one for one in found if "find" not in one]) == 8

    def test_accuracy_only_measures_nothing(self, engine: Engine) -> None:
        assert runs(plan(engine, " _accuracy-only")) == ["offline accuracy", "singlestream accuracy"]

    @pytest.mark.parametrize("scenario", ["Offline", "Server", "SingleStream", "MultiStream"])
    def test_the_flag_leaves_one_scenario(self, engine: Engine, scenario: str) -> None:
        found = runs(plan(engine, " _offline _performance-only", scenario=scenario))
        assert [one for one in found if "find" not in one] == [f"{scenario.lower()} performance"]

    @pytest.mark.parametrize(
        ("scenario", "flag"),
        [
            ("Offline", "target_qps"),
            ("Offline", "offline_target_qps"),
            ("SingleStream", "target_latency"),
            ("SingleStream", "singlestream_target_latency"),
            ("MultiStream", "multistream_target_latency"),
        ],
    )
    def test_a_given_target_is_not_searched_for(self, engine: Engine, scenario: str, flag: str) -> None:
        assert not any("find" in one for one in runs(plan(engine, scenario=scenario, **{flag: "9"})))

    def test_a_full_length_server_run_searches_its_own_rate(self, engine: Engine) -> None:
        assert "server find-performance" in runs(plan(engine, " _server _valid"))

    def test_power_reaches_every_run(self, engine: Engine) -> None:
        edges = plan(engine, " _offline _power").root.edges
        apps = [edge.step for edge in edges if edge.wanted and edge.query.startswith("app,")]
        assert apps and all("power" in app.variations for app in apps)

    def test_find_performance_only_searches(self, engine: Engine) -> None:
        assert set(runs(plan(engine, " _all-scenarios _find-performance"))) == {
            f"{scenario} find-performance" for scenario in ("offline", "server", "singlestream", "multistream")
        }

    def test_flags_and_variations_choose_alike(self, engine: Engine) -> None:
        by_flag = plan(engine, " _synthetic", model="resnet50", device="cpu", precision="bf16")
        by_name = plan(engine, " _synthetic _resnet50 _cpu _bf16")
        for step in (app, task):
            assert set(step(by_flag).variations) == set(step(by_name).variations)

    def test_resnet50_wants_the_official_data(self, engine: Engine) -> None:
        assert "full" in task(plan(engine, " _resnet50")).variations

    @pytest.mark.parametrize(
        "words",
        [
            " _resnet50 _embedded",
            " _synthetic _accuracy-only",
            " _synthetic _valid",
            " _cpu _cuda",
            " _full _synthetic",
        ],
    )
    def test_contradictions_are_refused_by_name(self, engine: Engine, words: str) -> None:
        with pytest.raises(CMBenchError, match=words.split()[1]) as caught:
            plan(engine, words)
        assert caught.value.hint

    def test_a_gpu_is_looked_at_only_when_asked_for(self, home: Path) -> None:
        engine = Engine([OURS], home, facts=HOSTS["cuda"])
        assert "get-cuda-devices" in [step.script.alias for step in plan(engine, " _cuda").steps()]
        assert "get-cuda-devices" not in [step.script.alias for step in plan(engine).steps()]

    def test_a_gpu_that_is_not_there_is_refused_before_anything_runs(self, engine: Engine) -> None:
        with pytest.raises(CMBenchError, match="this host has cpu") as caught:
            plan(engine, " _cuda")
        assert "_cpu" in str(caught.value.hint)


def app(planned: Plan) -> Any:
    return next(
        edge.step for edge in planned.root.edges if edge.wanted and edge.step and "app" in edge.query.split(",")
    )


CPU = CpuTruth(
    model="A test processor", logical_cores=2, allowed_cores=(0, 1), threads=1, load_average_before=0.1, busy_cores=1.0
)
TRUTH = DeviceTruth(asked="cpu", used="cpu", executed="torch 2", precision="fp32", residency="host", cpu=CPU)


def outcome(folder: Path, mode: str = "performance", scenario: str = "Offline", **changes: Any) -> Outcome:
    """What the harness leaves behind, made up; loadgen's logs are there by name."""
    logs = folder / scenario.lower() / mode / "run_1"
    logs.mkdir(parents=True, exist_ok=True)
    (logs / "mlperf_log_summary.txt").write_text("made up")
    config = RunConfig(
        model=ModelConfig(name="resnet50", architecture="resnet50-v1.5", weights="/weights"),
        dataset="/data",
        scenario=scenario,  # type: ignore[arg-type]
        output_dir=str(logs),
        tier="full",
        mode=mode,  # type: ignore[arg-type]
    )
    head = Figure(metric="throughput", value=40.0, unit="samples/s", key="result_samples_per_second")
    made = Outcome(
        status="ok",
        tier="full",
        config=config,
        validity=Validity(valid=None if mode == "accuracy" else True),
        loadgen=Loadgen(
            version="6.0.17",
            seeds={},
            scenario=scenario,
            mode=mode,
            num_errors=0,
            query_count=1,
            figure=head,
            figures=(
                head,
                Figure(metric="estimate", value=0.0, unit="ms", key="early_stopping_latency_ms"),
                Figure(metric="mean latency", value=3.0, unit="ms", key="result_mean_latency_ns"),
            ),
            percentiles_ms={"50": 2.0},
            effective={"effective_min_duration_ms": 600000},
        ),
        device=TRUTH,
        latencies=Latencies(
            source="query",
            count=2,
            kept=2,
            stride=1,
            edges_ms=(1.0, 2.0),
            counts=(2,),
            quantiles_ms={"p99": 2.0, "p50": 1.5},
            file="latencies.npy",
        ),
        ledger=Ledger(
            null_cpu_us_per_sample=1.0,
            null_wall_us_per_sample=2.0,
            null_latency_p50_us=None,
            null_samples=10,
            share=0.001,
        ),
        submittable=Submittable(ok=True),
        quality=Quality(metric="top-1", value=76.0, unit="%", correct=38000, total=50000, target=75.6954, passed=True)
        if mode == "accuracy"
        else None,
        file_sha256={"mlperf_log_summary.txt": "0" * 64, "gone.txt": "1" * 64},
    )
    made = msgspec.structs.replace(made, **changes)
    made.write()
    return made


CONTEXT = Context("2026-01-31T09:30:05Z", Asked(), Host())


class TestHarvest:
    def test_both_runs_are_joined(self, tmp_path: Path) -> None:
        record = join("run/offline", tmp_path / "offline", [outcome(tmp_path), outcome(tmp_path, "accuracy")], CONTEXT)
        assert [run.mode for run in record.runs] == ["performance", "accuracy"]
        assert record.quality is not None and record.quality.passed
        assert record.division == "closed candidate"
        assert record.versions == {"loadgen": "6.0.17"}
        assert [file.path for file in record.runs[0].files] == ["performance/run_1/mlperf_log_summary.txt"]

    def test_the_headline_comes_first_and_unknown_estimates_are_left_out(self, tmp_path: Path) -> None:
        figures = loadgen_run(outcome(tmp_path), tmp_path).figures
        assert [figure.metric for figure in figures] == ["throughput", "mean latency", "p50 latency"]

    def test_measured_power_is_a_figure_of_the_run(self, tmp_path: Path) -> None:
        power = Power(value=120.5, unit="W", watts=120.5, samples_per_joule=0.5)
        run = loadgen_run(msgspec.structs.replace(outcome(tmp_path), power=power), tmp_path)
        assert [(one.metric, one.value, one.unit) for one in run.figures[-2:]] == [
            ("power", 120.5, "W"),
            ("efficiency", 0.5, "samples/J"),
        ]

    def test_a_relaxed_percentile_and_limit_are_named_in_the_metric(self, tmp_path: Path) -> None:
        made = outcome(tmp_path, scenario="Server")
        assert made.loadgen is not None
        relaxed = {"effective_target_latency_percentile": 0.9, "effective_target_latency_ns": 1_000_000_000}
        made = msgspec.structs.replace(made, loadgen=msgspec.structs.replace(made.loadgen, effective=relaxed))
        assert loadgen_run(made, tmp_path).figures[0].metric == "throughput, p90 within 1000 ms"

    def test_latency_quantiles_become_sorted_fractions(self, tmp_path: Path) -> None:
        profile = loadgen_run(outcome(tmp_path), tmp_path).latency
        assert profile is not None
        assert profile.quantiles == ((0.5, 1.5), (0.99, 2.0))

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"submittable": Submittable(ok=False, reasons=("short",))}, "demonstration"),
            ({"quality": None}, "open"),
        ],
    )
    def test_division(self, tmp_path: Path, change: dict[str, Any], expected: str) -> None:
        assert division([outcome(tmp_path), outcome(tmp_path, "accuracy", **change)]) == expected

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"conversion": {"calibration": None}}, "closed candidate"),
            ({"conversion": {"calibration": "64 samples of the data set itself"}}, "open"),
        ],
    )
    def test_ranges_measured_on_the_test_data_are_for_the_open_division(
        self, tmp_path: Path, facts: dict[str, Any], expected: str
    ) -> None:
        runs = [outcome(tmp_path, mode, model_facts=facts) for mode in ("performance", "accuracy")]
        assert division(runs) == expected

    def test_another_model_under_the_same_name_is_for_the_open_division(self, tmp_path: Path) -> None:
        runs = [outcome(tmp_path, mode) for mode in ("performance", "accuracy")]
        own = [msgspec.structs.replace(one.config, benchmark_name="own") for one in runs]
        assert division(runs) == "closed candidate"
        assert division([msgspec.structs.replace(o, config=c) for o, c in zip(runs, own, strict=True)]) == "open"

    def test_without_accuracy_it_is_a_demonstration(self, tmp_path: Path) -> None:
        assert division([outcome(tmp_path)]) == "demonstration"

    def test_an_invalid_run_keeps_its_reasons(self, tmp_path: Path) -> None:
        failure = Failure(kind="invalid", cause="loadgen calls it INVALID")
        refused = outcome(
            tmp_path, status="failed", failure=failure, validity=Validity(valid=False, reasons=("too short",))
        )
        assert loadgen_run(refused, tmp_path).validity.reasons == ("too short",)

    def test_a_throttled_gpu_is_suspect_but_its_power_limit_is_not(self, tmp_path: Path) -> None:
        def doubts(*reasons: str) -> tuple[str, ...]:
            gpu = GpuTruth(
                name="GPU",
                uuid="u",
                driver="1",
                samples=3,
                sm_clock_mhz_min=1,
                sm_clock_mhz_max=2,
                sm_clock_mhz_limit=2,
                utilisation_percent_mean=90.0,
                temperature_c_max=80,
                power_w_mean=300.0,
                throttle_reasons=reasons,
            )
            made = outcome(tmp_path, device=msgspec.structs.replace(TRUTH, gpu=gpu))
            found = loadgen_run(made, tmp_path).device
            assert found is not None
            return found.verdict.reasons

        assert doubts("software power cap") == ()
        assert doubts("hardware thermal slowdown") == ("the GPU was throttled: hardware thermal slowdown",)

    def test_another_device_than_asked_for_is_suspect(self, tmp_path: Path) -> None:
        made = outcome(tmp_path)
        config = msgspec.structs.replace(made.config, device="cuda")
        found = loadgen_run(msgspec.structs.replace(made, config=config), tmp_path).device
        assert found is not None and not found.verdict.valid
        assert "cuda was asked for, cpu was used" in found.verdict.reasons

    @pytest.mark.parametrize(("scenario", "noted"), [("Offline", True), ("Server", False)])
    def test_a_shared_processor_is_noted(self, tmp_path: Path, scenario: str, noted: bool) -> None:
        slow = msgspec.structs.replace(TRUTH, cpu=msgspec.structs.replace(CPU, busy_cores=0.5))
        record = join("run/x", tmp_path, [outcome(tmp_path, scenario=scenario, device=slow)], CONTEXT)
        assert any("0.50 of 1 cores" in note for note in record.notes) == noted
        quiet = join("run/x", tmp_path, [outcome(tmp_path, scenario=scenario)], CONTEXT)
        assert quiet.notes == ()

    def test_different_scenarios_cannot_be_one_record(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="one model in one scenario"):
            join("run/x", tmp_path, [outcome(tmp_path), outcome(tmp_path, scenario="Server")], CONTEXT)


@pytest.fixture
def door(script_file: Callable[..., ModuleType]) -> Any:
    return script_file("run-mlperf-inference")


def hook_input(env: dict[str, Any], outcomes: list[Outcome]) -> dict[str, Any]:
    entries = [{"path": f"{one.config.output_dir}/outcome.json", "versions": {"torch": "2"}} for one in outcomes]
    state = {"cm_mlperf_outcomes": entries}
    common = {"input": {"threads": "1"}, "script_tags": ["run"], "variation_tags": ["cpu"]}
    return {"env": env, "state": state, **common}


class TestConclusion:
    def test_it_ends_with_table_record_and_report(self, door: Any, tmp_path: Path) -> None:
        run = tmp_path / "results" / "run"
        i = hook_input({"CM_MLPERF_RUN_DIR": str(run)}, [outcome(run), outcome(run, "accuracy")])
        printed = io.StringIO()
        with redirect_stdout(printed):
            assert door.postprocess(i) == {"return": 0}
        record = load_file(run / "offline" / "result.json")
        assert record.id == "run/offline"
        assert record.request.options == {"threads": "1"}
        assert record.versions["torch"] == "2"
        assert (run / "report.html").is_file()
        assert "40 samples/s" in printed.getvalue()
        assert printed.getvalue().splitlines()[-1] == f"record: {run}/offline/result.json"
        assert i["env"]["CM_MLPERF_REPORT"] == f"{run}/report.html"

    def test_a_result_that_is_not_valid_is_kept_and_ends_in_an_error(self, door: Any, tmp_path: Path) -> None:
        run = tmp_path / "run"
        failure = Failure(kind="invalid", cause="INVALID")
        verdict = Validity(valid=False, reasons=("too short",))
        result = door.postprocess(
            hook_input(
                {"CM_MLPERF_RUN_DIR": str(run)}, [outcome(run, status="failed", failure=failure, validity=verdict)]
            )
        )
        assert result["return"] == 1
        assert "Offline (1 of 1)" in result["error"]
        assert load_file(run / "offline" / "result.json").runs[0].validity.reasons == ("too short",)

    def test_a_search_for_another_scenario_makes_no_record(self, door: Any, tmp_path: Path) -> None:
        run = tmp_path / "run"
        found = Found(key="target_qps", value=9.0, unit="samples/s", trials=())
        search = outcome(run, "find-performance", found=found)
        door.postprocess(hook_input({"CM_MLPERF_RUN_DIR": str(run)}, [search, outcome(run, scenario="Server")]))
        assert sorted(path.parent.name for path in run.glob("*/result.json")) == ["server"]

    def test_nothing_run_is_an_error(self, door: Any, tmp_path: Path) -> None:
        result = door.postprocess(hook_input({"CM_MLPERF_RUN_DIR": str(tmp_path / "run")}, []))
        assert result["return"] == 1
        assert "nothing was run" in result["error"]

    def test_outcomes_of_other_runs_are_passed_over(self, door: Any, tmp_path: Path) -> None:
        result = door.postprocess(hook_input({"CM_MLPERF_RUN_DIR": str(tmp_path / "a")}, [outcome(tmp_path / "b")]))
        assert "nothing was run" in result["error"]

    def test_a_results_folder_that_cannot_be_made_is_told_before_any_run(self, door: Any, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        env = {"CM_MLPERF_RESULTS_DIR": str(tmp_path / "file" / "below"), "CM_MODEL": "resnet50"}
        result = door.preprocess({"env": env})
        assert result["return"] == 1
        assert "--results_dir" in result["hint"]
