"""Single faults, each put into a passing tree, and the rule that must name it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from tests.checker.trees import Tree, write

DETAIL, SUMMARY, ACCURACY_LOG = "mlperf_log_detail.txt", "mlperf_log_summary.txt", "mlperf_log_accuracy.json"


@dataclass(frozen=True)
class Mutation:
    """A fault.

    Attributes:
        rule: that must object.
        kind: of the tree.
        break_it: what to do to it.
        fails: the results can no longer be submitted; else it is a remark, or about no result.
    """

    rule: str
    kind: str
    break_it: Callable[[Tree], object]
    fails: bool = True


def log(**changes: object) -> Callable[[Tree], object]:
    """Keys of the measured run's log."""
    return lambda tree: tree.log(tree.performance(), **changes)


def accuracy_log(**changes: object) -> Callable[[Tree], object]:
    return lambda tree: tree.log(tree.accuracy(), **changes)


def described(key: str, *value: object) -> Callable[[Tree], object]:
    """A key of the system's description; without a value it is taken out."""

    def change(said: dict) -> None:
        said.pop(key)
        if value:
            said[key] = value[0]

    return lambda tree: tree.json(tree.description, change)


def text(where: Callable[[Tree], object], content: str) -> Callable[[Tree], object]:
    return lambda tree: write(where(tree), content)  # type: ignore[arg-type]


def gone(where: Callable[[Tree], object]) -> Callable[[Tree], object]:
    def remove(tree: Tree) -> None:
        path = where(tree)
        shutil.rmtree(path) if path.is_dir() else path.unlink()  # type: ignore[attr-defined]

    return remove


def cut(where: Callable[[Tree], object], share: float = 0.5) -> Callable[[Tree], object]:
    def shorten(tree: Tree) -> None:
        path = where(tree)
        content = path.read_bytes()  # type: ignore[attr-defined]
        path.write_bytes(content[: int(len(content) * share)])  # type: ignore[attr-defined]

    return shorten


def binary(where: Callable[[Tree], object]) -> Callable[[Tree], object]:
    return lambda tree: where(tree).write_bytes(bytes(range(256)) * 8)  # type: ignore[attr-defined]


def detail(tree: Tree) -> object:
    return tree.performance() / DETAIL


def score(tree: Tree) -> object:
    return tree.accuracy() / "accuracy.txt"


def in_test(name: str, *parts: str) -> Callable[[Tree], object]:
    return lambda tree: tree.test(name).joinpath(*parts)


def test_log(name: str, **changes: object) -> Callable[[Tree], object]:
    return lambda tree: tree.log(tree.test(name) / "performance" / "run_1", **changes)


def broken_line(tree: Tree) -> None:
    with (tree.performance() / DETAIL).open("a") as file:
        file.write(":::MLLOG {")


def folder_for_log(tree: Tree) -> None:
    (tree.performance() / DETAIL).unlink()
    write(tree.performance() / DETAIL / "log.txt", "x")


def spl(tree: Tree) -> object:
    return tree.performance() / "spl.txt"


def other_run(tree: Tree) -> None:
    """The summary of a slower run."""
    keep = (tree.performance() / DETAIL).read_bytes()
    tree.log(tree.performance(), result_mean_latency_ns=7_000_000)
    (tree.performance() / DETAIL).write_bytes(keep)


def scenario_renamed(to: str, fixed: str = "") -> Callable[[Tree], object]:
    def rename(tree: Tree) -> None:
        tree.result().rename(tree.result(to))
        if fixed:
            tree.json(tree.description, lambda said: said.update(system_type=fixed))

    return rename


def drifted(tree: Tree) -> None:
    """TEST01 with other responses, and scores two percent apart."""
    write(tree.test("TEST01") / "verify_accuracy.txt", "TEST FAIL\n")
    folder = tree.test("TEST01") / "accuracy"
    write(folder / "baseline_accuracy.txt", "accuracy=76.4%\n")
    write(folder / "compliance_accuracy.txt", "accuracy=74.0%\n")


def large(tree: Tree) -> None:
    path = tree.home / "src" / "weights.bin"
    with path.open("wb") as file:
        file.truncate(51 * 1024 * 1024)


