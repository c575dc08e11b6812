"""What the results database costs: queries over a million rows, building from records, importing a results tree.

    python benchmarks/results_database.py [--rows 1000000] [--records 2000] [--tree inference_results_v4.1]

Rows are synthetic; they are there to be many. Wall clock, in a fresh folder.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "automation" / "experiment"), str(ROOT / "automation" / "script")]

from cm4bench_database import Database, Row, builder  # noqa: E402
from cm4bench_database.imports import Options  # noqa: E402

MODELS = ("resnet50", "retinanet", "bert-99", "llama2-70b-99", "gptj-99", "dlrm-v2-99")
SCENARIOS = {"Offline": "Samples/s", "Server": "Queries/s", "SingleStream": "Latency (ms)"}
QUERIES = {
    "filter": "SELECT id, value FROM results WHERE headline AND model = 'resnet50' AND threads = 4 LIMIT 1000",
    "group": "SELECT model, scenario, backend, count(*), median(value), max(per_core) FROM results GROUP BY ALL",
    "best": "SELECT * EXCLUDE (lock) FROM results WHERE scenario = 'Offline' ORDER BY value DESC LIMIT 50",
    "versions": "SELECT versions->>'torch' AS torch, count(*), avg(value) FROM results GROUP BY ALL ORDER BY ALL",
    "like": "SELECT count(*) FROM results WHERE lower(system) GLOB '*box 7*'",
    "history": "SELECT created, value FROM results WHERE system = 'box 7' AND model = 'bert-99' ORDER BY created",
}


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--tree", type=Path, help="a checkout of published results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = {**of_rows(Path(folder) / "rows", options.rows), **of_records(Path(folder) / "own", options.records)}
        if options.tree:
            report |= of_tree(Path(folder) / "tree", options.tree)
    print(json.dumps(report, indent=1))


def of_rows(home: Path, count: int) -> dict[str, object]:
    """Queries over many rows, each the best of three, and all points of a plot as arrays."""
    home.mkdir()
    database = Database(home)
    report: dict[str, object] = {"rows": count, "fill_s": seconds(lambda: fill(database, count))}
    report["open_s"] = seconds(lambda: Database.open(home))
    for name, sql in QUERIES.items():
        report[f"query_{name}_s"] = min(seconds(lambda sql=sql: database.query(sql)) for _ in range(3))  # type: ignore[misc]
    plot = "SELECT value, accuracy, power_w FROM results WHERE headline"
    report["arrays_of_all_points_s"] = min(seconds(lambda: database.arrays(plot)) for _ in range(3))
    report["file_mb"] = round(sum(one.stat().st_size for one in home.rglob("*.duckdb")) / 1e6, 1)
    return report


def of_records(home: Path, count: int) -> dict[str, object]:
    """Building from result.json files, looking again, and one new file."""
    sys.path.append(str(ROOT / "tests" / "results"))
    from dataclasses import replace

    from samples import record

    from cm4bench_results import ResultStore

    store = ResultStore(home)
    for number in range(count):
        store.save(replace(record(), id=f"20260101-000000-net-{number:06d}/offline"))
    report: dict[str, object] = {"records": count, "build_s": seconds(lambda: Database.open(home))}
    report["reopen_s"] = seconds(lambda: Database.open(home))
    store.save(replace(record(), id="20260102-000000-net-new/offline"))
    report["one_new_record_s"] = seconds(lambda: Database.open(home))
    return report


def of_tree(home: Path, tree: Path) -> dict[str, object]:
    """Importing published results."""
    from cm4bench_database.importing import import_results

    home.mkdir()
    database = Database.open(home)
    start = time.perf_counter()
    done = import_results(database, tree, Options())
    return {"import_s": round(time.perf_counter() - start, 2), "imported": str(done)}


def fill(database: Database, count: int) -> None:
    """Write a generation of synthetic rows."""
    import duckdb

    with database.generations.writing(60) as draft:
        connection = duckdb.connect(str(draft))
        builder.create(connection)
        builder.insert_rows(connection, synthetic(count))
        builder.apply(connection, builder.Change((), ()))
        connection.close()


def synthetic(count: int) -> Iterator[Row]:
    """Rows as a year of sweeps on fifty machines would leave them."""
    chance = random.Random(1)
    scenarios = list(SCENARIOS.items())
    for number in range(count):
        scenario, unit = scenarios[number % 3]
        minutes = number % 525_600
        yield Row(
            id=f"run-{number // 4:07d}/{scenario.lower()}",
            system=f"box {chance.randrange(50)}",
            model=MODELS[number % len(MODELS)],
            scenario=scenario,
            backend=("pytorch", "onnxruntime", "openvino")[number % 7 % 3],
            device="cpu",
            precision=("fp32", "int8")[number % 2],
            batch_size=1 << number % 8,
            threads=1 << number % 6,
            cores=64,
            accelerators=0,
            metric="throughput",
            unit=unit,
            value=chance.lognormvariate(3, 1),
            better="lower" if "Latency" in unit else "higher",
            headline=number % 4 == 0,
            accuracy=70 + 10 * chance.random(),
            power_w=200 * chance.random(),
            valid=True,
            created=f"2026-{1 + minutes // 44640:02d}-{1 + minutes // 1440 % 28:02d}T{minutes // 60 % 24:02d}:00:00Z",
            versions=f'{{"torch": "2.{number % 14}.0", "python": "3.11.2"}}',
        )


def seconds(action: Callable[[], object]) -> float:
    """Wall clock of one call."""
    start = time.perf_counter()
    action()
    return round(time.perf_counter() - start, 4)


if __name__ == "__main__":
    main()
