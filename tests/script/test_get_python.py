"""get-python3 and get-generic-python-lib: which interpreter, what is in it, and what pip may do to it."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cm4bench.errors import CMBenchError


@pytest.fixture
def python_lib(script_file):
    return script_file("get-generic-python-lib")


def fake_python(path, facts=None, text=""):
    answer = f"echo '{json.dumps(facts)}'" if facts else text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(0o755)
    return str(path)


def install(folder, name, version):
    """What an installed distribution leaves in site-packages."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


def test_default_is_the_interpreter_that_runs_this(ours, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    env = ours.run("get,python3").outcome.new_env
    assert env["CM_PYTHON_BIN_WITH_PATH"] == sys.executable
    assert env["CM_PYTHON_VERSION"] == ".".join(map(str, sys.version_info[:3]))
    assert env["CM_PYTHON_MINOR_VERSION"] == str(sys.version_info[1])


def test_asked_for_interpreter_is_probed(ours, tmp_path):
    facts = {"version": "3.12.4", "venv": True, "pip": True, "path": ["/x/site-packages"]}
    path = fake_python(tmp_path / "bin" / "python", facts)
    env = ours.run("get,python3", options={"python": path}).outcome.new_env
    assert (env["CM_PYTHON_BIN_WITH_PATH"], env["CM_PYTHON_VERSION"]) == (path, "3.12.4")
    assert env["CM_PYTHON_SITE_PACKAGES"] == "/x/site-packages"


def test_link_to_a_python_is_not_followed(ours, tmp_path):
    """A virtual environment is known by the link through which it is called."""
    link = tmp_path / "venv-python"
    link.symlink_to(sys.executable)
    env = ours.run("get,python3", options={"python": str(link)}).outcome.new_env
    assert env["CM_PYTHON_BIN_WITH_PATH"] == str(link)


@pytest.mark.parametrize(
    ("facts", "text", "cause"),
    [
        ({"version": "3.8.1", "venv": False, "pip": True, "path": []}, "", "too old"),
        ({"version": "3.11.1", "venv": False, "pip": False, "path": []}, "", "has no pip"),
        (None, "echo nonsense", "does not run"),
        (None, "echo broken library >&2; exit 3", "broken library"),
    ],
)
def test_interpreters_that_will_not_do(ours, tmp_path, facts, text, cause):
    path = fake_python(tmp_path / "python", facts, text)
    with pytest.raises(CMBenchError, match=cause) as caught:
        ours.run("get,python3", options={"python": path})
    assert "CM_PYTHON_BIN_WITH_PATH" in caught.value.hint


def test_no_such_interpreter(ours):
    with pytest.raises(CMBenchError, match="no Python interpreter at /no/such"):
        ours.run("get,python3", options={"python": "/no/such"})


def test_installed_package_starts_no_process(ours, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    env = ours.run("get,generic-python-lib,_numpy").outcome.new_env
    assert env["CM_NUMPY_VERSION"] == env["CM_PYTHONLIB_VERSION"]
    assert env["CM_PYTHONLIB_NUMPY_CACHE_TAGS"] == f"version-{env['CM_NUMPY_VERSION']}"
    assert Path(env["CM_PYTHONLIB_PATH"]).is_dir()


def test_loadgen_and_its_version(ours):
    from importlib.metadata import version

    env = ours.run("get,mlperf,inference,loadgen").outcome.new_env
    assert env["CM_MLPERF_INFERENCE_LOADGEN_VERSION"] == version("mlcommons-loadgen")


def call(python_lib, folder, **env):
    values = {"CM_PYTHON_SITE_PACKAGES": str(folder), "CM_PYTHON_BIN_WITH_PATH": "/py", **env}
    run_input = {}
    return python_lib.preprocess({"env": values, "state": {}, "run_script_input": run_input}), values, run_input


def test_missing_package_is_put_down_for_pip(python_lib, tmp_path):
    install(tmp_path, "torch", "2.13.0+cpu")
    result, env, run_input = call(python_lib, tmp_path, CM_GENERIC_PYTHON_PACKAGE_NAME="some-lib", CM_VERSION_MIN="1.2")
    assert result["return"] == 0
    assert run_input["script_name"] == "install"
    assert Path(env["CM_TMP_PIP_REQUIREMENTS"]).read_text() == "some-lib>=1.2\n"
    constraints = Path(env["CM_TMP_PIP_CONSTRAINTS"]).read_text().splitlines()
    assert [line for line in constraints if line.startswith("torch==")] == ["torch==2.13.0+cpu"]
    shutil.rmtree(Path(env["CM_TMP_PIP_REQUIREMENTS"]).parent)


@pytest.mark.parametrize("wish", [{"CM_VERSION": "2.12.0"}, {"CM_TMP_PYTHON_PACKAGE_FORCE_INSTALL": "yes"}])
def test_installed_torch_is_never_replaced(python_lib, tmp_path, wish):
    install(tmp_path, "torch", "2.13.0+cpu")
    result, _, run_input = call(python_lib, tmp_path, CM_GENERIC_PYTHON_PACKAGE_NAME="torch", **wish)
    assert result["return"] == 1
    assert "never replaced" in result["error"]
    assert run_input == {}


@pytest.mark.parametrize(
    "wish", [{}, {"CM_VERSION": "2.13.0"}, {"CM_VERSION_MAX": "2.13.0"}, {"CM_VERSION_MIN": "2.1"}]
)
def test_build_suffix_is_no_part_of_the_version(python_lib, tmp_path, wish):
    install(tmp_path, "torch", "2.13.0+cpu")
    result, _, run_input = call(python_lib, tmp_path, CM_GENERIC_PYTHON_PACKAGE_NAME="torch", **wish)
    assert (result["return"], run_input) == (0, {})


def test_no_package_named(python_lib, tmp_path):
    result, _, _ = call(python_lib, tmp_path)
    assert "no package" in result["error"] and "cmr" in result["hint"]


@pytest.mark.parametrize(
    "wish",
    [
        {"CM_GENERIC_PYTHON_PACKAGE_NAME": "--index-url=https://elsewhere"},
        {"CM_GENERIC_PYTHON_PACKAGE_NAME": "-r/etc/passwd"},
        {"CM_GENERIC_PYTHON_PACKAGE_NAME": "numpy\n--index-url https://elsewhere"},
        {"CM_GENERIC_PYTHON_PACKAGE_NAME": "numpy", "CM_VERSION": "1.0\n--pre"},
        {"CM_GENERIC_PYTHON_PACKAGE_NAME": "numpy", "CM_GENERIC_PYTHON_PIP_INDEX_URL": "https://a\nother-package"},
    ],
)
def test_nothing_but_a_package_reaches_pip(python_lib, tmp_path, wish):
    env = {"CM_PYTHON_SITE_PACKAGES": str(tmp_path), "CM_PYTHON_BIN_WITH_PATH": sys.executable, **wish}
    result = python_lib.preprocess({"env": env, "run_script_input": {}})
    assert result["return"] == 1 and "cannot be handed to pip" in result["error"]
    assert "CM_TMP_PIP_REQUIREMENTS" not in env


def test_constraints(python_lib):
    text = "# comment\nnumpy==2.4.6; python_version >= '3.11'\nTorch==2.13.0\nmlcommons_loadgen==6.0.17\n\n"
    lines = python_lib.constraint_lines(text, ["mlcommons-loadgen"], {"torch": "2.12.0+cu126"})
    assert lines == ["numpy==2.4.6; python_version >= '3.11'", "torch==2.12.0+cu126"]


@pytest.mark.parametrize(("driver", "build", "cpu"), [(0, "", 1), (1, "", 0), (1, "cpu", 1), (0, "cuda", 0)])
def test_torch_build_follows_the_machine(python_lib, tmp_path, monkeypatch, driver, build, cpu):
    file = tmp_path / "driver"
    if driver:
        file.write_text("")
    monkeypatch.setattr(python_lib, "NVIDIA_DRIVER", (file,))
    assert python_lib.wants_cpu_torch("torch", build) == bool(cpu)
    assert not python_lib.wants_cpu_torch("numpy", "cpu")


@pytest.mark.parametrize(
    ("package", "name"),
    [("mlcommons-loadgen", "MLCOMMONS_LOADGEN"), ("jax[cuda]", "JAX_CUDA"), ("ruamel.yaml", "RUAMEL_YAML")],
)
def test_env_names(python_lib, package, name):
    assert python_lib.env_name(package) == name


def make_wheel(folder, name, version, requires=""):
    info = f"{name}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return folder


def test_real_installation(ours, tmp_path, monkeypatch):
    """pip in a real environment, from a folder of wheels: install, find again, refuse what would replace torch."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    wheels = make_wheel(tmp_path / "wheels", "probe_lib", "1.5")
    make_wheel(wheels, "torch", "2.9.0")
    make_wheel(wheels, "torch", "2.8.0")
    make_wheel(wheels, "greedy", "1.0", "Requires-Dist: torch==2.8.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    options = {"find_links": str(wheels)}
    env = {"CM_PYTHON_BIN_WITH_PATH": str(tmp_path / "venv" / "bin" / "python")}
    first = ours.run("get,generic-python-lib,_package.probe-lib", options=options, env=env)
    assert first.outcome.new_env["CM_PROBE_LIB_VERSION"] == "1.5"
    assert str(tmp_path / "venv") in first.outcome.new_env["CM_PYTHONLIB_PATH"]
    (wheels / "probe_lib-1.5-py3-none-any.whl").unlink()  # a second pip would not find it
    ours.run("get,generic-python-lib,_package.probe-lib", options=options, env=env)
    site = next((tmp_path / "venv" / "lib").glob("*/site-packages"))
    install(site, "torch", "2.9.0+mine")
    with pytest.raises(CMBenchError) as caught:
        ours.run("get,generic-python-lib,_package.greedy", options=options, env=env)
    assert "torch" in "\n".join(caught.value.log_tail)
    assert (site / "torch-2.9.0+mine.dist-info").is_dir()
    assert not list(site.glob("greedy*"))
