"""Every way a run can go wrong ends in a diagnosis, an outcome record and kept logs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import harness
from harness import supervise, text
from harness.config import ModelConfig
from harness.outcome import Outcome

pytest.importorskip("mlperf_loadgen")

IMAGES = "image_classification.task:ImageClassification"
LITE0 = "image_classification.efficientnet_lite:build"


def run_faulty(configure, name, **changes):
    outcome = supervise.run(configure(backend=f"tests.harness.faulty:{name}", **changes))
    folder = Path(outcome.config.output_dir)
    assert Outcome.from_json((folder / "outcome.json").read_bytes()) == outcome
    screen = text.render(outcome)
    assert "Traceback" not in screen
    assert len(screen.splitlines()) < 20
    if outcome.failure:
        assert screen.startswith(f"FAILED ({outcome.failure.kind}): {outcome.failure.cause}")
        assert outcome.status == "failed"
    return outcome


@pytest.mark.parametrize("scenario", ["Offline", "SingleStream", "Server"])
def test_a_raise_while_answering_ends_the_run(configure, scenario):
    target = {"target_qps": 500.0} if scenario == "Server" else {}
    outcome = run_faulty(configure, "Raises", scenario=scenario, **target)
    assert outcome.failure.kind == "raised"
    assert "RuntimeError: the accelerator fell off (faulty.py:" in outcome.failure.cause
    assert "Traceback" in Path(outcome.failure.log).read_text()
    assert (Path(outcome.config.output_dir) / "mlperf_log_detail.txt").exists()


@pytest.mark.parametrize("scenario", ["Offline", "Server"])
def test_a_hang_is_noticed_and_located(configure, scenario):
    target = {"target_qps": 500.0} if scenario == "Server" else {}
    started = time.monotonic()
    outcome = run_faulty(configure, "Hangs", scenario=scenario, hang_timeout_s=1.5, **target)
    assert time.monotonic() - started < 20
    assert outcome.failure.kind == "hang"
    assert "faulty.py" in outcome.failure.cause
    assert "in misbehave" in outcome.failure.cause


def test_a_hang_while_loading_has_its_own_limit(configure):
    outcome = run_faulty(configure, "LoadHangs", load_timeout_s=1.5)
    assert outcome.failure.kind == "hang"
    assert "phase load" in outcome.failure.cause


def test_a_lost_completion_is_told_from_a_hang(configure):
    outcome = run_faulty(configure, "DropsOne", hang_timeout_s=1.5)
    assert outcome.failure.kind == "missing-completion"
    assert "all 200 issued samples were answered" in outcome.failure.cause


def test_a_double_completion_is_refused_although_loadgen_says_valid(configure):
    outcome = run_faulty(configure, "CompletesTwice")
    assert outcome.failure.kind == "loadgen-errors"
    assert outcome.validity.valid
    assert outcome.loadgen.num_errors == 1


@pytest.mark.parametrize(("name", "signal_name"), [("KillsItself", "SIGKILL"), ("Segfaults", "SIGSEGV")])
def test_death_by_signal(configure, name, signal_name):
    outcome = run_faulty(configure, name)
    assert outcome.failure.kind == "crash"
    assert signal_name in outcome.failure.cause
    assert "phase loadgen" in outcome.failure.cause


def test_a_foreign_exit_shows_the_last_line_printed(configure):
    outcome = run_faulty(configure, "Exits")
    assert outcome.failure.kind == "crash"
    assert "exit code 42: licence server not reachable" in outcome.failure.cause


def test_the_wrong_number_of_outputs(configure, tiny_dataset):
    outcome = run_faulty(configure, "TooFewOutputs", task=IMAGES, dataset=str(tiny_dataset))
    assert outcome.failure.kind == "raised"
    assert "returned 15 outputs for a batch of 16 samples" in outcome.failure.cause


def test_a_model_that_does_not_load(configure):
    outcome = run_faulty(configure, "LoadFails")
    assert outcome.failure.kind == "load"
    assert "no room for the engine file" in outcome.failure.cause


def test_a_result_from_another_device_is_refused(configure):
    outcome = run_faulty(configure, "SpeaksOfGpu")
    assert outcome.failure.kind == "device"
    assert "'cpu' was asked for, but the model ran on 'cuda:0'" in outcome.failure.cause


def test_a_result_in_another_precision_is_refused(configure):
    outcome = run_faulty(configure, "OtherPrecision")
    assert outcome.failure.kind == "device"
    assert "precision fp32 was asked for" in outcome.failure.cause


def test_settings_that_loadgen_did_not_use_are_noticed(configure, tmp_path):
    conf = tmp_path / "user.conf"
    conf.write_text("resnet50.SingleStream.min_query_count = 100\n")
    outcome = run_faulty(
        configure, "ChangesSettings", scenario="SingleStream", user_conf=str(conf), min_query_count=None
    )
    assert outcome.failure.kind == "settings"
    assert "effective_min_query_count is 7" in outcome.failure.cause
    assert "user.conf:1 asks for 100" in outcome.failure.cause


def test_an_audit_config_lying_around_is_not_picked_up(configure):
    outcome = run_faulty(configure, "PicksUpAudit")
    assert outcome.failure is None
    assert outcome.loadgen.mode == "PerformanceOnly"


def test_an_invalid_result_says_why_and_what_to_set(configure):
    outcome = supervise.run(configure(target_qps=10.0, min_duration_ms=3_000))
    assert outcome.failure.kind == "invalid"
    assert "shorter than min_duration" in outcome.failure.cause
    assert outcome.failure.hint.startswith("set target_qps near")


@pytest.mark.parametrize("content", [None, "resnet50.Offline.target_qps=10\n", b"\xff\xfe\x00"])
def test_a_bad_user_conf_stops_before_loadgen(configure, tmp_path, content):
    conf = tmp_path / "user.conf"
    if content is not None:
        conf.write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome = supervise.run(configure(user_conf=str(conf)))
    assert outcome.failure.kind == "user-conf"
    assert str(conf) in outcome.failure.cause
    assert not list(Path(outcome.config.output_dir).glob("mlperf_log_*"))


def test_contradicting_user_conf_and_configuration(configure, tmp_path):
    conf = tmp_path / "user.conf"
    conf.write_text("# sized by hand\nresnet50.Offline.target_qps = 10\n")
    outcome = supervise.run(configure(user_conf=str(conf), target_qps=20.0))
    assert outcome.failure.kind == "user-conf"
    assert "user.conf:2: target_qps = 10, but the run asks for target_qps = 20" in outcome.failure.cause


def test_cuda_without_cuda_says_what_was_found(configure):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    model = ModelConfig(name="lite0", architecture=LITE0)
    outcome = supervise.run(configure(backend="pytorch", device="cuda", model=model))
    assert outcome.failure.kind == "device"
    assert "'cuda' was asked for, but torch" in outcome.failure.cause
    assert "/dev/nvidia" in outcome.failure.cause or "GPU device nodes" in outcome.failure.cause


def test_missing_and_corrupt_weights(configure, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite_pytorch")
    path = tmp_path / "weights.pth"
    for content, said in ((None, "does not exist"), (b"<html>404</html>", "cannot be read")):
        if content:
            path.write_bytes(content)
        model = ModelConfig(name="lite0", architecture=LITE0, weights=str(path))
        outcome = supervise.run(configure(backend="pytorch", model=model))
        assert outcome.failure.kind == "weights"
        assert said in outcome.failure.cause


def test_a_killed_supervisor_leaves_no_measurement_running(configure, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(configure(backend="tests.harness.faulty:Hangs", hang_timeout_s=60.0).to_json())
    root = Path(harness.__file__).parent.parent
    supervisor = subprocess.Popen([sys.executable, "-m", "harness", "run", str(path)], cwd=root)
    child = wait_for_child(supervisor.pid)
    supervisor.kill()
    supervisor.wait()
    child.wait(10)  # raises when it still runs


def test_an_interrupted_supervisor_ends_its_child(configure):
    def interrupt(progress):
        if progress.issued:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        supervise.run(configure(backend="tests.harness.faulty:Hangs"), interrupt)
    assert not measurements(os.getpid())


def wait_for_child(parent):
    for _ in range(200):
        if found := measurements(parent):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("the supervisor started no child")


def measurements(parent):
    """Living child processes of `parent` that run the harness."""
    children = psutil.Process(parent).children(recursive=True)
    return [one for one in children if one.status() != psutil.STATUS_ZOMBIE and "harness.child" in one.cmdline()]
