"""detect-os and detect-cpu: right on this host, right on described ones, without starting a process."""

import os
import platform
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

CPUINFO = """\
processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model name\t: Intel(R) Xeon(R) Platinum 8480+
flags\t\t: fpu avx512_bf16 amx_tile
bugs\t\t: spectre_v1
power management:

processor\t: 1
vendor_id\t: SomethingElse
"""


@pytest.fixture(scope="module")
def detect_cpu(script_file):
    return script_file("detect-cpu")


@pytest.fixture(scope="module")
def detect_os(script_file):
    return script_file("detect-os")


def test_this_host_without_a_process(ours, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    monkeypatch.setattr(os, "system", None)
    env = ours.run("detect,cpu").env
    assert env["CM_HOST_OS_TYPE"] == platform.system().lower()
    assert env["CM_HOST_OS_MACHINE"] == env["CM_HOST_PLATFORM_FLAVOR"] == platform.machine()
    assert env["CM_HOST_CPU_TOTAL_CORES"] == str(os.cpu_count())
    assert int(env["CM_HOST_CPU_TOTAL_PHYSICAL_CORES"]) <= os.cpu_count()


def test_state_names_of_cm(ours):
    state = ours.run("detect,os").state
    assert state["os_uname_machine"] == platform.machine()
    assert platform.release() in state["os_uname_all"]


@pytest.mark.skipif(platform.system() != "Linux", reason="reads the distribution of Linux")
def test_library_folders_exist(detect_os):
    folders = detect_os.default_library_path(platform.machine())
    assert folders and all(os.path.isdir(folder) for folder in folders)


@pytest.mark.parametrize(
    ("flavor", "like", "manager"),
    [
        ("ubuntu", "debian", "apt"),
        ("linuxmint", "ubuntu debian", "apt"),
        ("rocky", "rhel centos fedora", "dnf"),
        ("amzn", "centos rhel fedora", "yum"),
        ("opensuse-leap", "suse opensuse", "zypper"),
        ("arch", "", "pacman"),
        ("alpine", "", "apk"),
        ("macos", "", "brew"),
        ("plan9", "", ""),
    ],
)
def test_package_manager(detect_os, flavor, like, manager):
    assert detect_os.package_manager(flavor, like, "linux") == manager
    assert not manager or manager in detect_os.PACKAGE_MANAGERS


def test_os_release_as_distributions_write_it(detect_os):
    text = '# c\nID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID=\'12\'\nODD=a\\ b\nBROKEN="x\n\nnothing\n'
    settings = detect_os.parse_os_release(text)
    assert settings == {"ID": "debian", "NAME": "Debian GNU/Linux", "VERSION_ID": "12", "ODD": "a b", "BROKEN": '"x'}


@given(value=st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="'\"\\"), max_size=20))
def test_os_release_quoting(detect_os, value):
    """What a shell would quote comes back unquoted."""
    value = value.strip()
    assert detect_os.parse_os_release(f"KEY={shlex.quote(value)}")["KEY"] == value


@given(numbers=st.sets(st.integers(0, 600), min_size=1))
def test_kernel_cpu_lists(detect_cpu, numbers):
    ordered, ranges = sorted(numbers), []
    for number in ordered:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    text = ",".join(f"{a}-{b}" if a != b else str(a) for a, b in ranges)
    assert detect_cpu.parse_cpu_list(text + "\n") == ordered


def make_topology(root, sockets, cores, threads):
    """/sys/devices/system/cpu of a machine whose threads are numbered last, as Linux does."""
    count = sockets * cores * threads
    (root / "online").parent.mkdir(parents=True, exist_ok=True)
    (root / "online").write_text(f"0-{count - 1}\n")
    for number in range(count):
        core = number % (sockets * cores)
        topology = root / f"cpu{number}" / "topology"
        topology.mkdir(parents=True)
        siblings = [core + t * sockets * cores for t in range(threads)]
        package = [n for n in range(count) if n % (sockets * cores) // cores == core // cores]
        (topology / "core_cpus_list").write_text(",".join(map(str, siblings)))
        (topology / "package_cpus_list").write_text(",".join(map(str, package)))
    cache = root / "cpu0" / "cache" / "index0"
    cache.mkdir(parents=True)
    for name, value in {"level": "1", "type": "Data", "size": "48K"}.items():
        (cache / name).write_text(value + "\n")


@pytest.mark.parametrize(("sockets", "cores", "threads"), [(1, 1, 1), (1, 4, 2), (2, 8, 2), (4, 3, 1)])
def test_described_machine(detect_cpu, tmp_path, monkeypatch, sockets, cores, threads):
    make_topology(tmp_path / "sys", sockets, cores, threads)
    (tmp_path / "cpuinfo").write_text(CPUINFO)
    (tmp_path / "meminfo").write_text("MemTotal:       1056297984 kB\n")
    monkeypatch.setattr(detect_cpu, "PROC", tmp_path)
    monkeypatch.setattr(detect_cpu, "CPUS", tmp_path / "sys")
    monkeypatch.setattr(detect_cpu, "NODES", tmp_path / "none")
    env, state = {}, {}
    detect_cpu.preprocess({"env": env, "state": state})
    assert env["CM_HOST_CPU_MODEL_NAME"] == "Intel(R) Xeon(R) Platinum 8480+"
    assert env["CM_HOST_CPU_VENDOR_ID"] == "GenuineIntel"
    assert env["CM_HOST_CPU_TOTAL_CORES"] == str(sockets * cores * threads)
    assert env["CM_HOST_CPU_TOTAL_PHYSICAL_CORES"] == str(sockets * cores)
    assert env["CM_HOST_CPU_SOCKETS"] == str(sockets)
    assert env["CM_HOST_CPU_PHYSICAL_CORES_PER_SOCKET"] == str(cores)
    assert env["CM_HOST_CPU_THREADS_PER_CORE"] == str(threads)
    assert env["CM_HOST_CPU_L1D_CACHE_SIZE"] == "48K"
    assert env["CM_HOST_CPU_NUMA_NODES"] == "1"
    assert env["CM_HOST_MEMORY_CAPACITY"] == "1.1T"
    assert state["host_device_raw_info"]["cpu"]["flags"] == ["fpu", "avx512_bf16", "amx_tile"]


def test_container_that_hides_sys(detect_cpu, tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text("processor: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nFeatures: asimd\n")
    for name in ("PROC", "CPUS", "NODES"):
        monkeypatch.setattr(detect_cpu, name, tmp_path)
    env, state = {}, {}
    detect_cpu.preprocess({"env": env, "state": state})
    assert env["CM_HOST_CPU_TOTAL_CORES"] == str(os.cpu_count())
    assert env["CM_HOST_CPU_VENDOR_ID"] == "0x41"
    assert "CM_HOST_MEMORY_CAPACITY" not in env
    assert state["host_device_raw_info"]["cpu"]["flags"] == ["asimd"]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (512 * 10**6, "512M"), (25_285_000_000, "25G"), (7_500_000_000, "7.5G"), (2 * 10**12, "2.0T")],
)
def test_capacity(detect_cpu, size, text):
    assert detect_cpu.capacity(size) == text
