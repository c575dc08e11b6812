"""The network SUT: a real server process, real loopback connections, real loadgen."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.harness.servers import HARNESS, SutServer

from harness import logs, supervise
from harness.config import ModelConfig, RunConfig
from harness.errors import HarnessError
from harness.network import frame as frames
from harness.network.client import Address, Server

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")


# A limit that a busy machine keeps, at a percentile that asks for few queries.
LOOSE = {"target_latency_ns": 5_000_000_000, "target_latency_percentile": 90.0}


@pytest.fixture
def serve(tmp_path, configure):
    """Factory of servers; keywords are fields of the server's RunConfig."""
    running = []

    def start(**changes):
        server = SutServer(configure(**changes), tmp_path / f"server-{len(running)}")
        running.append(server)
        assert server.address.startswith("http://"), server.first_line
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def remote(configure):
    """Factory of runs that ask servers."""

    def make(*servers, **changes):
        addresses = tuple(one if isinstance(one, str) else one.address for one in servers)
        return configure(backend="network", sut_servers=addresses, **changes)

    return make


class TestFrame:
    def test_arrays_and_lists_come_back_as_they_went(self):
        values = [
            np.arange(24, dtype=np.float32).reshape(2, 3, 4),
            [np.arange(5, dtype=np.int64), np.zeros((2, 2), np.uint8)],
            np.zeros((2, 0), np.float16),
        ]
        header = frames.Header(2, tuple(frames.part_of(one) for one in values), "argmax")
        buffers, size = frames.encode(header, values)
        body = bytearray(b"".join(buffers))
        assert len(body) == size
        back = frames.decode(body)
        assert back.header == header
        for value, one in zip(values, back.values, strict=True):
            for left, right in zip(value, one, strict=True):
                assert left.dtype == right.dtype
                np.testing.assert_array_equal(left, right)
        back.values[0][0] = 7  # torch wants memory that can be written

    @pytest.mark.parametrize("body", [b"", b"\0\0\0\xffshort", b"<html>not found</html>", b"\0\0\0\x01\xc0"])
    def test_anything_else_is_refused(self, body):
        with pytest.raises(HarnessError, match="no frame"):
            frames.decode(bytearray(body))

    def test_a_frame_cut_short_is_refused(self):
        values = [np.ones((4, 100), np.float32)]
        buffers, _ = frames.encode(frames.Header(4, (frames.part_of(values[0]),)), values)
        with pytest.raises(HarnessError, match="no frame"):
            frames.decode(bytearray(b"".join(buffers)[:-1000]))


class TestAddress:
    @pytest.mark.parametrize("text", ["node-7", "node-7:8765", "http://node-7:8765", "http://node-7/"])
    def test_forms(self, text):
        assert str(Address.parse(text)) == "http://node-7:8765"

    @pytest.mark.parametrize("text", ["https://node-7", "http://node-7/path", "", "node:port"])
    def test_others_are_refused(self, text):
        with pytest.raises(ValueError, match=r"address|[Pp]ort"):
            Address.parse(text)


@pytest.mark.parametrize(
    ("scenario", "changes"),
    [
        ("Offline", {"min_query_count": 2000, "workers": 4}),
        ("Server", {"target_qps": 100.0, "min_query_count": 100, "workers": 8, **LOOSE}),
        ("SingleStream", {"min_query_count": 200}),
    ],
)
def test_valid_run_over_loopback(serve, remote, scenario, changes):
    server = serve()
    outcome = supervise.run(remote(server, scenario=scenario, **changes))
    assert outcome.ok, outcome.failure
    assert outcome.validity.valid
    log = logs.read(Path(outcome.config.output_dir))
    assert "Network SUT" in log.values["sut_name"]
    assert server.address.rpartition(":")[2] in log.values["sut_name"]
    assert outcome.device.executed.startswith("network SUT 127.0.0.1:")
    assert outcome.model_facts["servers"][0]["address"] == server.address


def test_queries_are_not_batched_by_the_client(serve, remote):
    """Rules of the network division: one request per query, however many wait."""
    server = serve()
    outcome = supervise.run(
        remote(server, scenario="Server", target_qps=400.0, min_query_count=400, workers=2, **LOOSE)
    )
    assert set(outcome.batch_histogram) == {1}


def test_two_servers_share_the_load(serve, remote):
    servers = [serve(), serve()]
    outcome = supervise.run(remote(*servers, min_query_count=400))
    assert outcome.ok, outcome.failure
    assert [one["address"] for one in outcome.model_facts["servers"]] == [one.address for one in servers]


def test_one_server_named_twice(serve, remote):
    server = serve()
    failure = supervise.run(remote(server, server.address)).failure
    assert failure.kind == "network"
    assert "same SUT server" in failure.cause


def _network(tiny_dataset, **changes):
    """A real network with random weights."""
    fields = {
        "model": ModelConfig(name="tiny", architecture="tests.harness.networks:build_tiny", seed=3),
        "dataset": str(tiny_dataset),
        "task": "image_classification.task:ImageClassification",
        "min_query_count": 24,
    }
    return fields | changes


