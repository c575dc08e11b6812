"""get-generic-sys-util, get-cuda, get-cuda-devices: what is found, and what is said when it is not."""

import os
import subprocess
from types import SimpleNamespace

import pytest

from cm4bench.errors import CMBenchError

HOST = {"CM_HOST_OS_PACKAGE_MANAGER": "dnf", "CM_HOST_OS_PACKAGE_MANAGER_INSTALL_CMD": "dnf install -y"}
NVCC = "nvcc: NVIDIA (R) Cuda compiler driver\nCuda compilation tools, release 12.4, V12.4.131\nBuild cuda_12.4.r12.4\n"


@pytest.fixture
def sys_util(script_file):
    return script_file("get-generic-sys-util")


@pytest.fixture
def cuda(script_file):
    return script_file("get-cuda")


@pytest.fixture
def devices(script_file):
    return script_file("get-cuda-devices")


def tool(folder, name, text="exit 0"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_found_on_path(ours, tmp_path, monkeypatch):
    path = tool(tmp_path / "bin", "numactl")
    monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
    env = ours.run("get,generic-sys-util,_numactl").outcome.new_env
    assert (env["CM_SYS_UTIL_FOUND"], env["CM_SYS_UTIL_BIN_WITH_PATH"]) == ("yes", str(path))


def missing(sys_util, state=None, **env):
    values, run_input = {**HOST, "CM_SYS_UTIL_NAME": "no-such-tool", **env}, {}
    return sys_util.preprocess({"env": values, "state": state or {}, "run_script_input": run_input}), values, run_input


def test_missing_tool_names_the_exact_command_and_runs_nothing(sys_util):
    result, _, run_input = missing(sys_util, {"no-such-tool": {"dnf": "its-package"}})
    assert result["return"] == 1
    assert "dnf install -y its-package" in result["hint"]
    assert "--sudo" in result["hint"]
    assert run_input == {}


def test_sudo_asked_for(sys_util, capsys):
    result, env, run_input = missing(sys_util, CM_SUDO_USER="yes")
    assert (result["return"], run_input) == (0, {"script_name": "install"})
    assert env["CM_SYS_UTIL_INSTALL_CMD"] == "dnf install -y no-such-tool"
    assert "dnf install -y no-such-tool" in capsys.readouterr().err
    assert sys_util.postprocess({"env": env})["return"] == 1, "still missing after the installation"


def test_missing_may_be_ignored(sys_util):
    result, env, run_input = missing(sys_util, CM_GENERIC_SYS_UTIL_IGNORE_MISSING_PACKAGE="True")
    assert (result["return"], env["CM_SYS_UTIL_FOUND"], run_input) == (0, "no", {})
    assert sys_util.postprocess({"env": env})["return"] == 0


def test_no_package_manager(sys_util):
    result, *_ = missing(sys_util, CM_HOST_OS_PACKAGE_MANAGER_INSTALL_CMD="")
    assert "no package manager" in result["error"]


def test_package_names_are_quoted(sys_util):
    command = sys_util.install_command(HOST, "x; rm -rf /", {})
    assert command == "dnf install -y 'x; rm -rf /'"


def test_header(sys_util, tmp_path, monkeypatch):
    (tmp_path / "numa.h").write_text("")
    monkeypatch.setattr(sys_util, "INCLUDE_FOLDERS", (str(tmp_path),))
    assert sys_util.find("h:numa.h") == str(tmp_path / "numa.h")
    assert sys_util.find("h:other.h") == ""


def test_real_installation_runs_what_was_shown(ours, tmp_path, monkeypatch):
    """A package manager of our own, so that the real install.sh can be seen at work."""
    tool(tmp_path / "bin", "sudo", 'exec "$@"')
    tool(tmp_path / "bin", "apt-get", f'echo "$@" > {tmp_path}/asked; cp /bin/true {tmp_path}/bin/screen')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    if any(os.access(f"{folder}/screen", os.X_OK) for folder in os.environ["PATH"].split(os.pathsep)):
        pytest.skip("screen is installed here")
    try:
        env = ours.run("get,generic-sys-util,_screen", options={"sudo": "yes"}).outcome.new_env
    except CMBenchError as error:
        pytest.skip(f"not a machine with apt: {error.cause}") if "package manager" in error.cause else pytest.fail(
            str(error)
        )
    assert env["CM_SYS_UTIL_FOUND"] == "yes"
    assert (tmp_path / "asked").read_text() == "install -y screen\n"


@pytest.fixture
def no_driver(cuda, monkeypatch):
    monkeypatch.setattr(cuda, "_by_nvml", lambda: (None, "NVML: not found"))
    monkeypatch.setattr(cuda, "_by_libcuda", lambda: (None, "libcuda.so.1 cannot be loaded"))
    monkeypatch.setattr(cuda.shutil, "which", lambda _: None)


def test_no_cuda_says_what_was_looked_for(cuda, no_driver):
    result = cuda.preprocess({"env": {"CM_CUDA_NEEDS": "driver"}})
    assert result["return"] == 1
    for place in ("NVML", "libcuda.so.1", "nvidia-smi"):
        assert place in result["error"]
    assert "cpu" in result["hint"]


def test_no_cuda_through_the_engine(ours):
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        with pytest.raises(CMBenchError, match="no usable NVIDIA driver") as caught:
            ours.run("get,cuda-devices")
        assert len(caught.value.chain) == 2
    else:
        assert int(ours.run("get,cuda-devices").outcome.new_env["CM_CUDA_NUM_DEVICES"]) >= 1


@pytest.fixture
def driver(cuda, monkeypatch):
    monkeypatch.setattr(cuda, "find_driver", lambda: ({"driver": "550.54", "cuda": "12.4"}, []))


def test_driver_alone(cuda, driver):
    env = {"CM_CUDA_NEEDS": "driver"}
    assert cuda.preprocess({"env": env})["return"] == 0
    assert (env["CM_CUDA_VERSION"], env["CM_CUDA_VERSION_STRING"]) == ("12.4", "cu124")


def test_driver_without_toolkit(cuda, driver, tmp_path):
    result = cuda.preprocess({"env": {"CM_CUDA_NEEDS": "toolkit", "CM_CUDA_PATH": str(tmp_path)}})
    assert str(tmp_path / "bin" / "nvcc") in result["error"]
    assert "_driver" in result["hint"]


@pytest.mark.parametrize("described", [True, False])
def test_toolkit(cuda, driver, tmp_path, described):
    nvcc = tool(tmp_path / "bin", "nvcc", f"cat <<'E'\n{NVCC}E" if not described else "exit 1")
    (tmp_path / "lib64").mkdir()
    if described:
        (tmp_path / "version.json").write_text('{"cuda": {"version": "12.4.131"}}')
    env = {"CM_CUDA_NEEDS": "toolkit", "CM_CUDA_PATH": str(tmp_path)}
    assert cuda.preprocess({"env": env}) == {"return": 0, "version": "12.4.131"}
    assert env["CM_NVCC_BIN_WITH_PATH"] == str(nvcc)
    assert env["CUDA_HOME"] == str(tmp_path)
    assert (env["+PATH"], env["+LD_LIBRARY_PATH"]) == ([str(tmp_path / "bin")], [str(tmp_path / "lib64")])
    assert "+C_INCLUDE_PATH" not in env


def test_toolkit_that_does_not_run(cuda, driver, tmp_path):
    tool(tmp_path / "bin", "nvcc", "exit 1")
    result = cuda.preprocess({"env": {"CM_CUDA_NEEDS": "toolkit", "CM_CUDA_PATH": str(tmp_path)}})
    assert "does not tell its version" in result["error"]


def test_version_texts(cuda):
    assert (cuda.cuda_version(12040), cuda.cuda_version(13000)) == ("12.4", "13.0")
    assert cuda.parse_nvcc(NVCC) == "12.4.131"
    assert cuda.parse_nvcc("command not found") == ""


class FakeNVML:
    """Two GPUs; the second reports nothing but its name."""

    NVML_CLOCK_SM, NVML_CLOCK_MEM = 1, 2
    full = 1

    class NVMLError(Exception):
        pass

    def __init__(self, count=2):
        self.count, self.open = count, 0

    def nvmlInit(self):
        self.open += 1

    def nvmlShutdown(self):
        self.open -= 1

    def nvmlSystemGetDriverVersion(self):
        return b"550.54"

    def nvmlDeviceGetCount(self):
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index):
        return index

    def nvmlDeviceGetName(self, handle):
        return ["NVIDIA H100", b"Old GPU"][handle]

    def __getattr__(self, name):
        answers = {
            "nvmlDeviceGetUUID": "GPU-1",
            "nvmlDeviceGetPciInfo": SimpleNamespace(busId=b"00000000:01:00.0"),
            "nvmlDeviceGetCudaComputeCapability": (9, 0),
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=80 << 30),
            "nvmlDeviceGetMaxClockInfo": 1980,
            "nvmlDeviceGetEnforcedPowerLimit": 700_000,
            "nvmlDeviceGetPersistenceMode": 1,
            "nvmlDeviceGetEccMode": [1, 1],
            "nvmlDeviceGetMigMode": [0, 0],
        }

        def answer(handle, *_):
            if handle == 1:
                raise self.NVMLError("Not Supported")
            return answers[name]

        return answer


