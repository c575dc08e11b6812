"""Short real runs, and the same at full length on paper."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from mlperf_submission.errors import SubmissionError
from mlperf_submission.files import sha256
from mlperf_submission.order import Order
from mlperf_submission.packing import pack
from tests.submission import sleeping

from harness import rounds

ROOT = Path(__file__).resolve().parents[2]
RUN = "20260101-000000-sleeping-0000"
SCENARIOS = ("SingleStream", "Offline")
SYSTEM = {
    "host_memory_configuration": "2x 16 GiB DDR5",
    "host_networking_topology": "N/A",
    "cooling": "air",
    "division": "open",
    "submitter": "me",
    "status": "available",
    "system_type": "edge",
}


@pytest.fixture(scope="session", autouse=True)
def sleeping_sut():
    """Let loadgen's processes import `tests.submission.sleeping`."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), before]))
    yield
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="session")
def short_runs(tmp_path_factory):
    """Records of real runs that last a moment."""
    folder = tmp_path_factory.mktemp("results") / RUN
    outcomes = sleeping.measure(folder, SCENARIOS, workers=4, min_duration_ms=200)
    sleeping.store(folder, outcomes)
    return folder.parent


def long_on_paper(results, seeds=None, tier="full", division="open"):
    """Make of short runs what their logs and records would say after 600 s, in a round of choice."""
    for path in results.glob("*/*/result.json"):
        record = json.loads(path.read_text())
        for log in path.parent.glob("*/run_1/mlperf_log_detail.txt"):
            values = {"min_duration_ms": 600_000, **(seeds or {})}
            if path.parent.name == "offline":
                values |= {"min_sample_count": 660_000, "samples_per_query": 660_000}
            queries = 1 if path.parent.name == "offline" else 90_000
            results_of = {"result_query_count": queries, "early_stopping_latency_ms": 9_000_000}
            log.write_text(_in_detail(log.read_text(), values, results_of))
            summary = log.with_name("mlperf_log_summary.txt")
            summary.write_text(_in_summary(summary.read_text(), values))
        for run in record["runs"]:
            for file in run["files"]:
                file["sha256"] = sha256(path.parent / file["path"])
        record |= {"tier": tier, "division": division, "notes": []}
        path.write_text(json.dumps(record))
    return results


def _in_detail(text, values, figures):
    keys = {f"{kind}_{key}": value for key, value in values.items() for kind in ("requested", "effective")}
    for key, value in {**keys, **figures}.items():
        text = re.sub(rf'("key": "{key}", "value": )[0-9]+', rf"\g<1>{value}", text)
    return text


def _in_summary(text, values):
    for key, value in values.items():
        name = key.replace("_ms", r" \(ms\)")
        text = re.sub(rf"^({name} *: )\d+", rf"\g<1>{value}", text, flags=re.MULTILINE)
    return text


def seeds_of(version):
    seeds = rounds.load(version).seeds
    return {key: getattr(seeds, key) for key in seeds.__struct_fields__}


@pytest.fixture
def results(short_runs, tmp_path):
    """Results that can be submitted in the open division of v6.1, as far as their files tell."""
    return long_on_paper(Path(shutil.copytree(short_runs, tmp_path / "results")))


@pytest.fixture
def system_file(tmp_path):
    """A complete description of a system called box."""
    return write_system(tmp_path / "systems" / "box.json")


def write_system(path, **changes):
    from system_description import host
    from system_description.description import Description
    from system_description.values import Origin, Value

    given = {key: Value(text, Origin.GIVEN, "test") for key, text in (SYSTEM | changes).items()}
    found = {"system_name": Value("box", Origin.GIVEN), "number_of_nodes": Value("1", Origin.DETECTED)}
    described = Description({}, "v6.1").completed({**host.read(FAKE_HOST, on_cpu=True), **found, **given})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(described.to_json())
    path.with_name(f"{path.stem}.origins.json").write_text(described.origins_json())
    return path


FAKE_HOST = Path(__file__).parent / "host"


@pytest.fixture
def order(results, system_file, tmp_path):
    """Factory of orders; keywords replace fields."""

    def make(**changes):
        fields = {"records": (results,), "description": system_file, "output": tmp_path / "packed"}
        return Order(**(fields | changes))

    return make


def contents(root):
    """Every file below a folder with its bytes."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def refused(order):
    """What a refusal says; nothing may be on disk after it."""
    with pytest.raises(SubmissionError) as caught:
        pack(order)
    assert not order.output.exists() or not list(order.output.iterdir())
    return caught.value.cause
