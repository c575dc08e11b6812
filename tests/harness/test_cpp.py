"""The C++ implementation: what is handed over, what is refused, and (slow) real runs of the built program."""

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

from harness import logs, supervise
from harness.accuracy import log as accuracy
from harness.config import ModelConfig
from harness.cpp import handover
from harness.errors import HarnessError

pytest.importorskip("torch")
SCRIPTS = Path(__file__).resolve().parents[2] / "script"
LOADGEN = "mlcommons-loadgen==6.0.17"
LOOSE = {"target_latency_ns": 5_000_000_000, "target_latency_percentile": 90.0}


def tiny(dataset, **changes):
    """A real network with random weights, on ten classes."""
    fields = {
        "model": ModelConfig(name="tiny", architecture="tests.harness.networks:build_tiny", seed=3),
        "dataset": str(dataset),
        "task": "image_classification.task:ImageClassification",
        "backend": "pytorch",
        "implementation": "cpp",
        "min_query_count": 24,
    }
    return fields | changes


class TestHandover:
    """Without the program: any executable file stands for it."""

    @pytest.fixture
    def prepare(self, configure, tiny_dataset, tmp_path):
        (tmp_path / "run").mkdir()

        def run(**changes):
            program, path = handover.prepare(configure(**tiny(tiny_dataset, program=sys.executable, **changes)))
            assert program == sys.executable
            lines = [line.split("=", 1) for line in Path(path).read_text().splitlines()]
            return dict(lines)

        return run

    def test_the_run_as_lines(self, prepare, tmp_path):
        lines = prepare(batch_size=5, threads=1, scenario="Server", target_qps=20.0, workers=2, **LOOSE)
        assert (lines["scenario"], lines["batch_size"], lines["workers"], lines["total"]) == ("Server", "5", "2", "24")
        assert (lines["packing"], lines["width"], lines["precision"]) == ("argmax", "1", "fp32")
        assert float(lines["test.server_target_qps"]) == 20.0
        assert float(lines["test.server_target_latency_percentile"]) == pytest.approx(0.9)
        assert lines["test.performance_sample_count_override"] == lines["in_memory"] == "24"
        assert '"performance_sample_count":24' in lines["report"] and '"name":"tiny"' in lines["report"]
        path, dtype, shape = lines["column"].split("|")
        assert (dtype, shape) == ("float32", "3,8,8")
        assert Path(path).stat().st_size == 24 * 3 * 8 * 8 * 4

    def test_samples_are_the_tasks(self, prepare, configure, tiny_dataset):
        from harness import registry

        lines = prepare()
        task = registry.resolve("task", "image_classification.task:ImageClassification")(
            configure(**tiny(tiny_dataset))
        )
        written = np.fromfile(lines["column"].split("|")[0], np.float32).reshape(24, 3, 8, 8)
        np.testing.assert_array_equal(written, task.load(list(range(24)))[0])

    @pytest.mark.parametrize(
        ("changes", "cause"),
        [
            ({"compile": True}, "TorchScript on libtorch, not torch.compile"),
            ({"precision": "int8"}, "fp32, bf16, fp16, not int8"),
            ({"backend": "tests.harness.faulty:Raises"}, "not backend tests.harness.faulty:Raises"),
            ({"task": "null-generation", "backend": "null"}, "not with tokens"),
        ],
    )
    def test_what_the_program_cannot_do(self, prepare, changes, cause):
        with pytest.raises(HarnessError, match=cause) as refused:
            prepare(**changes)
        assert refused.value.hint == "use implementation python"

    def test_a_model_with_too_few_classes(self, prepare):
        model = ModelConfig(name="tiny", architecture="tests.harness.networks:build_ten_classes", seed=3)
        with pytest.raises(HarnessError, match="labels go up to class 23"):
            prepare(model=model)

    def test_a_task_that_packs_otherwise(self, prepare, monkeypatch):
        from image_classification.task import ImageClassification

        monkeypatch.setattr(ImageClassification, "encode", lambda self, outputs, indices: outputs[0] + 1)
        with pytest.raises(HarnessError, match="packs its answers in Python"):
            prepare()

    def test_a_disk_too_small(self, prepare, monkeypatch):
        import shutil

        usage = shutil.disk_usage("/")._replace(free=1000)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
        with pytest.raises(HarnessError, match=r"GiB, 0\.0 are free"):
            prepare()

    def test_no_program(self, configure, tiny_dataset, tmp_path):
        failure = supervise.run(configure(**tiny(tiny_dataset, program=str(tmp_path / "missing")))).failure
        assert failure.kind == "config"
        assert "missing is no executable file" in failure.cause
        assert "mlperf-inference-cpp" in failure.hint

    def test_a_program_that_fails_at_once(self, configure, tiny_dataset):
        failure = supervise.run(configure(**tiny(tiny_dataset, program="/bin/false"))).failure
        assert failure.kind == "crash"
        assert "exit code 1" in failure.cause


