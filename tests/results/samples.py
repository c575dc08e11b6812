"""Records to read in tests: made up, and marked so."""

from __future__ import annotations

from dataclasses import replace

from cm4bench_results import (
    DeviceTruth,
    Figure,
    FileHash,
    Host,
    LatencyProfile,
    LedgerEntry,
    LoadgenRun,
    Quality,
    Request,
    ResultRecord,
    Subject,
    Validity,
)

OK = Validity(True)


def latency(count: int = 1000) -> LatencyProfile:
    edges = tuple(4.0 + 0.5 * step for step in range(41))
    counts = tuple(max(0, 100 - (step - 8) ** 2) for step in range(40))
    return LatencyProfile("query latency", count, edges, counts, ((0.5, 8.24), (0.9, 11.43), (0.99, 12.74)))


def device(valid: bool = True) -> DeviceTruth:
    found = OK if valid else Validity(False, ("the GPU was throttled: SW thermal slowdown",))
    return DeviceTruth("cpu", "cpu", "A test processor", found, {"threads": 1, "executed": "aten::conv2d on cpu"})


def performance(**changes: object) -> LoadgenRun:
    run = LoadgenRun(
        mode="performance",
        validity=OK,
        figures=(Figure("samples per second", 41.25, "samples/s"), Figure("p99 latency", 12.6, "ms")),
        configuration={"batch_size": 4, "threads": 1, "user_conf": None},
        settings={"effective_min_duration_ms": 10000, "effective_scenario": "Offline"},
        latency=latency(),
        device=device(),
        ledger=(LedgerEntry("null backend, CPU per sample", 1.2, "µs", "this host, after the run"),),
        files=(FileHash("performance/mlperf_log_summary.txt", 812, "ab" * 32),),
        timings={"load": 1.5, "loadgen": 10.2},
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def record(**changes: object) -> ResultRecord:
    made = ResultRecord(
        id="20260131-093005-efficientnet-lite0-4f1a/offline",
        created="2026-01-31T09:30:05Z",
        request=Request(("run mlperf inference",), ("run", "mlperf", "inference"), ("cpu",)),
        subject=Subject("image classification", "efficientnet-lite0", "Offline", "pytorch", "cpu", "fp32"),
        tier="embedded",
        division="demonstration",
        host=Host("Linux", "A test processor", 2, 8 << 30, "3.11.2", ()),
        runs=(performance(), LoadgenRun("accuracy", OK, device=device())),
        quality=Quality("top-1", 90.0, "%", 20, 18, 90.0),
        versions={"mlcommons-loadgen": "6.0.17", "torch": "2.13.0"},
    )
    return replace(made, **changes)  # type: ignore[arg-type]
