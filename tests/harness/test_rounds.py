"""Rounds as data: what the files say, what a mistake in one says, and that a new file is a new round."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest
from tests.harness import upstream_rounds

from harness import rounds, verdict
from harness.errors import HarnessError
from harness.logs import DetailLog
from harness.report import ChildReport
from harness.rounds.objections import objections

ROOT = Path(__file__).parents[2]


@pytest.fixture
def library(tmp_path):
    """A copy of our rounds, to be spoilt."""
    for path in rounds.FOLDER.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    return rounds.Library(tmp_path)


def spoil(library, old, new, name="v6.1"):
    """Replace a text in a round file; returns the line it stands in."""
    path = library.folder / f"{name}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


# what the files say


def test_every_round_can_be_read_and_has_seeds_and_wheels_of_its_own():
    everything = rounds.all_rounds()
    assert [one.name for one in everything] == ["v5.0", "v5.1", "v6.0", "v6.1"] == list(rounds.names())
    assert len({one.seeds for one in everything}) == len(everything)
    ends = [(one.loadgen.first, one.loadgen.last) for one in everything]
    assert all(first not in other.loadgen for (first, _), other in zip(ends[1:], everything, strict=False))
    assert all(one.sources and all(len(source.commit) == 40 for source in one.sources) for one in everything)


def test_what_holds_for_a_scenario_holds_for_each_benchmark_unless_it_says_otherwise():
    v60 = rounds.load("v6.0")
    assert v60.benchmark("resnet").limits("Server").latency_ms == 15
    assert v60.benchmark("resnet").limits("SingleStream").percentile == 90
    assert v60.benchmark("pointpainting").limits("SingleStream").percentile == 99.9
    assert v60.benchmark("resnet").result("Offline").key == "result_samples_per_second"
    assert v60.benchmark("llama2-70b-99").result("Offline").unit == "Tokens/s"
    assert v60.benchmark("resnet").min_duration_ms == 600_000
    assert rounds.load("v6.1").benchmark("e2e-rag-db").min_duration_ms == 0


def test_tokens_have_limits_of_their_own():
    llama = rounds.load("v6.1").benchmark("llama2-70b-99.9")
    assert (llama.limits("Interactive").ttft_ms, llama.limits("Interactive").tpot_ms) == (450, 40)
    assert llama.limits("Server").latency_ms is None
    assert (llama.conf_name("Server"), llama.conf_name("Interactive")) == ("llama2-70b", "llama2-70b-interactive")


def test_targets_are_reference_times_factor_and_may_hold_in_one_scenario_only():
    v61 = rounds.load("v6.1")
    (f1,) = v61.benchmark("bert-99.9").targets("Offline")
    assert (f1.metric, f1.at_least.value) == ("F1", 90.874 * 0.999)
    length = v61.benchmark("llama3.1-8b").targets("Server")[-1]
    assert (length.at_least.value, length.at_most.value) == (8167644 * 0.9, 8167644 * 1.1)
    vision = v61.benchmark("qwen3-vl-235b-a22b")
    assert [one.at_least.reference for one in vision.targets("Interactive")] == [0.7878]
    assert vision.accuracy_samples("Interactive") == 8000
    assert vision.accuracy_samples("Offline") == vision.dataset_size


def test_scenarios_depend_on_the_category():
    wan, resnet = (rounds.load("v6.1").benchmark(name) for name in ("wan-2.2-t2v-a14b", "resnet"))
    assert tuple(wan.scenarios("datacenter")) == ("Offline", "SingleStream")
    assert not wan.scenarios("edge")
    assert "Server" not in resnet.scenarios()
    assert "Server" in resnet.scenarios("edge,datacenter")
    with pytest.raises(HarnessError, match="unknown category 'cloud'"):
        resnet.scenarios("cloud")
    with pytest.raises(HarnessError, match=r"wan-2\.2-t2v-a14b has no scenario 'Server'"):
        wan.limits("Server")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bert-99", "bert-99"),
        ("resnet50", "resnet"),
        ("efficientnet-lite0", "resnet"),
        ("my-bert-99.9-int8", "bert-99.9"),
    ],
)
def test_a_benchmark_has_the_names_that_the_checker_takes(name, found):
    assert rounds.load("v6.1").benchmark(name).name == found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bert99", "v6.1 has no benchmark 'bert99', did you mean 'bert-99'?"),
        ("bert", "'bert' is loadgen's name of a benchmark; v6.1 calls it bert-99 or bert-99.9"),
        ("gptj-99", "v6.1 has no benchmark 'gptj-99'; v5.0 has it"),
        ("mixtral-8x7b", "v6.1 has no benchmark 'mixtral-8x7b'; v5.0, v5.1, v6.0 has it"),
    ],
)
def test_an_unknown_benchmark_is_an_error_that_helps(name, said):
    with pytest.raises(HarnessError, match=f"^{re.escape(said)}$"):
        rounds.load("v6.1").benchmark(name)


def test_an_unsupported_scenario_says_which_round_has_it():
    with pytest.raises(HarnessError) as caught:
        rounds.load("v6.1").require("resnet50", "Server")
    assert str(caught.value) == "Server is no scenario of resnet in v6.1"
    assert caught.value.hint == "scenarios there: SingleStream, MultiStream, Offline; v5.0 has Server"
    assert rounds.load("v5.0").require("resnet50", "Server", "datacenter").name == "resnet"


def test_which_rounds_have_what():
    assert rounds.which_have("resnet50", "Server") == ("v5.0",)
    assert rounds.which_have("stable-diffusion-xl", "Offline", "datacenter") == ("v5.0", "v5.1")
    assert rounds.which_have("yolo-99") == ("v6.0", "v6.1")
    assert rounds.which_have("nothing") == ()


def test_user_conf_fills_what_loadgen_asks_too_little_for():
    v61 = rounds.load("v6.1")
    assert v61.benchmark("yolo-99").conf_gaps("Offline") == {"min_query_count": 1525}
    assert v61.benchmark("dlrm-v3").conf_gaps("Server") == {"performance_sample_count_override": 349823}
    for enough in ("resnet", "3d-unet-99", "wan-2.2-t2v-a14b"):
        assert v61.benchmark(enough).conf_gaps("Offline") == {}


# which round a run belongs to


def test_the_installed_loadgen_carries_the_seeds_of_its_round():
    code = (
        "import mlperf_loadgen as lg; s = lg.TestSettings(); assert not s.FromConfig('', 'bert', 'Offline', 0);"
        "print(s.qsl_rng_seed, s.sample_index_rng_seed, s.schedule_rng_seed)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")
    by_seeds = rounds.of_seeds(dict(zip(names, map(int, done.stdout.split()), strict=True)))
    assert by_seeds == rounds.from_loadgen_version(version("mlcommons-loadgen")) == rounds.default()


def test_the_round_follows_the_seeds_not_the_version_s_digits():
    assert rounds.from_loadgen_version("6.0.4").name == "v5.1"
    assert rounds.from_loadgen_version("5.0.21").name == "v5.0"
    assert rounds.of_seeds({"qsl_rng_seed": 1}) is None
    half = {"qsl_rng_seed": rounds.load("v6.1").seeds.qsl_rng_seed}
    assert rounds.of_seeds(half) is None


@pytest.mark.parametrize("unknown", ["4.1.30", "99.0", "nonsense"])
def test_an_unknown_loadgen_is_an_error_that_lists_the_known_ones(unknown):
    with pytest.raises(HarnessError, match=f"no round is known for loadgen {unknown}") as caught:
        rounds.from_loadgen_version(unknown)
    assert "v6.1: 6.0.16 to 6.0.17" in caught.value.hint


# files


def test_a_new_file_is_a_new_round(library):
    text = (library.folder / "v6.1.yaml").read_text()
    new = text.replace("round: v6.1", "round: v10.0").replace("6.0.16, last: 6.0.17", "7.0.0, last: 7.0.3")
    new = new.replace("2085463073848966840", "42").replace(
        "edge: {required: [SingleStream, Multi", "edge: {required: [Server, Multi", 1
    )
    (library.folder / "v10.0.yaml").write_text(new)
    assert library.names()[-2:] == ("v6.1", "v10.0")
    assert library.load("v10.0").seeds.qsl_rng_seed == 42
    assert library.from_loadgen_version("7.0.2").name == "v10.0"
    assert library.which_have("resnet", "Server") == ("v5.0", "v10.0")


def test_an_edited_file_is_read_again(library):
    assert library.load("v6.1").benchmark("resnet").limits("Server").latency_ms == 15
    spoil(library, "latency_ms: 15}", "latency_ms: 17}")
    os.utime(library.folder / "v6.1.yaml", ns=(1, 1))
    assert library.load("v6.1").benchmark("resnet").limits("Server").latency_ms == 17


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dataset_size: 50000", "data_set_size: 50000", "unknown field `data_set_size`, did you mean 'dataset_size'?"),
        ("dataset_size: 50000", "dataset_size: many", "Expected `int`, got `str`"),
        ("[SingleStream, Offline]", "[SingelStream, Offline]", "'SingelStream', did you mean 'SingleStream'?"),
        ("limits: {Server: {latency_ms: 15}}", "limits: {Sever: {latency_ms: 15}}", "'Sever', did you mean 'Server'?"),
        ("{latency_ms: 15}", "{latency: 15}", "unknown field `latency`, did you mean 'latency_ms'?"),
        ("compliance: [TEST01, TEST04]", "compliance: [TEST01, TEST05]", "Invalid enum value 'TEST05', did you mean"),
        ("qsl_rng_seed: ", "qsl_seed: ", "unknown field `qsl_seed`, did you mean 'qsl_rng_seed'?"),
        ("min_duration_ms: 600000", "min_duration_ms: 600000\nmin_duration_ms: 1", "stands here a second time"),
        ("conf: resnet50", "conf: [resnet50", "not YAML: "),
        ("round: v6.1", "round: v6.2", "the file is called v6.1, the round in it 'v6.2'"),
        (
            "accuracy:\n    - {metric: acc, at_least: [76.46,",
            "accuracy:\n    - {metric: acc, at_least: [x,",
            "got `str`",
        ),
        ("offline_min_samples: 24576", "equal_issue: false", "resnet lacks offline_min_samples"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(library, old, new, said):
    line = spoil(library, old, new)
    with pytest.raises(HarnessError) as caught:
        library.load("v6.1")
    message = str(caught.value)
    assert said in message
    found = re.match(rf"{re.escape(str(library.folder / 'v6.1.yaml'))}:(\d+): ", message)
    assert found and line - 8 <= int(found[1]) <= line + 2, message
    assert caught.value.kind == "config" and "rounds.md" in caught.value.hint


def test_the_line_is_the_very_one_where_the_word_stands(library):
    line = spoil(library, "{latency_ms: 12000}", "{latency: 12000}")
    with pytest.raises(HarnessError, match=rf"v6.1.yaml:{line}: benchmarks.qwen3-vl-235b-a22b: .*`latency`"):
        library.load("v6.1")


@pytest.mark.parametrize("text", ["", "[]", "round: v6.1", "round: v6.1\nbenchmarks: {}", "round: v6.1\nbenchmarks: 3"])
def test_a_file_that_is_no_round_is_no_traceback(library, text):
    (library.folder / "v6.1.yaml").write_text(text)
    with pytest.raises(HarnessError, match=r"v6\.1\.yaml:"):
        library.load("v6.1")


def test_an_unknown_round_is_an_error_that_lists_the_known_ones():
    with pytest.raises(HarnessError, match=r"unknown round 'v6.2', did you mean 'v6.1'\?"):
        rounds.load("v6.2")


# what a checker would object to


def log(one=None, **changes):
    """The log of a run of resnet50 that lacks nothing, Offline."""
    found = one or rounds.load("v6.1")
    seeds = {f"effective_{key}": value for key, value in msgspec.structs.asdict(found.seeds).items()}
    values = {
        "effective_test_mode": "PerformanceOnly",
        "effective_min_duration_ms": 600_000,
        "effective_performance_sample_count": 1024,
        "effective_samples_per_query": 24576,
        "effective_target_latency_percentile": 0.9,
        "effective_target_latency_ns": 0,
    }
    return seeds | values | changes


def test_a_run_that_keeps_the_rules_meets_no_objection():
    assert objections("resnet50", "Offline", log()) == ()
    stream = log(effective_target_latency_percentile=0.99, effective_samples_per_query=8)
    assert objections("resnet50", "MultiStream", stream) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"effective_min_duration_ms": 5000}, "demonstration run: min_duration is 5000 ms, v6.1 needs 600000 ms"),
        ({"effective_performance_sample_count": 256}, "performance_sample_count is 256, v6.1 needs 1024"),
        ({"effective_samples_per_query": 64}, "the Offline query has 64 samples, v6.1's closed division needs 24576"),
        (
            {"effective_qsl_rng_seed": 7},
            "its seeds (qsl_rng_seed 7) belong to none of the known rounds: v5.0, v5.1, v6.0",
        ),
    ],
)
def test_each_broken_rule_is_an_objection(changes, said):
    (reason,) = objections("resnet50", "Offline", log(**changes))
    assert reason.startswith(said)


def test_an_accuracy_run_must_cover_the_set():
    accuracy = {"effective_test_mode": "AccuracyOnly", "effective_min_duration_ms": 0}
    assert objections("resnet50", "Offline", log(**accuracy, effective_accuracy_sample_count=50_000)) == ()
    old = log(rounds.load("v5.1"), **accuracy, qsl_reported_total_count=20)
    assert objections("resnet50", "Offline", old) == ("the accuracy run covers 20 samples, v5.1 needs resnet's 50000",)


def test_a_scenario_that_the_round_has_not_says_which_round_has_it():
    server = {"effective_target_latency_percentile": 0.9, "effective_target_latency_ns": 1_000_000_000}
    missing, *rest = objections("resnet50", "Server", log(**server))
    assert missing == (
        "Server is no scenario of resnet in v6.1's closed division (SingleStream, MultiStream, Offline); v5.0 has it"
    )
    assert rest == [
        "latency percentile 90 instead of 99",
        "the latency limit was set to 1000 ms, v6.1 allows 15 ms",
    ]
    strict = server | {"effective_target_latency_percentile": 0.99}
    (bert,) = objections("bert", "Server", log(effective_performance_sample_count=10833, **strict))
    assert bert == "Server is no scenario of bert-99 in v6.1's closed division (SingleStream, Offline)"


def test_the_percentile_and_the_latency_limit_are_the_round_s():
    v50 = rounds.load("v5.0")
    server = {"effective_target_latency_percentile": 0.99, "effective_target_latency_ns": 15_000_000}
    assert objections("resnet50", "Server", log(v50, **server)) == ()
    relaxed = log(v50, effective_target_latency_percentile=0.9, effective_target_latency_ns=1_000_000_000)
    assert objections("resnet50", "Server", relaxed) == (
        "latency percentile 90 instead of 99",
        "the latency limit was set to 1000 ms, v5.0 allows 15 ms",
    )


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ("bert-99", "loadgen knows bert-99 as 'bert', not as 'bert-99': it used none of its settings"),
        ("gptj", "v6.1 has no benchmark 'gptj'; v5.0 has it"),
        ("resnet5", "v6.1 has no benchmark that loadgen calls 'resnet5', did you mean 'resnet50'?"),
    ],
)
def test_a_name_that_loadgen_does_not_know_is_an_objection(conf, said):
    assert objections(conf, "Offline", log()) == (said,)


def test_language_models_need_token_latencies_and_keep_their_limits():
    good = {
        "effective_performance_sample_count": 24576,
        "effective_sample_concatenate_permutation": True,
        "effective_target_latency_percentile": 0.99,
        "requested_use_token_latencies": True,
        "result_first_token_99.00_percentile_latency_ns": 400e6,
        "result_time_per_output_token_99.00_percentile_ns": 39e6,
    }
    for conf in ("llama2-70b", "llama2-70b-interactive"):
        assert objections(conf, "Server", log(**good)) == ()
    slow = good | {"result_first_token_99.00_percentile_latency_ns": 460e6}
    (reason,) = objections("llama2-70b-interactive", "Server", log(**slow))
    assert reason == "the 99th percentile of the time to first token is 460 ms, v6.1 needs less than 450 ms"
    bare = log(effective_performance_sample_count=24576, effective_target_latency_percentile=0.99)
    reasons = " ".join(objections("llama2-70b", "Server", bare))
    for part in (
        "needs equal issue",
        "use_token_latencies is off",
        "first token is not in the log",
        "output token is not",
    ):
        assert part in reasons


def test_the_verdict_on_a_run_has_the_round_s_objections(configure):
    def judged(values, **changes):
        config = configure(benchmark="resnet50", **{"tier": "full", **changes})
        return verdict.submittable(config, DetailLog(values, (), (), ()), ChildReport(notes=("a note",)))

    assert judged(log()).reasons == ("a note",)
    short = judged(log(effective_min_duration_ms=1), tier="synthetic")
    assert [reason.split(":")[0] for reason in short.reasons] == ["tier synthetic", "demonstration run", "a note"]
    assert not short.ok


def test_a_python_without_yaml_is_told_so(library, monkeypatch, configure):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(HarnessError, match="PyYAML is missing"):
        library.load("v6.1")
    monkeypatch.setattr(verdict, "objections", lambda *_: library.load("v6.1"))
    found = verdict.submittable(configure(), DetailLog({}, (), (), ()), ChildReport())
    assert "the round's rules cannot be read: PyYAML is missing, rounds cannot be read" in found.reasons


# the page about it


def test_the_page_about_rounds_says_what_happens(tmp_path):
    from tests.docs.walkthrough import steps

    page, reader = ROOT / "docs" / "rounds.md", {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    (tmp_path / "python").write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    (tmp_path / "python").chmod(0o755)
    text = page.read_text().replace("/tmp/my-rounds", str(tmp_path / "my-rounds"))
    done = [step.perform(ROOT / "script" / "app-mlperf-inference", reader) for step in steps(text)]
    assert len(done) > 5


# upstream's own files, where a checkout is at hand


@pytest.mark.slow
@pytest.mark.parametrize("name", rounds.names())
def test_the_data_are_those_of_the_checker_and_of_mlperf_conf(name):
    checkout = os.environ.get("MLCOMMONS_INFERENCE")
    if not checkout:
        pytest.skip("MLCOMMONS_INFERENCE names no clone of github.com/mlcommons/inference")
    one = rounds.load(name)
    assert upstream_rounds.differences(checkout, one) == []
    wrong = msgspec.structs.replace(one.benchmarks["bert-99"], performance_samples=1, dataset_size=2)
    spoilt = msgspec.structs.replace(one, benchmarks=one.benchmarks | {"bert-99": wrong})
    assert len(upstream_rounds.differences(checkout, spoilt)) >= 2
