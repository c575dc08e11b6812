"""What a loadgen run leaves, without one: `fakeload.py FOLDER SECONDS [EXIT]`; for tests of everything around it."""

import json
import sys
import time
from datetime import datetime, timezone
from pathlib import Path


def entry(key, value):
    return ":::MLLOG " + json.dumps({"key": key, "value": value, "time_ms": 0, "metadata": {"is_error": False}}) + "\n"


def now():
    return datetime.now(timezone.utc).strftime("%m-%d-%Y %H:%M:%S.%f")[:-3]


folder, seconds, status = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
if status:
    sys.exit(status)
folder.mkdir(parents=True, exist_ok=True)
time.sleep(0.02)
began = now()
time.sleep(seconds)
values = {"power_begin": began, "power_end": now(), "effective_scenario": "Offline", "result_query_count": 1}
log = "".join(entry(key, value) for key, value in {**values, "result_samples_per_second": 100.0}.items())
(folder / "mlperf_log_detail.txt").write_text(log)
(folder / "mlperf_log_summary.txt").write_text("fake\n")
time.sleep(0.02)
