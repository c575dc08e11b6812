"""Cost of the harness with a model that does nothing, beside the barest SUT that Python allows.

Prints, best of N runs: Offline CPU per sample and peak memory of one query of a million samples, latency percentiles of
SingleStream, and Server tail latency at fixed rates. The bare SUT answers with ready-made responses and keeps no books:
its figures are loadgen's and the bindings' own.

    python benchmarks/harness_null.py [--repeat 3]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "script" / "app-mlperf-inference"
sys.path.insert(0, str(PACKAGES))


def configuration(folder: Path, scenario: str, queries: int, batch: int, rate: float | None) -> str:
    """JSON of a null run."""
    from harness.config import ModelConfig, RunConfig

    return RunConfig(
        model=ModelConfig(name="null", architecture="none"),
        dataset="",
        scenario=scenario,  # type: ignore[arg-type]
        output_dir=str(folder),
        tier="synthetic",
        task="null",
        backend="null",
        batch_size=batch,
        target_qps=rate,
        min_duration_ms=0,
        min_query_count=queries,
        ledger=False,
    ).to_json()


def bare(folder: Path, text: str) -> None:
    """Run the configuration with the barest SUT in this process and print CPU seconds."""
    import time

    import mlperf_loadgen as lg
    import numpy as np

    from harness import settings
    from harness.config import RunConfig

    config = RunConfig.from_json(text)
    test_settings = settings.build(lg, config)
    results = np.zeros(config.batch_size, np.float32)
    pool = [lg.QuerySampleResponse(0, results.ctypes.data + 4 * k, 4) for k in range(config.batch_size)]
    size, complete = config.batch_size, lg.QuerySamplesComplete

    def issue(ids: list[int], _indices: list[int]) -> None:
        for begin in range(0, len(ids), size):
            chunk = ids[begin : begin + size]
            for response, one in zip(pool, chunk, strict=False):
                response.id = one
            complete(pool if len(chunk) == size else pool[: len(chunk)])

    sut = lg.ConstructFastSUT(issue, lambda: None)
    qsl = lg.ConstructQSL(1024, 1024, lambda _: None, lambda _: None)
    logs = lg.LogSettings()
    logs.enable_trace = False
    logs.log_output.outdir = str(folder)
    started = time.process_time()
    lg.StartTestWithLogSettings(sut, qsl, test_settings, logs, "")
    print(time.process_time() - started)


def measure(kind: str, text: str, folder: Path) -> dict[str, float]:
    """Run once in a process of its own: CPU seconds, peak MB, and loadgen's figures."""
    from harness import logs
    from harness.scenarios import ALL

    (folder / "in.json").write_text(text)
    command = [sys.executable, __file__, "--one", kind, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{kind} failed: {output}")
    loadgen = logs.summarise(logs.read(folder), ALL[json.loads(text)["scenario"]])
    cpu = float(output.strip().splitlines()[-1])
    return {
        "cpu": cpu,
        "mb": usage.ru_maxrss / 1024,
        "p50": loadgen.percentiles_ms["50"],
        "p99": loadgen.percentiles_ms["99"],
    }


def one(kind: str, folder: Path) -> None:
    """Body of the measured process."""
    text = (folder / "in.json").read_text()
    if kind == "bare":
        bare(folder, text)
        return
    from harness import child
    from harness.report import ChildReport

    reader, writer = os.pipe()
    code = child.main(str(folder / "in.json"), str(writer))
    os.close(reader)
    report = ChildReport.read(folder)
    print(report.cpu_s if report else "no report")
    sys.exit(code)


def series(
    kind: str, repeat: int, scenario: str, queries: int, batch: int, rate: float | None = None
) -> dict[str, float]:
    """Minimum of each figure over the runs: other work on the machine only ever adds."""
    runs = []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            text = configuration(Path(folder), scenario, queries, batch, rate)
            runs.append(measure(kind, text, Path(folder)))
    return {key: min(run[key] for run in runs) for key in runs[0]} | {
        "p99_median": statistics.median(r["p99"] for r in runs)
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one", nargs=2)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], Path(options.one[1]))
        return
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, best of {options.repeat}")
    for kind in ("bare", "harness"):
        got = series(kind, options.repeat, "Offline", 1_000_000, 1024)
        print(f"Offline 1M     {kind:8s} {got['cpu']:6.3f} us CPU/sample, peak {got['mb']:.0f} MB")
    for kind in ("bare", "harness"):
        got = series(kind, options.repeat, "SingleStream", 200_000, 1)
        print(f"SingleStream   {kind:8s} p50 {got['p50'] * 1e3:6.2f} us, p99 {got['p99'] * 1e3:6.2f} us, "
              f"{got['cpu'] * 5:5.2f} us CPU/query")  # fmt: skip
    for kind in ("bare", "harness"):
        got = series(kind, options.repeat, "MultiStream", 50_000, 8)
        print(f"MultiStream    {kind:8s} p50 {got['p50'] * 1e3:6.2f} us, p99 {got['p99'] * 1e3:6.2f} us per query of 8")
    for rate in (10_000.0, 40_000.0):
        for kind in ("bare", "harness"):
            got = series(kind, options.repeat, "Server", int(3 * rate), 1024, rate)
            print(f"Server {rate:6.0f}/s {kind:8s} p50 {got['p50'] * 1e3:6.1f} us, p99 {got['p99']:.2f} ms "
                  f"(median {got['p99_median']:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
