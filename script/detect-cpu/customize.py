"""Host processor facts from /proc and /sys, in this process; sysctl on macOS."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

PROC = Path("/proc")
CPUS = Path("/sys/devices/system/cpu")
NODES = Path("/sys/devices/system/node")

# fields of the first processor in /proc/cpuinfo (x86 names, then what other architectures call them)
CPUINFO_FIELDS = {
    "CM_HOST_CPU_MODEL_NAME": ("model name", "Model", "cpu model", "cpu"),
    "CM_HOST_CPU_VENDOR_ID": ("vendor_id", "CPU implementer"),
    "CM_HOST_CPU_FAMILY": ("cpu family", "CPU architecture"),
    "CM_HOST_CPU_WRITE_PROTECT_SUPPORT": ("wp",),
    "CM_HOST_CPU_MICROCODE": ("microcode",),
    "CM_HOST_CPU_FPU_SUPPORT": ("fpu",),
    "CM_HOST_CPU_FPU_EXCEPTION_SUPPORT": ("fpu_exception",),
    "CM_HOST_CPU_BUGS": ("bugs",),
    "CM_HOST_CPU_TLB_SIZE": ("TLB size",),
    "CM_HOST_CPU_CFLUSH_SIZE": ("clflush size",),
    "CM_HOST_CACHE_ALIGNMENT_SIZE": ("cache_alignment",),
    "CM_HOST_POWER_MANAGEMENT": ("power management",),
}
SYSCTL_FIELDS = {
    "CM_HOST_CPU_MODEL_NAME": "machdep.cpu.brand_string",
    "CM_HOST_CPU_TOTAL_CORES": "hw.logicalcpu",
    "CM_HOST_CPU_TOTAL_PHYSICAL_CORES": "hw.physicalcpu",
    "CM_HOST_CPU_SOCKETS": "hw.packages",
    "CM_HOST_CPU_MEMSIZE": "hw.memsize",
    "CM_HOST_CPU_L1I_CACHE_SIZE": "hw.l1icachesize",
    "CM_HOST_CPU_L1D_CACHE_SIZE": "hw.l1dcachesize",
    "CM_HOST_CPU_L2_CACHE_SIZE": "hw.l2cachesize",
}


def preprocess(i):
    env, state = i["env"], i["state"]
    env["CM_HOST_CPU_ARCHITECTURE"] = platform.machine()
    if platform.system() == "Darwin":
        facts, flags = _sysctl_facts(), []
    elif (PROC / "cpuinfo").exists():
        first = first_processor(_first_block(PROC / "cpuinfo"))
        facts, flags = {**_cpuinfo_facts(first), **_topology()}, first.get("flags", first.get("Features", "")).split()
    else:
        facts, flags = {"CM_HOST_CPU_TOTAL_CORES": str(os.cpu_count() or 1)}, []
    for key, value in facts.items():
        env[key] = value
    _fill_up(env)
    state["host_device_raw_info"] = {"cpu": {"flags": flags}}
    return {"return": 0}


def first_processor(text):
    """Fields of the first processor of a /proc/cpuinfo text, name → value."""
    fields = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not colon and fields:
            break
        if colon:
            fields[name.strip()] = value.strip()
    return fields


def parse_cpu_list(text):
    """`0-2,5` (cpulist format of the kernel) → [0, 1, 2, 5]. Raises ValueError for anything else."""
    numbers = []
    for part in filter(None, text.strip().split(",")):
        first, dash, last = part.partition("-")
        numbers += range(int(first), int(last if dash else first) + 1)
    return numbers


def capacity(size):
    """Bytes in decimal units, the way `free -h --si` prints them: 25G, 1.5T, 960M."""
    for unit, factor in (("T", 10**12), ("G", 10**9), ("M", 10**6)):
        if size >= factor:
            value = size / factor
            return f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"
    return f"{size}B"


def _first_block(path):
    """Up to the first empty line only: the kernel formats each further processor at a cost."""
    lines = []
    with path.open() as file:
        for line in file:
            if not line.strip():
                break
            lines.append(line)
    return "".join(lines)


def _cpuinfo_facts(first):
    found = ((key, next((first[n] for n in names if n in first), "")) for key, names in CPUINFO_FIELDS.items())
    return {key: value for key, value in found if value}


def _topology():
    online = _read(CPUS / "online")
    logical = parse_cpu_list(online) or list(range(os.cpu_count() or 1))
    cores = _groups(logical, "core_cpus_list", "thread_siblings_list")
    sockets = _groups(logical, "package_cpus_list", "core_siblings_list")
    facts = {
        "CM_HOST_CPU_TOTAL_CORES": str(len(logical)),
        "CM_HOST_CPU_ON_LINE_CPUS_LIST": online,
        "CM_HOST_CPU_TOTAL_PHYSICAL_CORES": str(cores),
        "CM_HOST_CPU_SOCKETS": str(sockets),
        "CM_HOST_CPU_NUMA_NODES": str(len(list(NODES.glob("node[0-9]*"))) or 1),
        **_caches(CPUS / f"cpu{logical[0]}" / "cache"),
    }
    kilohertz = _read(CPUS / f"cpu{logical[0]}" / "cpufreq" / "cpuinfo_max_freq")
    if kilohertz.isdigit():
        facts["CM_HOST_CPU_MAX_MHZ"] = f"{int(kilohertz) / 1000:.4f}"
    return facts


def _groups(logical, name, older_name):
    """Number of groups of processors that share a core or a package; one file is read per group, not per processor."""
    seen, groups = set(), 0
    for number in logical:
        if number not in seen:
            topology = CPUS / f"cpu{number}" / "topology"
            seen.update(parse_cpu_list(_read(topology / name) or _read(topology / older_name)) or [number])
            groups += 1
    return groups


def _caches(folder):
    """Size of one cache of each level, as the kernel prints it (48K)."""
    facts = {}
    for index in sorted(folder.glob("index*")):
        letter = {"Data": "D", "Instruction": "I"}.get(_read(index / "type"), "")
        facts[f"CM_HOST_CPU_L{_read(index / 'level')}{letter}_CACHE_SIZE"] = _read(index / "size")
    return facts


def _read(path):
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _sysctl_facts():
    names = list(SYSCTL_FIELDS.values())
    done = subprocess.run(["sysctl", *names], capture_output=True, text=True, check=False)
    values = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    return {key: values[name] for key, name in SYSCTL_FIELDS.items() if name in values}


def _fill_up(env):
    """What follows from the counts; memory and disk."""
    logical, physical = int(env["CM_HOST_CPU_TOTAL_CORES"]), int(env.get("CM_HOST_CPU_TOTAL_PHYSICAL_CORES") or 0)
    sockets = int(env.get("CM_HOST_CPU_SOCKETS") or 1)
    env["CM_HOST_CPU_TOTAL_LOGICAL_CORES"] = str(logical)
    env["CM_HOST_CPU_TOTAL_PHYSICAL_CORES"] = str(physical or logical)
    env["CM_HOST_CPU_THREADS_PER_CORE"] = str(max(1, logical // (physical or logical)))
    env["CM_HOST_CPU_PHYSICAL_CORES_PER_SOCKET"] = str(max(1, (physical or logical) // sockets))
    memory = memory_size(_read(PROC / "meminfo")) or int(env.get("CM_HOST_CPU_MEMSIZE") or 0)
    if memory:
        env["CM_HOST_MEMORY_CAPACITY"] = capacity(memory)
    env["CM_HOST_DISK_CAPACITY"] = capacity(shutil.disk_usage(Path.home().anchor).total)


def memory_size(meminfo):
    """Bytes of memory from a /proc/meminfo text; 0 when it does not say."""
    for line in meminfo.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0
