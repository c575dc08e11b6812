"""Look whether a package is installed; if not, write down for install.sh what pip shall install within which limits."""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from cm4bench.versions import VersionRange

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
# pip would replace these to satisfy another package; a torch build belongs to the machine's GPU and driver
NEVER_REPLACED = ("torch", "torchvision", "torchaudio")
# PyPI's torch for Linux brings 3 GB of CUDA libraries; this index has the build for machines without a GPU
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# a name as PyPI takes it, with extras: not an option, a path or a second line
PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._, -]*\])?")
PIP_SOURCES = {
    "--index-url": "CM_GENERIC_PYTHON_PIP_INDEX_URL",
    "--extra-index-url": "CM_GENERIC_PYTHON_PIP_EXTRA_INDEX_URL",
    "--find-links": "CM_GENERIC_PYTHON_PIP_EXTRA_FIND_LINKS_URL",
}
VERSION_KEYS = ("CM_VERSION", "CM_VERSION_MIN", "CM_VERSION_MAX")
NVIDIA_DRIVER = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidiactl"))


def preprocess(i):
    env = i["env"]
    requirement = str(env.get("CM_GENERIC_PYTHON_PACKAGE_NAME") or "").strip()
    if not requirement:
        return _error("no package was named", 'name it in a variation: cmr "get generic-python-lib _package.numpy"')
    if bad := not_for_pip(env, requirement):
        return _error(f"{bad[:80]!r} cannot be handed to pip", "give the name of one package: numpy, ray[tune]")
    name = requirement.partition("[")[0]
    env["CM_TMP_PYTHON_PACKAGE_NAME_ENV"] = env_name(env.get("CM_GENERIC_PYTHON_PACKAGE_ENV_NAME") or name)
    wanted, found = VersionRange.from_mapping(env, "CM_VERSION"), installed(name, _site_packages(env))
    forced = str(env.get("CM_TMP_PYTHON_PACKAGE_FORCE_INSTALL", "")).lower() in ("yes", "true", "1", "on")
    if found and not forced and wanted.admits(public_version(found)):
        return {"return": 0}
    if found and name in NEVER_REPLACED:
        return _kept_error(name, found.version, wanted, env["CM_PYTHON_BIN_WITH_PATH"])
    _prepare_pip(env, requirement, wanted, forced)
    i["run_script_input"]["script_name"] = "install"
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    if requirements := env.get("CM_TMP_PIP_REQUIREMENTS"):
        shutil.rmtree(Path(requirements).parent, ignore_errors=True)
    name = str(env["CM_GENERIC_PYTHON_PACKAGE_NAME"]).partition("[")[0]
    found = installed(name, _site_packages(env))
    if not found:
        return _error(
            f"pip ended well, but {env['CM_PYTHON_BIN_WITH_PATH']} does not have {name}",
            f"{env['CM_PYTHON_BIN_WITH_PATH']} -m pip show {name}",
        )
    wanted = VersionRange.from_mapping(env, "CM_VERSION")
    if not wanted.admits(public_version(found)):
        return _error(f"{name} {found.version} is installed, {wanted} was asked for", f"pip install '{name}{wanted}'")
    key = env["CM_TMP_PYTHON_PACKAGE_NAME_ENV"]
    env["CM_TMP_PYTHON_PACKAGE_VERSION_KEY"] = f"CM_{key}_VERSION"
    env[f"CM_{key}_VERSION"] = env["CM_PYTHONLIB_VERSION"] = found.version
    env[f"CM_PYTHONLIB_{key}_CACHE_TAGS"] = f"version-{found.version}"
    env["CM_PYTHONLIB_PATH"] = str(found.locate_file(""))
    env["CM_PYTHONLIB_METADATA"] = str(found.locate_file(_record_of(found)))
    return {"return": 0, "version": public_version(found)}


def installed(name, folders):
    """The package's metadata in one of the site-packages `folders`, or None. Any spelling of the name will do."""
    import importlib.metadata

    return next(iter(importlib.metadata.distributions(name=name, path=folders)), None)


def _record_of(found):
    """METADATA of the package's dist-info folder, which carries the version in its name."""
    return next(file for file in found.files or () if file.name in ("METADATA", "PKG-INFO"))


