"""Compare our round files with the files of github.com/mlcommons/inference that they name as their sources.

    python -m tests.harness.upstream_rounds CHECKOUT    a clone, or its .git folder; runs the checker's constants.py

Prints one line per difference. The commits are those that the round files name, so a difference is a mistake of ours.
With --at COMMIT the same is done at another commit: what changed upstream since.
"""

import argparse
import ast
import math
import re
import subprocess
import sys
from pathlib import Path

CHECKER = "tools/submission/submission_checker/constants.py"
CATEGORIES = {"datacenter": "datacenter", "edge": "edge", "datacenter-edge": "datacenter,edge"}
# The checker's own unit table forgets these, whose numbers are tokens per second all the same.
TOKENS_WITHOUT_UNIT = ("gptj-99", "gptj-99.9", "llama2-70b-interactive-99", "llama2-70b-interactive-99.9", "whisper")


def show(checkout, commit, file):
    command = ["git", "-C", str(checkout), "show", f"{commit}:{file}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def constants(text):
    names = {}
    exec(compile(text, CHECKER, "exec"), names)
    return names


def table(text, name):
    """One constant of a module that is not run."""
    found = next(
        node for node in ast.parse(text).body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    return ast.literal_eval(found.value)


class Conf:
    """loadgen's mlperf.conf with loadgen's order of lookup."""

    def __init__(self, text):
        lines = (line.split("=") for line in text.splitlines() if re.match(r"[^#\s]", line) and "=" in line)
        self.values = {tuple(key.strip().rsplit(".", 2)): number(value.strip()) for key, value in lines}

    def get(self, model, scenario, key):
        for place in ((model, scenario), ("*", scenario), (model, "*"), ("*", "*")):
            if (*place, key) in self.values:
                return self.values[(*place, key)]
        return None


def number(text):
    """Seeds are too big for a float."""
    return int(text) if text.isdigit() else float(text)


def compare(one, names, conf):
    """Every difference between a Round and the tables of its sources, as (place, ours, theirs)."""
    theirs = names["MODEL_CONFIG"][one.name]
    yield from differing("benchmarks", sorted(one.benchmarks), sorted(theirs["models"]))
    for key in one.seeds.__struct_fields__:
        yield from differing(key, getattr(one.seeds, key), theirs["seeds"][key])
        yield from differing(f"{key} of mlperf.conf", getattr(one.seeds, key), conf.get("*", "*", key))
    yield from differing("min_duration_ms", one.min_duration_ms, names["TEST_DURATION_MS"])
    yield from differing(
        "aliases", aliases(one), {a: b for a, b in theirs["model_mapping"].items() if b in theirs["models"] and a != b}
    )
    yield from rules(one, names, conf)
    yield from files(one, names)
    for benchmark in one.benchmarks.values():
        for place, ours, other in of_benchmark(one, benchmark, theirs, names, conf):
            yield f"{benchmark.name}: {place}", ours, other


def differing(place, ours, theirs):
    same = ours == theirs
    if isinstance(ours, float) and isinstance(theirs, int | float):
        same = math.isclose(ours, theirs, rel_tol=1e-9)
    if not same:
        yield place, ours, theirs


def aliases(one):
    return {alias: benchmark.name for benchmark in one.benchmarks.values() for alias in benchmark.aliases}


def rules(one, names, conf):
    for scenario, rule in one.scenarios.items():
        runs_as = rule.runs_as or scenario
        fields = names["RESULT_FIELD_NEW"][one.name]
        yield from differing(f"result of {scenario}", rule.result.key, fields.get(scenario, fields[runs_as]))
        yield from differing(f"unit of {scenario}", rule.result.unit, names["UNIT_DICT"][scenario])
        if rule.percentile:
            percentile = conf.get("*", runs_as, "target_latency_percentile")
            yield from differing(f"percentile of {scenario}", rule.percentile, percentile)
        yield from differing(f"min_duration of {scenario}", one.min_duration_ms, conf.get("*", runs_as, "min_duration"))
    multi = one.scenarios["MultiStream"]
    yield from differing(
        "samples_per_query", multi.samples_per_query, conf.get("*", "MultiStream", "samples_per_query")
    )
    yield from differing("conf_min_queries", multi.conf_min_queries, conf.get("*", "MultiStream", "min_query_count"))


def files(one, names):
    asked, layout = one.submission, one.submission.layout
    yield from differing("measurement_keys", list(asked.measurement_keys), names["SYSTEM_IMP_REQUIRED_FILES"])
    yield from differing("measurement_files", list(asked.measurement_files), names["REQUIRED_MEASURE_FILES"])
    yield from differing("system_keys", list(asked.system_keys), names["SYSTEM_DESC_REQUIRED_FIELDS"])
    filled = names["SYSTEM_DESC_MEANINGFUL_RESPONSE_REQUIRED_FIELDS"]
    yield from differing("filled_system_keys", list(asked.filled_system_keys), filled)
    yield from differing("power_system_keys", list(asked.power_system_keys), names["SYSTEM_DESC_REQUIRED_FIELDS_POWER"])
    network = names["SYSTEM_DESC_REQUIRED_FIELDS_NETWORK_MODE"]
    yield from differing("network_system_keys", list(asked.network_system_keys), network)
    yield from differing("max_accuracy_log_bytes", asked.max_accuracy_log_bytes, names["MAX_ACCURACY_LOG_SIZE"])
    yield from differing("max_file_mb", asked.max_file_mb, names["FILE_SIZE_LIMIT_MB"])
    results = names["PERFORMANCE_LOG_PATH"][one.name].split("/performance/")[0]
    yield from differing("layout.results", layout.results, results)
    measurements = names["MEASUREMENTS_PATH"][one.name].rsplit("/", 1)[0]
    yield from differing("layout.measurements", layout.measurements, measurements)
    yield from differing("layout.compliance", layout.compliance, names["COMPLIANCE_PATH"][one.name].rstrip("/"))
    yield from differing("layout.code", layout.code, names["SRC_PATH"][one.name])
    yield from differing("layout.systems", layout.systems, names["SYSTEM_PATH"][one.name].rsplit("/", 1)[0])


def of_benchmark(one, benchmark, theirs, names, conf):
    name, scenarios = benchmark.name, set()
    for key, category in CATEGORIES.items():
        for kind in ("required", "optional"):
            ours = getattr(benchmark.scenarios(category), kind)
            scenarios.update(ours)
            table = theirs[f"{kind}-scenarios-{key}"].get(name, [])
            yield from differing(f"{kind} scenarios, {category}", sorted(ours), sorted(table))
    yield from sizes(benchmark, scenarios, theirs, names)
    yield from accuracy(benchmark, theirs)
    tests = tuple(test for test in sorted(set_of_tests(theirs)) if name in theirs[f"models_{test}"])
    yield from differing("compliance", benchmark.compliance, tests)
    needed = names["REQUIRED_ACC_BENCHMARK"].get(name, {}).get(one.name, {})
    yield from differing("accuracy_files", {k: list(v) for k, v in benchmark.accuracy_files.items()}, needed)
    for scenario in sorted(scenarios):
        yield from results(one, benchmark, scenario, names)
        yield from limits(benchmark, scenario, theirs, names, conf)
    if benchmark.conf:
        yield from of_conf(benchmark, scenarios, conf)


def set_of_tests(theirs):
    return [key.removeprefix("models_") for key in theirs if key.startswith("models_TEST")]


def sizes(benchmark, scenarios, theirs, names):
    name = benchmark.name
    yield from differing("dataset_size", benchmark.dataset_size, theirs["dataset-size"][name])
    yield from differing("performance_samples", benchmark.performance_samples, theirs["performance-sample-count"][name])
    covered = theirs["accuracy-sample-count"].get(name, theirs["dataset-size"][name])
    for scenario in scenarios:
        count = covered.get(scenario, benchmark.dataset_size) if isinstance(covered, dict) else covered
        yield from differing(f"accuracy_samples of {scenario}", benchmark.accuracy_samples(scenario), count)
        if scenario != "Interactive" and scenario in theirs["min-queries"][name]:
            queries = theirs["min-queries"][name][scenario]
            yield from differing(f"min_queries of {scenario}", benchmark.min_queries_by[scenario], queries)
    if "Offline" in scenarios:
        least = names["OFFLINE_MIN_SPQ_SINCE_V4"].get(name)
        yield from differing("offline_min_samples", benchmark.offline_min_samples, least)


def accuracy(benchmark, theirs):
    target, upper = theirs["accuracy-target"][benchmark.name], theirs["accuracy-upper-limit"].get(benchmark.name, ())
    for scenario in benchmark.scenarios() or benchmark.datacenter_edge:
        lower = pairs(target.get(scenario) if isinstance(target, dict) else target)
        ours = benchmark.targets(scenario)
        yield from bounds("at_least", {one.metric: one.at_least.value for one in ours if one.at_least}, lower)
        yield from bounds("at_most", {one.metric: one.at_most.value for one in ours if one.at_most}, pairs(upper))
    special = theirs["accuracy-delta-perc"].get(benchmark.name, {})
    for one in benchmark.accuracy:
        drift = special.get(one.metric, 0.1 if "99.9" in benchmark.name else 1)
        expected = drift if "TEST01" in benchmark.compliance else None
        yield from differing(f"drift_percent of {one.metric}", one.drift_percent, expected)


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2], strict=True))