def loop(tree: Tree) -> None:
    (tree.code / "again").symlink_to(tree.home)


def outside(tree: Tree) -> None:
    (tree.code / "passwd").symlink_to("/etc/hostname")


def model_renamed(to: str) -> Callable[[Tree], object]:
    return lambda tree: tree.model.rename(tree.model.with_name(to))


def mapped_to(target: object) -> Callable[[Tree], object]:
    def change(tree: Tree) -> None:
        tree.model.rename(tree.model.with_name("mynet"))
        write(tree.home / "model_mapping.json", json.dumps({"mynet": target}))

    return change


def measured(change: Callable[[dict], object]) -> Callable[[Tree], object]:
    return lambda tree: tree.json(tree.measurements_json, change)


O, C, T, OFF, P = "open-v6.1", "closed-v6.1", "tokens-v6.1", "offline-v6.1", "power-v6.1"  # noqa: E741

MUTATIONS: dict[str, Mutation] = {
    # what loadgen says
    "result INVALID": Mutation("result-invalid", O, log(result_validity="INVALID")),
    "no verdict": Mutation("result-invalid", O, log(result_validity=None)),
    "errors in the measured run": Mutation("loadgen-errors", O, lambda t: t.error(t.performance())),
    "errors by loadgen's count only": Mutation("loadgen-errors", O, log(num_errors=3)),
    "errors in the accuracy run": Mutation("accuracy-loadgen-errors", O, lambda t: t.error(t.accuracy())),
    "early stopping not met": Mutation("early-stopping", O, log(early_stopping_met=False)),
    "early stopping not in the log": Mutation("early-stopping", O, log(early_stopping_met=None)),
    # settings of the measured run
    "wrong seed": Mutation("seeds", O, log(effective_qsl_rng_seed=1)),
    "wrong schedule seed": Mutation("seeds", O, log(effective_schedule_rng_seed=1)),
    "seed is text": Mutation("seeds", O, log(effective_sample_index_rng_seed="x")),
    "one minute": Mutation("duration", O, log(effective_min_duration_ms=60000)),
    "duration not in the log": Mutation("duration", O, log(effective_min_duration_ms=None)),
    "few samples in memory": Mutation("performance-samples", O, log(effective_performance_sample_count=500)),
    "samples in memory are text": Mutation("performance-samples", O, log(effective_performance_sample_count="many")),
    "small Offline query": Mutation("offline-samples", OFF, log(effective_samples_per_query=100)),
    "no Offline query": Mutation("query-count", OFF, log(effective_min_query_count=0)),
    "no figure": Mutation("figure", O, log(early_stopping_latency_ss=None)),
    "figure of zero": Mutation("figure", OFF, log(result_samples_per_second=0)),
    "figure is text": Mutation("figure", OFF, log(result_samples_per_second="fast")),
    "equal issue off": Mutation("equal-issue", T, log(effective_sample_concatenate_permutation=False), fails=False),
    "token latencies off": Mutation("token-latencies", T, log(requested_use_token_latencies=False)),
    "late first token": Mutation(
        "token-times",
        T,
        lambda t: t.log(t.performance("Server"), result_first_token_99__00_percentile_latency_ns=3_000_000_000),
    ),
    "slow tokens": Mutation(
        "token-times",
        T,
        lambda t: t.log(t.performance("Interactive"), result_time_per_output_token_99__00_percentile_ns=40_000_000),
    ),
    "no token times": Mutation(
        "token-times",
        T,
        lambda t: t.log(t.performance("Server"), result_time_per_output_token_99__00_percentile_ns=None),
    ),
    "loosened latency limit": Mutation(
        "latency-limit", T, lambda t: t.log(t.performance("Server"), effective_target_latency_ns=30_000_000_000)
    ),
    # the measured run's files
    "performance folder missing": Mutation("performance-files", O, gone(lambda t: t.result() / "performance")),
    "performance log missing": Mutation("performance-files", O, gone(detail)),
    "performance summary missing": Mutation("performance-files", O, gone(lambda t: t.performance() / SUMMARY)),
    "stray file among the logs": Mutation("performance-files", O, text(lambda t: t.performance() / "notes.txt", "x")),
    "ptd_out.txt among the logs": Mutation(
        "performance-files", P, text(lambda t: t.performance() / "ptd_out.txt", "x")
    ),
    "log empty": Mutation("performance-log", O, text(detail, "")),
    "log binary": Mutation("performance-log", O, binary(detail)),
    "log of another program": Mutation("performance-log", O, text(detail, "Epoch 1/10\n")),
    "log cut": Mutation("performance-log", O, cut(detail)),
    "log cut between lines": Mutation("performance-log", O, log(result_validity=None, power_end=None)),
    "log with a broken line": Mutation("performance-log", O, broken_line),
    "log is a folder": Mutation("performance-log", O, folder_for_log),
    "accuracy log in the place of the measured": Mutation(
        "performance-log", O, lambda t: shutil.copy(t.accuracy() / DETAIL, t.performance() / DETAIL)
    ),
    "unknown scenario in the log": Mutation("run-scenario", O, log(effective_scenario="Online")),
    "summary empty": Mutation("summary-empty", O, text(lambda t: t.performance() / SUMMARY, "")),
    "summary binary": Mutation("summary-mismatch", O, binary(lambda t: t.performance() / SUMMARY)),
    "summary of another run": Mutation("summary-mismatch", O, other_run),
    # the accuracy run
    "accuracy folder missing": Mutation("accuracy-files", O, gone(lambda t: t.accuracy())),
    "accuracy.txt missing": Mutation("accuracy-files", O, gone(score)),
    "accuracy log of responses missing": Mutation("accuracy-files", O, gone(lambda t: t.accuracy() / ACCURACY_LOG)),
    "accuracy detail missing": Mutation("accuracy-files", O, gone(lambda t: t.accuracy() / DETAIL)),
    "stray file beside accuracy.txt": Mutation("accuracy-files", O, text(lambda t: t.accuracy() / "x.log", "x")),
    "accuracy.txt empty": Mutation("accuracy-text", O, text(score, "")),
    "accuracy.txt binary": Mutation("accuracy-text", O, binary(score)),
    "responses empty": Mutation("accuracy-log-size", O, text(lambda t: t.accuracy() / ACCURACY_LOG, "")),
    "not truncated": Mutation("accuracy-log-size", O, text(lambda t: t.accuracy() / ACCURACY_LOG, "x" * 20000)),
    "hash missing in closed": Mutation("accuracy-hash", C, text(score, "accuracy=76.46%\n")),
    "hash missing in open": Mutation("accuracy-hash", O, text(score, "accuracy=76.46%\n"), fails=False),
    "metric missing in closed": Mutation("accuracy-metric", C, text(score, "well done\nhash=ab\n")),
    "metric missing in open": Mutation("accuracy-metric", O, text(score, "well done\nhash=ab\n")),
    "metric missing in open, v4.1": Mutation(
        "accuracy-metric", "open-v4.1", text(score, "well done\nhash=ab\n"), fails=False
    ),
    "one of two metrics missing in open": Mutation(
        "accuracy-metric", "pictures-v5.1", text(score, "{'FID_SCORE': 23.5}\nhash=ab\n"), fails=False
    ),
    "metric is no number": Mutation("accuracy-metric", C, text(score, "accuracy=7.6.4%\nhash=ab\n")),
    "accuracy too low": Mutation("accuracy-target", C, text(score, "accuracy=75.6%\nhash=ab\n")),
    "too many tokens": Mutation(
        "accuracy-target",
        T,
        text(score, "{'rouge1': 39, 'rouge2': 16, 'rougeL': 25, 'rougeLsum': 36, 'gen_len': 9167644}\nhash=ab\n"),
    ),
    "500 of 50000 samples": Mutation(
        "accuracy-samples", O, accuracy_log(effective_accuracy_sample_count=500, qsl_reported_total_count=500)
    ),
    "samples not in the accuracy log": Mutation(
        "accuracy-samples", O, accuracy_log(effective_accuracy_sample_count=None, qsl_reported_total_count=None)
    ),
    "a picture missing": Mutation(
        "accuracy-extra-files", "pictures-v5.1", gone(lambda t: t.accuracy() / "images" / "2747.png")
    ),
    "all pictures missing": Mutation("accuracy-extra-files", "pictures-v5.1", gone(lambda t: t.accuracy() / "images")),
    "accuracy log of another scenario": Mutation("accuracy-scenario", O, accuracy_log(effective_scenario="Offline")),
    "performance log as accuracy log": Mutation(
        "accuracy-log", O, lambda t: shutil.copy(t.performance() / DETAIL, t.accuracy() / DETAIL)
    ),
    "performance summary in accuracy": Mutation(
        "accuracy-summary-mismatch", O, lambda t: shutil.copy(t.performance() / SUMMARY, t.accuracy() / SUMMARY)
    ),
    "accuracy log of another system": Mutation("accuracy-sut", O, accuracy_log(sut_name="other"), fails=False),
    "accuracy log of another round": Mutation("accuracy-seeds", O, accuracy_log(effective_qsl_rng_seed=7), fails=False),
    "accuracy log cut": Mutation("accuracy-log", O, cut(lambda t: t.accuracy() / DETAIL, 0.7)),
    # the system
    "description missing": Mutation("system-description", O, gone(lambda t: t.description)),
    "description cut": Mutation("system-description", O, cut(lambda t: t.description)),
    "description binary": Mutation("system-description", O, binary(lambda t: t.description)),
    "description is a list": Mutation("system-description", O, text(lambda t: t.description, "[1]")),
    "description nested without end": Mutation("system-description", O, text(lambda t: t.description, "[" * 100000)),
    "description with an endless number": Mutation(
        "system-description", O, text(lambda t: t.description, '{"a": ' + "9" * 5000 + "}")
    ),
    "key missing": Mutation("system-key", O, described("cooling")),
    "key empty": Mutation("system-key", O, described("framework", "")),
    "key null": Mutation("system-key", O, described("framework", None)),
    "wrong status": Mutation("system-key", O, described("status", "soon")),
    "status is a number": Mutation("system-key", O, described("status", 7)),
    "wrong type": Mutation("system-key", O, described("system_type", "cloud")),
    "wrong submitter": Mutation("system-key", O, described("submitter", "other")),
    "wrong division": Mutation("system-key", O, described("division", "closed")),
    "nodes in words": Mutation("system-key", O, described("number_of_nodes", "one")),
    "nodes in a list": Mutation("system-key", O, described("number_of_nodes", [1])),
    "no nodes, as a number": Mutation("system-key", O, described("accelerators_per_node", 0)),
    "network system in closed": Mutation(
        "system-key", C, lambda t: t.json(t.description, lambda said: said.update(is_network="true"))
    ),
    "network name missing": Mutation(
        "network-sut-name", O, lambda t: t.json(t.description, lambda said: said.update(is_network="true"))
    ),
    "description without results": Mutation(
        "system-unused", O, lambda t: shutil.copy(t.description, t.description.with_name("spare.json")), fails=False
    ),
    # what describes the measurement
    "measurements.json missing": Mutation("measurements-json", O, gone(lambda t: t.measurements_json)),
    "measurements.json cut": Mutation("measurements-json", O, cut(lambda t: t.measurements_json)),
    "measurements.json empty": Mutation("measurements-json", O, text(lambda t: t.measurements_json, "")),
    "measurement key missing": Mutation("measurements-json", O, measured(lambda said: said.pop("retraining"))),
    "measurement key empty": Mutation("measurements-json", O, measured(lambda said: said.update(retraining=""))),
    "user.conf missing": Mutation("measurements-file", O, gone(lambda t: t.measurements() / "user.conf")),
    "user.conf empty": Mutation("measurements-file", O, text(lambda t: t.measurements() / "user.conf", "")),
    "README missing": Mutation("measurements-file", O, gone(lambda t: t.measurements() / "README.md")),
    "README empty": Mutation("measurements-file", O, text(lambda t: t.measurements() / "README.md", "")),
    "user.conf without spaces": Mutation(
        "user-conf-line", O, text(lambda t: t.measurements() / "user.conf", "*.Offline.x=1\n"), fails=False
    ),
    "user.conf sets a seed": Mutation(
        "user-conf-line", O, text(lambda t: t.measurements() / "user.conf", "*.*.qsl_rng_seed = 1\n"), fails=False
    ),
    "user.conf binary": Mutation("user-conf-line", O, binary(lambda t: t.measurements() / "user.conf")),
    "measurements folder missing": Mutation("measurements-missing", "open-v5.1", gone(lambda t: t.measurements())),
    "mlperf.conf missing in v4.1": Mutation(
        "measurements-file", "open-v4.1", gone(lambda t: t.measurements() / "mlperf.conf")
    ),
    # benchmarks and scenarios
    "unknown model": Mutation("benchmark-unknown", O, model_renamed("mynet")),
    "unknown model in closed": Mutation("benchmark-unknown", C, model_renamed("mynet")),
    "mapping to an alias": Mutation("model-mapping", O, mapped_to("resnet50")),
    "mapping to nothing": Mutation("model-mapping", O, mapped_to(None)),
    "mapping cut": Mutation("model-mapping", O, text(lambda t: t.home / "model_mapping.json", '{"mynet": ')),
    "mapping is a list": Mutation("model-mapping", O, text(lambda t: t.home / "model_mapping.json", "[]")),
    "benchmark of the other category": Mutation("benchmark-category", O, described("system_type", "datacenter")),
    "scenario missing in closed": Mutation("scenario-missing", C, gone(lambda t: t.result("Offline"))),
    "neither Server nor Interactive": Mutation(
        "scenario-one-of", T, lambda t: (shutil.rmtree(t.result("Server")), shutil.rmtree(t.result("Interactive")))
    ),
    "folder that is no scenario": Mutation("scenario-unknown", O, scenario_renamed("SingleStrem")),
    "scenario of another benchmark": Mutation(
        "scenario-not-allowed", C, lambda t: shutil.copytree(t.result(), t.result("Server"))
    ),
    "scenario of another round": Mutation(
        "scenario-known-to-round", "open-v4.1", lambda t: t.result().rename(t.result("Interactive"))
    ),
    "Server holding SingleStream": Mutation("inferred", O, scenario_renamed("Server")),
    "SingleStream from Offline": Mutation("inferred", OFF, scenario_renamed("SingleStream")),
    "inferred for a datacenter": Mutation("inferred", O, scenario_renamed("Offline", fixed="datacenter")),
    "sources missing": Mutation("code-missing", O, gone(lambda t: t.code)),
    "sources of the benchmark missing in v4.1": Mutation(
        "code-of-benchmark", "open-v4.1", lambda t: (t.code / "resnet").rename(t.code / "other")
    ),
    "no calibration in closed": Mutation(
        "calibration-missing", C, gone(lambda t: t.home / "calibration.md"), fails=False
    ),
    # compliance
    "test missing": Mutation("compliance-missing", C, gone(in_test("TEST04"))),
    "verification missing": Mutation("compliance-files", C, gone(in_test("TEST04", "verify_performance.txt"))),
    "test's log missing": Mutation("compliance-files", C, gone(in_test("TEST01", "performance", "run_1", DETAIL))),
    "test's run missing": Mutation("compliance-files", C, gone(in_test("TEST01", "performance"))),
    "TEST PASS missing": Mutation("compliance-failed", C, text(in_test("TEST04", "verify_performance.txt"), "no\n")),
    "TEST06 with end tokens": Mutation(
        "compliance-failed", T, text(in_test("TEST06", "verify_accuracy.txt"), "EOS check pass: False\n")
    ),
    "verification binary": Mutation("compliance-failed", C, binary(in_test("TEST04", "verify_performance.txt"))),
    "TEST01 accuracy missing": Mutation("compliance-accuracy", C, gone(in_test("TEST01", "accuracy"))),
    "TEST01 drifted": Mutation("compliance-accuracy", C, drifted),
    "TEST01 without scores": Mutation(
        "compliance-accuracy", C, text(in_test("TEST01", "verify_accuracy.txt"), "TEST FAIL\n")
    ),
    "test INVALID": Mutation("compliance-log", C, test_log("TEST01", result_validity="INVALID")),
    "errors in a test": Mutation("compliance-log", C, lambda t: t.error(t.test("TEST04") / "performance" / "run_1")),
    "short test": Mutation("compliance-settings", C, test_log("TEST04", effective_min_duration_ms=1000)),
    "test with other seeds": Mutation("compliance-settings", C, test_log("TEST04", effective_qsl_rng_seed=1)),
    "test of another scenario": Mutation("compliance-scenario", C, test_log("TEST04", effective_scenario="Offline")),
    "TEST04 without audit": Mutation("compliance-audit", C, test_log("TEST04", effective_performance_issue_same=False)),
    "TEST01 without audit": Mutation("compliance-audit", C, test_log("TEST01", effective_accuracy_log_rng_seed=0)),
    # power
    "spl.txt missing": Mutation("performance-files", P, gone(spl)),
    "spl.txt of another day": Mutation(
        "power-figure",
        P,
        text(spl, "Time,03-02-2026 10:01:00.000,Watts,200.0,Volts\n"),
    ),
    "spl.txt binary": Mutation("power-figure", P, binary(spl)),
    "negative power": Mutation(
        "power-figure",
        P,
        text(spl, "Time,03-01-2026 10:01:00.000,Watts,-2.0,Volts\n"),
    ),
    "no window": Mutation("power-figure", P, log(power_begin=None)),
    "ranging missing": Mutation("power-files", P, gone(lambda t: t.result() / "performance" / "ranging")),
    "ptd_logs.txt missing": Mutation(
        "power-files", P, gone(lambda t: t.result() / "performance" / "power" / "ptd_logs.txt")
    ),
    "ranging log cut": Mutation("power-ranging", P, cut(lambda t: t.result() / "performance" / "ranging" / DETAIL)),
    "analyzer table missing": Mutation("power-settings", P, gone(lambda t: t.measurements() / "analyzer_table.md")),
    "analyzer table empty": Mutation("power-settings", P, text(lambda t: t.measurements() / "analyzer_table.md", "")),
    "nameplate broken": Mutation("nameplate", P, text(lambda t: t.home / "systems" / "box_power.yaml", "a: [1, {")),
    "nameplate nonsense": Mutation(
        "nameplate", P, text(lambda t: t.home / "systems" / "box_power.yaml", "box: {PSUs: 3, Min PSUs Needed: two}\n")
    ),
    # folders and names
    "empty folder": Mutation("empty-folder", O, lambda t: (t.code / "nothing").mkdir()),
    "compiled Python": Mutation("pycache", O, text(lambda t: t.code / "__pycache__" / "a.pyc", "x")),
    "space in a name": Mutation("name-space", O, text(lambda t: t.code / "my notes.txt", "x")),
    "hidden file": Mutation("name-hidden", O, text(lambda t: t.code / ".DS_Store", "x")),
    "control character in a name": Mutation("name-characters", O, text(lambda t: t.code / "a\nb", "x")),
    "bytes in a name": Mutation(
        "name-characters", O, lambda t: os.close(os.open(os.fsencode(t.code) + b"/\xff\xfe", os.O_CREAT))
    ),
    "names that differ in case": Mutation(
        "name-case", O, lambda t: (write(t.code / "a.py", "x"), write(t.code / "A.py", "x")), fails=False
    ),
    "large file": Mutation("file-size", O, large),
    "large log": Mutation("file-size", O, lambda t: os.truncate(t.performance() / DETAIL, 300 * 1024 * 1024)),
    "broken link": Mutation("link", O, lambda t: (t.code / "weights").symlink_to("nowhere")),
    "link in a circle": Mutation("link", O, loop),
    "link to the system": Mutation("link", O, outside),
    "a pipe": Mutation("link", O, lambda t: os.mkfifo(t.performance() / ACCURACY_LOG)),
    "file at the top": Mutation("root-file", O, text(lambda t: t.root / "run.sh", "x")),
    "file beside the submitters": Mutation("division-file", O, text(lambda t: t.root / "open" / "run.sh", "x")),
    "misspelt division": Mutation("division-name", O, text(lambda t: t.root / "opne" / "acme" / "a", "x"), fails=False),
    "submitter without results": Mutation(
        "results-missing", O, text(lambda t: t.root / "open" / "late" / "README.md", "x"), fails=False
    ),
    "endpoints": Mutation(
        "endpoints",
        O,
        lambda t: (shutil.rmtree(t.performance()), write(t.result() / "performance" / "result_summary.json", "{}")),
    ),
}
