"""Hosts that nobody has to own: facts as each kind of machine would give them, for plans that run nothing."""

from __future__ import annotations

from typing import NamedTuple

from cm4bench.facts import Facts

__all__ = ["HOSTS", "Host"]


class Host(NamedTuple):
    """`facts` of the machine, and the user who plans there (0: root)."""

    facts: Facts
    user: int = 1000

    @property
    def has_cuda(self) -> bool:
        return self.facts.values["accelerator"] == "cuda"


def _host(system: str, machine: str, flavor: str, version: str, *, driver: str = "", user: int = 1000) -> Host:
    values = {
        "os.type": system,
        "os.platform": machine,
        "os.flavor": flavor,
        "os.flavor_like": {"ubuntu": "debian", "rocky": "rhel centos fedora"}.get(flavor, flavor),
        "os.version": version,
        "os.kernel": "6.8.0",
        "os.bits": "64",
        "cpu.architecture": machine,
        "cpu.count": 8,
        "cpu.usable": 8,
        "python.executable": "/usr/bin/python3",
        "python.version": "3.12.3",
        "cuda.driver": driver,
        "accelerator": "cuda" if driver else "cpu",
    }
    return Host(Facts(f"{system}-{machine}", values), user)


HOSTS = {
    "linux-x86": _host("linux", "x86_64", "ubuntu", "24.04"),
    "linux-aarch64": _host("linux", "aarch64", "debian", "12"),
    "root": _host("linux", "x86_64", "ubuntu", "24.04", user=0),
    # drivers whose newest CUDA is 11.8, 12.8 and 13.0
    "cuda-11": _host("linux", "x86_64", "rocky", "8.10", driver="520.61.05"),
    "cuda-12": _host("linux", "x86_64", "ubuntu", "24.04", driver="570.86.10"),
    "cuda-13": _host("linux", "aarch64", "ubuntu", "24.04", driver="580.65.06"),
    # a ROCm machine has no fact of its own: to this engine it is one without an NVIDIA driver
    "rocm": _host("linux", "x86_64", "rocky", "9.4"),
    "macos": _host("darwin", "arm64", "darwin", ""),
    "windows": _host("windows", "AMD64", "windows", ""),
}