def test_same_answers_as_in_this_process(serve, configure, remote, tiny_dataset, tmp_path):
    fields = _network(tiny_dataset, mode="accuracy", batch_size=5)
    server = serve(**{**fields, "backend": "pytorch"})
    local = supervise.run(configure(**fields, backend="pytorch", output_dir=str(tmp_path / "local")))
    far = supervise.run(remote(server, **fields, output_dir=str(tmp_path / "far")))
    assert local.ok and far.ok, (local.failure, far.failure)
    assert far.quality.correct == local.quality.correct
    from harness.accuracy import log

    assert log.read(tmp_path / "far") == log.read(tmp_path / "local")


def test_server_runs_otherwise_than_asked(serve, remote, tiny_dataset):
    fields = _network(tiny_dataset)
    server = serve(**{**fields, "backend": "pytorch", "precision": "bf16"})
    failure = supervise.run(remote(server, **fields)).failure
    assert failure.kind == "device"
    assert "precision fp32 was asked for, but the model ran in bf16" in failure.cause


def test_model_with_too_few_classes(serve, remote, tiny_dataset):
    model = ModelConfig(name="tiny", architecture="tests.harness.networks:build_ten_classes", seed=3)
    fields = _network(tiny_dataset, model=model)
    failure = supervise.run(remote(serve(**{**fields, "backend": "pytorch"}), **fields)).failure
    assert failure.kind == "weights"
    assert "labels go up to class 23" in failure.cause


def test_server_with_another_model(serve, remote):
    server = serve()
    failure = supervise.run(remote(server, model=ModelConfig(name="resnet50", architecture="none"))).failure
    assert failure.kind == "network"
    assert "serves the model null" in failure.cause
    assert "--model=resnet50" in failure.hint


def test_server_with_other_weights(serve, remote, tmp_path):
    (tmp_path / "ours").write_bytes(b"1")
    server = serve(backend="tests.harness.faulty:OtherWeights")
    model = ModelConfig(name="null", architecture="none", weights=str(tmp_path / "ours"))
    failure = supervise.run(remote(server, model=model)).failure
    assert failure.kind == "network"
    assert "with weights 0123" in failure.cause


def test_no_server(remote):
    failure = supervise.run(remote("http://127.0.0.1:9")).failure
    assert failure.kind == "network"
    assert "no SUT server answers at http://127.0.0.1:9: connection refused" in failure.cause
    assert "serve mlperf inference" in failure.hint