def bounds(kind, ours, theirs):
    yield from differing(f"metrics {kind}", sorted(ours), sorted(theirs))
    for metric in ours.keys() & theirs.keys():
        yield from differing(f"{metric} {kind}", ours[metric], float(theirs[metric]))


def results(one, benchmark, scenario, names):
    ours, name = benchmark.result(scenario), benchmark.name
    runs_as = one.scenarios[scenario].runs_as or scenario
    fields = names["RESULT_FIELD_NEW"][one.name]
    special = names["RESULT_FIELD_BENCHMARK_OVERWRITE"].get(one.name, {}).get(name, {})
    yield from differing(f"result of {scenario}", ours.key, special.get(runs_as, fields[runs_as]))
    unit = names["SPECIAL_UNIT_DICT"].get(name, {}).get(scenario, names["UNIT_DICT"][scenario])
    if name in TOKENS_WITHOUT_UNIT and "tokens" in ours.key:
        unit = "Tokens/s"
    yield from differing(f"unit of {scenario}", ours.unit, unit)


def limits(benchmark, scenario, theirs, names, conf):
    ours, conf_name = benchmark.limits(scenario), benchmark.conf_name(scenario)
    runs_as = "Server" if scenario == "Interactive" else scenario
    if runs_as == "Server":
        limit = theirs["latency-constraint"].get(benchmark.name, {}).get(scenario)
        judged = ours.checker_latency_ms or ours.latency_ms
        yield from differing(f"checker's latency limit of {scenario}", judged, limit / 1e6 if limit else None)
        tokens = names["LLM_LATENCY_LIMITS"].get(benchmark.name, {}).get(scenario, {})
        for key in ("ttft", "tpot"):
            value = tokens[key] / 1e6 if tokens else None
            yield from differing(f"{key} of {scenario}", getattr(ours, f"{key}_ms"), value)
            if conf_name:
                asked = conf.get(conf_name, runs_as, f"{key}_latency")
                yield from differing(f"{key} of {scenario} in mlperf.conf", getattr(ours, f"{key}_ms"), asked)
        if conf_name:
            asked = conf.get(conf_name, runs_as, "target_latency") or None
            yield from differing(f"latency_ms of {scenario} in mlperf.conf", ours.latency_ms, asked)
    if conf_name and scenario != "Offline":
        percentile = conf.get(conf_name, runs_as, "target_latency_percentile")
        yield from differing(f"percentile of {scenario}", ours.percentile, percentile)