def public_version(found):
    """`2.13.0+cpu` → `2.13.0`: what comes after the plus is the build, and nobody asks for it by number."""
    return found.version.partition("+")[0]


def not_for_pip(env, requirement):
    """The first value that would mean something else than it says in a requirements file; empty if all are well."""
    if not PACKAGE.fullmatch(requirement):
        return requirement
    lines = [str(env.get(key) or "") for key in (*PIP_SOURCES.values(), *VERSION_KEYS)]
    return next((line for line in lines if len(line.strip().splitlines()) > 1), "")


def env_name(package):
    """`mlcommons-loadgen` → `MLCOMMONS_LOADGEN`."""
    return re.sub(r"[-.\[\],]+", "_", package).strip("_").upper()


def constraint_lines(text, free, kept):
    """The repository's constraints without the packages in `free`, and with what must stay as it is installed.

    `kept` maps package names to their installed versions.
    """
    free = {_canonical(name) for name in (*free, *kept)}
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    lines = [line for line in lines if _canonical(re.split(r"[\s=<>!~;\[]", line, maxsplit=1)[0]) not in free]
    return [*lines, *(f"{name}=={version}" for name, version in kept.items())]


def _canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _site_packages(env):
    return [folder for folder in str(env.get("CM_PYTHON_SITE_PACKAGES", "")).split(os.pathsep) if folder]


def _prepare_pip(env, requirement, wanted, forced):
    """Files rather than arguments: nothing of them passes through a shell."""
    folder = Path(tempfile.mkdtemp(prefix="cm4bench-pip-"))
    folders = _site_packages(env)
    kept = {name: found.version for name in NEVER_REPLACED if (found := installed(name, folders))}
    # a version the user asked for goes over the tested one
    free = [requirement.partition("[")[0]] if wanted.pip_string() else []
    text = CONSTRAINTS.read_text() if CONSTRAINTS.is_file() else ""
    (folder / "constraints.txt").write_text("\n".join(constraint_lines(text, free, kept)) + "\n")
    (folder / "requirements.txt").write_text("\n".join([*_index_lines(env), requirement + wanted.pip_string()]) + "\n")
    env["CM_TMP_PIP_REQUIREMENTS"] = str(folder / "requirements.txt")
    env["CM_TMP_PIP_CONSTRAINTS"] = str(folder / "constraints.txt")
    flags = ["--force-reinstall", "--no-deps"] if forced else []
    if str(env.get("CM_GENERIC_PYTHON_PACKAGE_INSTALL_DEPS", "")).lower() in ("no", "false", "0"):
        flags.append("--no-deps")
    env["CM_TMP_PIP_FLAGS"] = " ".join(dict.fromkeys(flags))


def wants_cpu_torch(package, build):
    """`build` is cpu, cuda or empty: then the machine decides."""
    if package not in NEVER_REPLACED or build == "cuda":
        return False
    return build == "cpu" or not any(path.exists() for path in NVIDIA_DRIVER)


def _index_lines(env):
    options = {option: env.get(key) for option, key in PIP_SOURCES.items()}
    chosen = any(options.values())
    if not chosen and wants_cpu_torch(env["CM_GENERIC_PYTHON_PACKAGE_NAME"], env.get("CM_TORCH_BUILD", "")):
        if _reachable(TORCH_CPU_INDEX):
            options["--extra-index-url"] = TORCH_CPU_INDEX
        else:  # pip would try it again and again, for each package
            print(
                f"{TORCH_CPU_INDEX} is not reachable: torch comes from pip's own index, as it is there", file=sys.stderr
            )
    return [f"{option} {str(value).strip()}" for option, value in options.items() if str(value or "").strip()]


def _reachable(url):
    import requests

    try:
        return requests.head(url, timeout=5, allow_redirects=True).status_code < 500
    except requests.RequestException:
        return False


def _kept_error(name, version, wanted, python):
    asked = str(wanted) or "a new installation"
    return _error(
        f"{name} {version} is installed and is never replaced; {asked} was asked for",
        f"use another interpreter (--env.CM_PYTHON_BIN_WITH_PATH=PATH), or replace it: {python} -m pip install {name}",
    )


def _error(cause, hint):
    return {"return": 1, "error": cause, "hint": hint}