_OTHER = """
import http.server
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def test_another_server_at_the_address(remote):
    command = [sys.executable, "-c", _OTHER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as other:
        failure = supervise.run(remote(f"127.0.0.1:{other.stdout.readline().strip()}")).failure
        other.kill()
    assert failure.kind == "network"
    assert "is it a SUT server?" in failure.cause


def test_server_dies_in_the_middle(serve, remote):
    server = serve()
    config = remote(server, scenario="Server", target_qps=50.0, min_query_count=1000, workers=4)

    def kill_when_it_runs(progress):
        if progress.completed:
            server.process.send_signal(signal.SIGKILL)

    outcome = supervise.run(config, kill_when_it_runs)
    assert outcome.failure.kind == "network"
    assert server.address in outcome.failure.cause
    assert Path(outcome.failure.log).is_file()
    assert (Path(config.output_dir) / "mlperf_log_detail.txt").stat().st_size


def test_server_becomes_slow(serve, remote):
    server = serve(backend="tests.harness.faulty:HangsLater")
    started = time.monotonic()
    outcome = supervise.run(remote(server, hang_timeout_s=2.0))
    assert outcome.failure.kind == "network"
    assert f"the SUT server {server.address} has not answered for" in outcome.failure.cause
    assert "--hang_timeout" in outcome.failure.hint
    assert time.monotonic() - started < 60


def test_server_raises(serve, remote):
    server = serve(backend="tests.harness.faulty:Raises")
    outcome = supervise.run(remote(server))
    assert outcome.failure.kind == "raised"
    assert server.address in outcome.failure.cause
    assert "the accelerator fell off" in outcome.failure.cause


def test_answer_of_the_wrong_shape(serve, remote, tiny_dataset):
    server = serve(backend="tests.harness.faulty:TooFewOutputs")
    fields = {"task": "image_classification.task:ImageClassification", "dataset": str(tiny_dataset)}
    failure = supervise.run(remote(server, **fields)).failure
    assert failure.kind == "raised"
    assert "outputs for a batch of" in failure.cause


def test_servers_that_are_not_alike(serve, remote):
    servers = [serve(), serve(backend="tests.harness.faulty:SpeaksOfGpu")]
    failure = supervise.run(remote(*servers)).failure
    assert failure.kind == "network"
    assert "not alike" in failure.cause


def test_requests_that_wait_together_are_answered_together(serve, tiny_dataset):
    """The server batches; each request still gets its own answers."""
    fields = _network(tiny_dataset, batch_size=8)
    server = Server(Address.parse(serve(**{**fields, "backend": "pytorch"}).address), 30.0)
    images = np.random.default_rng(0).normal(size=(12, 3, 8, 8)).astype(np.float32)

    def ask(rows):
        header = frames.Header(len(rows), (frames.part_of(images[rows], "image"),))
        return server.receive(server.send(*frames.encode(header, [images[rows]]))).values[0]

    alone = np.concatenate([ask([row]) for row in range(12)])
    together = {}
    threads = [threading.Thread(target=lambda row=row: together.update({row: ask([row])})) for row in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(np.concatenate([together[row] for row in range(12)]), alone, rtol=1e-5, atol=1e-6)


class TestBatcher:
    def test_trimmed_columns_are_filled_up_to_the_longest(self):
        from harness.network.batcher import merged, shares

        def frame(length):
            value = np.full((2, length), length, np.int64)
            return frames.Frame(frames.Header(2, (frames.part_of(value, "ids", "trim"),)), (value,))

        columns, (value,) = merged([frame(3), frame(5)])
        assert columns[0].shape == (5,) and columns[0].join == "trim"
        assert value.tolist() == [[3, 3, 3, 0, 0]] * 2 + [[5] * 5] * 2
        first, second = shares((value,), [1, 3])
        assert len(first[0]) == 1 and len(second[0]) == 3


class TestServe:
    def run(self, *arguments):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HARNESS), os.environ.get("PYTHONPATH", "")])}
        command = [sys.executable, "-m", "harness.serve", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)

    def test_port_in_use(self, serve, configure, tmp_path):
        port = serve().address.rpartition(":")[2]
        (tmp_path / "config.json").write_text(configure().to_json())
        done = self.run(tmp_path / "config.json", "--port", port)
        assert done.returncode == 1
        assert "cannot listen" in done.stdout and "--port" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr

    def test_model_that_does_not_load(self, configure, tmp_path):
        config = configure(backend="pytorch", model=ModelConfig(name="x", architecture="nowhere:build"))
        (tmp_path / "config.json").write_text(config.to_json())
        done = self.run(tmp_path / "config.json", "--port", "0")
        assert done.returncode == 1
        assert "nowhere" in done.stdout


class TestDaemon:
    """A server in the background, as `serve,mlperf,inference,_background` starts it."""

    @pytest.fixture
    def daemon(self, tmp_path, configure):
        (tmp_path / "config.json").write_text(configure().to_json())
        path = os.pathsep.join([str(HARNESS), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path, "XDG_STATE_HOME": str(tmp_path / "state")}
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])

        def run(action):
            arguments = [action, *([str(tmp_path / "config.json")] if action == "start" else []), "--port", port]
            command = [sys.executable, "-m", "harness.network.daemon", *arguments]
            return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)

        run.address = f"http://127.0.0.1:{port}"
        yield run
        run("stop")

    def test_start_ask_and_stop(self, daemon):
        started = daemon("start")
        assert started.returncode == 0, started.stdout + started.stderr
        assert f"SUT server: {daemon.address}" in started.stdout
        assert "stop it: cmr" in started.stdout
        assert "null on null, batch 16" in daemon("health").stdout
        again = daemon("start")
        assert again.returncode == 1
        assert "runs on port" in again.stdout
        assert daemon("stop").stdout.strip() == f"stopped {daemon.address}"
        assert "connection refused" in daemon("health").stdout

    def test_stop_without_a_server(self, daemon):
        done = daemon("stop")
        assert done.returncode == 1
        assert "no SUT server of yours runs on port" in done.stdout

    def test_a_server_that_cannot_start(self, daemon, tmp_path, configure):
        config = configure(backend="tests.harness.faulty:LoadFails")
        (tmp_path / "config.json").write_text(config.to_json())
        done = daemon("start")
        assert done.returncode == 1
        assert "no room for the engine file" in done.stdout


@pytest.mark.parametrize(
    "changes",
    [
        {"backend": "network"},
        {"sut_servers": ["a"]},
        {"backend": "network", "sut_servers": ["a"], "coalesce_queries": True, "scenario": "Server"},
    ],
)
def test_configurations_that_cannot_be(configure, changes):
    with pytest.raises((HarnessError, ValueError)):
        RunConfig.from_json(msgspec.json.encode(msgspec.to_builtins(configure()) | changes))


@pytest.mark.slow
def test_real_model_over_loopback(serve, remote, lite0):
    """EfficientNet-Lite0 on the packaged images: VALID Offline and Server runs, and the quality of the local run."""
    fields = msgspec.to_builtins(lite0())
    keep = ("model", "dataset", "tier", "task", "batch_size")
    real = {key: fields[key] for key in keep} | {"model": ModelConfig(**fields["model"])}
    server = serve(**real, backend="pytorch")
    quality = supervise.run(remote(server, **real, mode="accuracy", min_query_count=20)).quality
    assert quality.correct == 18
    offline = supervise.run(remote(server, **real, workers=2, min_query_count=64))
    assert offline.ok and offline.validity.valid, offline.failure
    rate = 0.4 * offline.loadgen.figure.value
    run = remote(
        server,
        **real,
        scenario="Server",
        target_qps=rate,
        workers=8,
        min_query_count=100,
        **LOOSE,
    )
    outcome = supervise.run(run)
    assert outcome.ok and outcome.validity.valid, outcome.failure
