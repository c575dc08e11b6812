"""Submissions that pass, made file by file, and the handles by which tests break them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlperf_checker import roundfiles
from tests.checker import logs

SYSTEM_KEYS = """
    division submitter status system_name number_of_nodes host_processor_model_name host_processors_per_node
    host_processor_core_count host_memory_capacity host_storage_capacity host_storage_type accelerators_per_node
    accelerator_model_name accelerator_memory_capacity framework operating_system system_type other_software_stack
    host_processor_frequency host_processor_caches host_memory_configuration host_processor_interconnect
    host_networking host_networking_topology accelerator_frequency accelerator_host_interconnect
    accelerator_interconnect accelerator_interconnect_topology accelerator_memory_configuration
    accelerator_on-chip_memories cooling hw_notes sw_notes host_network_card_count system_type_detail
""".split()  # noqa: SIM905  a list of thirty-five lines is no easier to read
COUNTS = ("number_of_nodes", "accelerators_per_node", "host_processors_per_node", "host_processor_core_count")

ACCURACY_TEXTS = {
    "resnet": "accuracy=76.460%, good=38230, total=50000\n",
    "bert-99": '{"exact_match": 83.8, "f1": 90.874}\n',
    "stable-diffusion-xl": "Accuracy Results: {'CLIP_SCORE': 31.7, 'FID_SCORE': 23.5}\n",
    "llama3.1-8b": (
        "{'rouge1': 38.8, 'rouge2': 15.92, 'rougeL': 24.51, 'rougeLsum': 35.8, 'gen_len': 8167644, 'gen_num': 13368}\n"
    ),
}
TEST06 = (
    "First token check pass: True\nEOS check pass: True\nSample length check pass: True\nTEST06 verification complete\n"
)
HASH = "hash=" + "ab12" * 16 + "\n"
ACCURACY_LOG = "[\n" + '{ "seq_id" : 0, "qsl_idx" : 0, "data" : "0000803F" },\n' * 20 + "]\n"


@dataclass
class Tree:
    """A submission of one system and one benchmark."""

    root: Path
    version: str = "v6.1"
    division: str = "open"
    benchmark: str = "resnet"
    scenarios: tuple[str, ...] = ("SingleStream",)
    category: str = "edge"
    tests: tuple[str, ...] = ()
    power: bool = False
    submitter: str = "acme"
    system: str = "box"
    official: str = field(default="")

    @property
    def merged(self) -> bool:
        return self.version >= "v6"

    @property
    def home(self) -> Path:
        return self.root / self.division / self.submitter

    @property
    def model(self) -> Path:
        return self.home / "results" / self.system / self.benchmark

    def result(self, scenario: str | None = None) -> Path:
        return self.model / (scenario or self.scenarios[0])

    def performance(self, scenario: str | None = None) -> Path:
        return self.result(scenario) / "performance" / "run_1"

    def accuracy(self, scenario: str | None = None) -> Path:
        return self.result(scenario) / "accuracy"

    def measurements(self, scenario: str | None = None) -> Path:
        if self.merged:
            return self.result(scenario)
        return self.home / "measurements" / self.system / self.benchmark / (scenario or self.scenarios[0])

    def test(self, name: str, scenario: str | None = None) -> Path:
        if self.merged:
            return self.result(scenario) / name
        return self.home / "compliance" / self.system / self.benchmark / (scenario or self.scenarios[0]) / name

    @property
    def code(self) -> Path:
        return self.home / ("src" if self.merged else "code")

    @property
    def description(self) -> Path:
        return self.home / "systems" / f"{self.system}.json"

    @property
    def measurements_json(self) -> Path:
        return self.measurements() / ("measurements.json" if self.merged else f"{self.system}.json")

    # -- building

    def build(self) -> Tree:
        self.official = self.official or self.benchmark
        write(self.description, json.dumps(self._described(), indent=1))
        write(self.code / self.benchmark / "README.md", "how to run\n")
        write(self.home / "calibration.md", "no quantisation\n")
        for scenario in self.scenarios:
            self._scenario(scenario)
        return self

    def _described(self) -> dict[str, str]:
        said = {key: "1" if key in COUNTS else "N/A" for key in SYSTEM_KEYS}
        known = {"division": self.division, "submitter": self.submitter, "status": "available"}
        return said | known | {"system_name": "a box", "system_type": self.category}

    def _scenario(self, scenario: str) -> None:
        loadgen = "Server" if scenario == "Interactive" else scenario
        self.run(self.performance(scenario), logs.values(self.version, self.official, loadgen))
        self.run(self.accuracy(scenario), logs.values(self.version, self.official, loadgen, "AccuracyOnly"))
        write(self.accuracy(scenario) / "mlperf_log_accuracy.json", ACCURACY_LOG)
        write(self.accuracy(scenario) / "accuracy.txt", ACCURACY_TEXTS[self.official] + HASH)
        for folder, names in roundfiles.load(self.version).benchmark(self.official).accuracy_files.items():
            for name in names:
                write(self.accuracy(scenario) / folder / f"{name}.png", "a picture")
        self._measured(scenario)
        for name in self.tests:
            self._test(name, scenario, loadgen)
        if self.power:
            self._powered(scenario)

    def run(self, folder: Path, keys: dict[str, Any]) -> None:
        write(folder / "mlperf_log_detail.txt", logs.detail(keys))
        write(folder / "mlperf_log_summary.txt", logs.summary(keys))

    def _measured(self, scenario: str) -> None:
        said = {
            "input_data_types": "fp32",
            "retraining": "no",
            "starting_weights_filename": "resnet50.onnx",
            "weight_data_types": "fp32",
            "weight_transformations": "none",
        }
        name = "measurements.json" if self.merged else f"{self.system}.json"
        write(self.measurements(scenario) / name, json.dumps(said))
        write(self.measurements(scenario) / "user.conf", f"*.{scenario}.min_duration = 600000\n")
        write(self.measurements(scenario) / "README.md", "how to repeat this\n")
        if self.version < "v5":
            write(self.measurements(scenario) / "mlperf.conf", "*.*.min_duration = 600000\n")

    def _test(self, name: str, scenario: str, loadgen: str) -> None:
        folder = self.test(name, scenario)
        if name == "TEST06":
            write(folder / "verify_accuracy.txt", TEST06)
            write(folder / "accuracy" / "mlperf_log_accuracy.json", ACCURACY_LOG)
            return
        audit: dict[str, Any] = {"effective_performance_issue_same": name == "TEST04"}
        audit["effective_accuracy_log_rng_seed"] = 720381539243781796 if name == "TEST01" else 0
        keys = logs.values(self.version, self.official, loadgen) | audit
        self.run(folder / "performance" / "run_1", keys)
        write(folder / "verify_performance.txt", "reference score = 1\nTEST PASS\n")
        if name == "TEST01":
            write(folder / "verify_accuracy.txt", "Accuracy mode: ...\nTEST PASS\n")
            write(folder / "accuracy" / "mlperf_log_accuracy.json", ACCURACY_LOG)
            write(folder / "accuracy" / "accuracy.txt", ACCURACY_TEXTS[self.official] + HASH)

    def _powered(self, scenario: str) -> None:
        performance = self.result(scenario) / "performance"
        samples = "".join(
            f"Time,03-01-2026 10:0{minute}:30.000,Watts,20{minute}.0,Volts,230.0,Amps,1.0,PF,0.9,Mark,x\n"
            for minute in range(10)
        )
        self.run(performance / "ranging", logs.values(self.version, self.official, scenario))
        for run in ("run_1", "ranging"):
            write(performance / run / "spl.txt", samples)
        for name in ("client.json", "client.log", "ptd_logs.txt", "server.json", "server.log"):
            write(performance / "power" / name, "{}\n")
        for name in ("analyzer_table.md", "power_settings.md"):
            write(self.measurements(scenario) / name, "settings\n")

    # -- breaking

    def log(self, folder: Path, **changes: Any) -> None:
        """Change keys of a detail log, None takes them out; dots in keys are written as `__`. The summary follows."""
        path = folder / "mlperf_log_detail.txt"
        lines = [json.loads(line.removeprefix(":::MLLOG ")) for line in path.read_text().splitlines()]
        keys = {line["key"]: line["value"] for line in lines}
        keys |= {key.replace("__", "."): value for key, value in changes.items()}
        self.run(folder, keys | {"effective_test_mode": keys.get("effective_test_mode") or ""})
        kept = {key: value for key, value in keys.items() if value is not None}
        write(path, logs.detail(kept))

    def error(self, folder: Path, text: str = "something went wrong") -> None:
        """Add an error to a detail log."""
        with (folder / "mlperf_log_detail.txt").open("a") as file:
            file.write(logs.entry("error_runtime", text, is_error=True) + "\n")

    def json(self, path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change a JSON file."""
        data = json.loads(path.read_text())
        change(data)
        write(path, json.dumps(data))

    def copy(self, root: Path) -> Tree:
        """The same tree elsewhere."""
        shutil.copytree(self.root, root, symlinks=True)
        return Tree(**{**vars(self), "root": root})


