"""A real loadgen run against a system that answers at once: `workload.py FOLDER SECONDS [SCENARIO]`."""

import array
import sys
import time
from pathlib import Path

import mlperf_loadgen as lg

SAMPLES = 64


def settings(scenario, seconds):
    found = lg.TestSettings()
    found.scenario = getattr(lg.TestScenario, scenario)
    found.mode = lg.TestMode.PerformanceOnly
    found.min_duration_ms = int(seconds * 1000)
    found.min_query_count = 1
    found.offline_expected_qps = 200
    found.single_stream_expected_latency_ns = 5_000_000
    found.multi_stream_expected_latency_ns = 5_000_000
    return found


def answer(samples):
    time.sleep(0.005 if len(samples) < 10 else SECONDS)
    empty = array.array("B", [0])
    lg.QuerySamplesComplete([lg.QuerySampleResponse(s.id, empty.buffer_info()[0], 1) for s in samples])


FOLDER, SECONDS = Path(sys.argv[1]), float(sys.argv[2])
SCENARIO = sys.argv[3] if len(sys.argv) > 3 else "SingleStream"

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    output = lg.LogOutputSettings()
    output.outdir = str(FOLDER)
    log = lg.LogSettings()
    log.log_output = output
    sut = lg.ConstructSUT(answer, lambda: None)
    qsl = lg.ConstructQSL(SAMPLES, SAMPLES, lambda _: None, lambda _: None)
    lg.StartTestWithLogSettings(sut, qsl, settings(SCENARIO, SECONDS), log)
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)