def test_device_records(devices):
    nvml = FakeNVML()
    first, second = devices.read_devices(nvml)
    assert first == {
        **{"driver_version": "550.54", "index": 0, "name": "NVIDIA H100", "uuid": "GPU-1"},
        **{"pci_bus_id": "00000000:01:00.0", "compute_capability": "9.0", "memory_bytes": 80 << 30},
        **{"max_sm_clock_mhz": 1980, "max_memory_clock_mhz": 1980, "power_limit_w": 700.0},
        **{"persistence_mode": True, "ecc": True, "mig": False},
    }
    assert {key for key, value in second.items() if value is not None} == {"driver_version", "index", "name"}
    assert nvml.open == 0


def test_device_keys_of_cm(devices, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pynvml", FakeNVML(1))
    env, state = {}, {}
    assert devices.preprocess({"env": env, "state": state}) == {"return": 0}
    assert env["CM_CUDA_NUM_DEVICES"] == "1"
    assert env["CM_CUDA_DEVICE_PROP_GPU_NAME"] == "NVIDIA H100"
    assert env["CM_CUDA_DEVICE_PROP_GPU_COMPUTE_CAPABILITY"] == "9.0"
    assert state["cm_cuda_num_devices"] == 1
    assert state["cm_cuda_devices"][0]["name"] == state["cm_cuda_devices_prop"][0]["GPU Name"]


def test_driver_without_a_gpu(devices, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pynvml", FakeNVML(0))
    assert "no GPU" in devices.preprocess({"env": {}, "state": {}})["error"]


def test_shell_files_parse():
    from tests.workbench import ROOT

    for script in sorted((ROOT / "script").glob("*/*.sh")):
        assert subprocess.run(["bash", "-n", script], check=False).returncode == 0, script