@pytest.fixture(scope="session")
def program(cache):
    """The program, built once per machine, torch and source."""
    import torch

    sources = sorted([*(SCRIPTS / "app-mlperf-inference-cpp" / "src").iterdir(), *SCRIPTS.glob("*-cpp/*.sh")])
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources) + torch.__version__.encode()).hexdigest()
    built = cache / f"cm4bench_inference-{digest[:16]}"
    if not built.exists():
        _build(cache, built)
    return str(built)


def _build(cache, built):
    fetch = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        ":all:",
        "-d",
        str(cache),
        LOADGEN,
    ]
    done = subprocess.run(fetch, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"loadgen's source cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")
    folder = cache / "loadgen-cpp"
    folder.mkdir(exist_ok=True)
    with tarfile.open(next(cache.glob("mlcommons_loadgen-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    script = SCRIPTS / "get-mlperf-inference-loadgen-cpp" / "run.sh"
    subprocess.run(
        ["bash", str(script)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "CM_PYPI_ARTIFACT_PATH": str(folder)},
        check=True,
    )
    build = SCRIPTS / "app-mlperf-inference-cpp" / "build.sh"
    staging = built.with_suffix(".tmp")
    command = ["bash", build, sys.executable, folder / "include", folder / "libmlperf_loadgen.a", staging]
    subprocess.run(list(map(str, command)), check=True)
    staging.rename(built)


@pytest.mark.slow
@pytest.mark.timeout(1800)
class TestProgram:
    def test_same_answers_as_python(self, configure, tiny_dataset, program, tmp_path):
        fields = tiny(tiny_dataset, program=program, mode="accuracy", batch_size=5)
        here = supervise.run(configure(**fields | {"implementation": "python"}, output_dir=str(tmp_path / "python")))
        there = supervise.run(configure(**fields, output_dir=str(tmp_path / "cpp")))
        assert here.ok and there.ok, (here.failure, there.failure)
        assert accuracy.read(tmp_path / "cpp") == accuracy.read(tmp_path / "python")
        assert there.quality == here.quality
        assert not list((tmp_path / "cpp" / "native").glob("*.bin"))

    @pytest.mark.parametrize(
        ("scenario", "changes"),
        [
            ("Offline", {"min_query_count": 500}),
            ("Offline", {"min_query_count": 500, "workers": 2}),
            ("Server", {"target_qps": 50.0, "min_query_count": 100, **LOOSE}),
            ("SingleStream", {"min_query_count": 100}),
            ("MultiStream", {"min_query_count": 700}),
        ],
    )
    def test_valid_runs(self, configure, tiny_dataset, program, scenario, changes):
        outcome = supervise.run(configure(**tiny(tiny_dataset, program=program, scenario=scenario) | changes))
        assert outcome.ok and outcome.validity.valid, outcome.failure
        assert "TorchScript" in outcome.device.executed
        assert (outcome.device.used, outcome.device.precision, outcome.device.cpu.threads) == ("cpu", "fp32", 1)
        assert sum(size * count for size, count in outcome.batch_histogram.items()) >= changes["min_query_count"]
        assert logs.read(Path(outcome.config.output_dir)).values["sut_name"] == "cm4bench C++"

    def test_precision_is_read_from_the_module(self, configure, tiny_dataset, program):
        outcome = supervise.run(configure(**tiny(tiny_dataset, program=program, precision="bf16")))
        assert outcome.ok, outcome.failure
        assert outcome.device.precision == "bf16"

    def test_cuda_on_a_host_without(self, configure, tiny_dataset, program):
        failure = supervise.run(configure(**tiny(tiny_dataset, program=program, device="cuda"))).failure
        assert "libtorch sees none" in failure.cause

    def test_null_model_with_a_ledger(self, configure, program):
        outcome = supervise.run(configure(program=program, implementation="cpp", min_query_count=20_000, ledger=True))
        assert outcome.ok, outcome.failure
        assert outcome.ledger.null_cpu_us_per_sample > 0

    def test_real_model(self, lite0, program, tmp_path):
        """EfficientNet-Lite0: the packaged images, equal predictions, a VALID run."""
        fields = {"program": program, "mode": "accuracy", "min_query_count": 20}
        here = supervise.run(lite0(**fields, output_dir=str(tmp_path / "python")))
        there = supervise.run(lite0(**fields, implementation="cpp", output_dir=str(tmp_path / "cpp")))
        assert here.ok and there.ok, (here.failure, there.failure)
        assert accuracy.read(tmp_path / "cpp") == accuracy.read(tmp_path / "python")
        assert there.quality.correct == 18
        config = lite0(program=program, implementation="cpp", min_query_count=64)
        outcome = supervise.run(msgspec.structs.replace(config, output_dir=str(tmp_path / "performance")))
        assert outcome.ok and outcome.validity.valid, outcome.failure