def write(path: Path, text: str) -> None:
    """Write a file and the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


KINDS: dict[str, dict[str, Any]] = {
    "open-v6.1": {},
    "open-v6.0": {"version": "v6.0"},
    "open-v5.1": {"version": "v5.1"},
    "open-v4.1": {"version": "v4.1"},
    "closed-v6.1": {
        "division": "closed",
        "scenarios": ("SingleStream", "MultiStream", "Offline"),
        "tests": ("TEST01", "TEST04"),
    },
    "closed-v5.1": {
        "division": "closed",
        "version": "v5.1",
        "scenarios": ("SingleStream", "MultiStream", "Offline"),
        "tests": ("TEST01", "TEST04"),
    },
    "tokens-v6.1": {
        "division": "closed",
        "benchmark": "llama3.1-8b",
        "category": "datacenter",
        "scenarios": ("Offline", "Server", "Interactive"),
        "tests": ("TEST06",),
    },
    "pictures-v5.1": {"version": "v5.1", "benchmark": "stable-diffusion-xl"},
    "offline-v6.1": {"scenarios": ("Offline",)},
    "power-v6.1": {"power": True},
}


def build(root: Path, kind: str) -> Tree:
    """A passing tree of a kind."""
    roundfiles.libraries()
    return Tree(root, **KINDS[kind]).build()