def of_conf(benchmark, scenarios, conf):
    name = benchmark.conf
    asked = {"performance_samples": conf.get(name, "Offline", "performance_sample_count_override")}
    if "Offline" in scenarios:
        asked["offline_min_samples"] = conf.get(name, "Offline", "min_query_count")
    lacks = tuple(key for key, value in asked.items() if value is None)
    says = {k: v for k, v in asked.items() if v is not None and v != getattr(benchmark, k)}
    yield from differing("conf_lacks", benchmark.conf_lacks, lacks)
    yield from differing("conf_says", benchmark.conf_says, says)
    for key, ours in (
        ("sample_concatenate_permutation", benchmark.equal_issue),
        ("use_token_latencies", benchmark.tokens == "measured"),
        ("infer_token_latencies", benchmark.tokens == "inferred"),
    ):
        yield from differing(key, ours, conf.values.get((name, "*", key), 0) == 1)


def differences(checkout, one, at=None):
    """Lines that say where a round differs from its sources, or from the checker at the commit `at`."""
    source = {entry.gives: entry for entry in one.sources}
    names = constants(show(checkout, at or source["checker"].commit, source["checker"].file))
    if "older" in source:  # for what today's checker has dropped
        dropped = table(show(checkout, source["older"].commit, source["older"].file), "OFFLINE_MIN_SPQ_SINCE_V4")
        names["OFFLINE_MIN_SPQ_SINCE_V4"] = dropped | names["OFFLINE_MIN_SPQ_SINCE_V4"]
    conf = Conf(show(checkout, source["conf"].commit, source["conf"].file))
    return [
        f"{one.name} {place}: ours {ours!r}, theirs {theirs!r}" for place, ours, theirs in compare(one, names, conf)
    ]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2] / "script" / "app-mlperf-inference"))
    from harness import rounds

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", help="a clone of github.com/mlcommons/inference")
    parser.add_argument("--at", help="take the checker's tables from this commit")
    options = parser.parse_args()
    found = [line for one in rounds.all_rounds() for line in differences(options.checkout, one, options.at)]
    print("\n".join(found) or f"no difference in {', '.join(rounds.names())}")
    sys.exit(bool(found))
