"""Host operating system facts, read in this process: no subprocess is started.

Nearly every request comes through here, so that nothing is imported but what is there already.
"""

# ruff: noqa: PTH110, PTH112, PTH113
import os
import re
import sys

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")

# package manager → (install, refresh lists)
PACKAGE_MANAGERS = {
    "apt": ("DEBIAN_FRONTEND=noninteractive apt-get install -y", "apt-get update -y"),
    "dnf": ("dnf install -y", "dnf update -y"),
    "yum": ("yum install -y --skip-broken", "yum update -y"),
    "zypper": ("zypper install -y", "zypper update -y"),
    "pacman": ("pacman -Sy --noconfirm", "pacman -Syu"),
    "apk": ("apk add", "apk update"),
    "brew": ("brew install", "brew update"),
    "choco": ("choco install -y", "choco upgrade -y"),
}
MANAGER_OF_FLAVOR = {
    "debian": "apt",
    "ubuntu": "apt",
    "amzn": "yum",
    "rhel": "dnf",
    "fedora": "dnf",
    "sles": "zypper",
    "suse": "zypper",
    "arch": "pacman",
    "alpine": "apk",
    "macos": "brew",
}


def preprocess(i):
    env, state = i["env"], i["state"]
    system, node, release, version, machine = uname()
    env["CM_HOST_OS_TYPE"] = system.lower()
    python_bits = "64" if sys.maxsize > 2**32 else "32"
    env["CM_HOST_OS_BITS"] = "64" if machine.endswith("64") else python_bits
    env["CM_HOST_PYTHON_BITS"] = python_bits
    env["CM_HOST_OS_MACHINE"] = env["CM_HOST_PLATFORM_FLAVOR"] = machine
    env["CM_HOST_OS_KERNEL_VERSION"] = release
    env["CM_HOST_SYSTEM_NAME"] = node
    state["os_uname_machine"] = machine
    state["os_uname_all"] = f"{system} {node} {release} {version} {machine}"
    _describe_distribution(env)
    _describe_package_manager(env)
    if os.path.exists("/.dockerenv"):
        env["CM_RUN_INSIDE_DOCKER"] = "yes"
    return {"return": 0}


def uname():
    """System, node, release, version, machine."""
    if hasattr(os, "uname"):
        return tuple(os.uname())
    import platform

    return tuple(platform.uname())[:5]


def parse_os_release(text):
    """The settings of an os-release(5) file: shell assignments, quoted or not."""
    settings = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            settings[key] = re.sub(r"\\(.)", r"\1", value)
    return settings


def _describe_distribution(env):
    if env["CM_HOST_OS_TYPE"] == "darwin":
        import platform

        env["CM_HOST_OS_FLAVOR"] = "macos"
        env["CM_HOST_OS_VERSION"] = platform.mac_ver()[0]
        return
    release = next((parse_os_release(_text_of(path)) for path in OS_RELEASE if os.path.isfile(path)), {})
    env["CM_HOST_OS_FLAVOR"] = release.get("ID", env["CM_HOST_OS_TYPE"]).lower()
    env["CM_HOST_OS_FLAVOR_LIKE"] = release.get("ID_LIKE", "").lower()
    env["CM_HOST_OS_VERSION"] = release.get("VERSION_ID", "").lower()
    if env["CM_HOST_OS_TYPE"] == "linux":
        env["CM_HOST_OS_GLIBC_VERSION"] = _glibc_version()
        env["+CM_HOST_OS_DEFAULT_LIBRARY_PATH"] = default_library_path(env["CM_HOST_OS_MACHINE"])


def _text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _glibc_version():
    """`2.36`, or an empty string with another C library."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION").split()[-1]
    except (ValueError, OSError, AttributeError):
        return ""


def default_library_path(machine):
    """Folders the linker searches by default, those that exist; in ld's own order."""
    triplet = f"{machine}-linux-gnu"
    names = (f"/usr/local/lib/{triplet}", f"/lib/{triplet}", f"/usr/lib/{triplet}")
    plain = ("/usr/local/lib64", "/lib64", "/usr/lib64", "/usr/local/lib", "/lib", "/usr/lib")
    return [name for name in (*names, *plain) if os.path.isdir(name)]


def package_manager(flavor, like, system):
    """Name of the package manager of a distribution, by its own name first, then by its relatives."""
    if system == "windows":
        return "choco"
    return next((MANAGER_OF_FLAVOR[name] for name in (flavor, *like.split()) if name in MANAGER_OF_FLAVOR), "")


def _describe_package_manager(env):
    name = package_manager(env["CM_HOST_OS_FLAVOR"], env.get("CM_HOST_OS_FLAVOR_LIKE", ""), env["CM_HOST_OS_TYPE"])
    if name:
        env["CM_HOST_OS_PACKAGE_MANAGER"] = name
        env["CM_HOST_OS_PACKAGE_MANAGER_INSTALL_CMD"], env["CM_HOST_OS_PACKAGE_MANAGER_UPDATE_CMD"] = PACKAGE_MANAGERS[
            name
        ]
