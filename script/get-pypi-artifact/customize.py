"""Fetch one file of a PyPI release and unpack it into the working folder."""

from pathlib import Path

from cm4bench.fetch.archive import unpack
from cm4bench.fetch.artifact import ArtifactError, PipSettings, PyPIArtifact, fetch_pypi
from cm4bench.fetch.checksum import Checksum
from cm4bench.fetch.download import partial_path

NEEDED = ("CM_PYPI_ARTIFACT_NAME", "CM_PYPI_ARTIFACT_VERSION", "CM_PYPI_ARTIFACT_SHA256")


def preprocess(i):
    env = i["env"]
    _fetch(env, Path.cwd())
    return {"return": 0, "version": env["CM_PYPI_ARTIFACT_VERSION"]}


def _fetch(env, folder):
    missing = [key for key in NEEDED if not env.get(key)]
    if missing:
        raise ArtifactError(f"the artefact is not described: {', '.join(missing)} missing", hint="--env.KEY=VALUE")
    name, version, sha256 = (str(env[key]) for key in NEEDED)
    artifact = PyPIArtifact(name, version, sha256, str(env.get("CM_PYPI_ARTIFACT_FILE") or ""))
    settings = PipSettings.of(env["CM_PYTHON_BIN_WITH_PATH"])
    partial = partial_path(name, Checksum("sha256", sha256))
    done = fetch_pypi(artifact, folder, settings=settings, partial=partial)
    include = tuple(filter(None, str(env.get("CM_PYPI_ARTIFACT_MEMBERS") or "").split(",")))
    unpacked = unpack(done.path, folder / f"{name}-{version}", include=include)
    done.path.unlink()  # its content is in the folder; it can be fetched again
    env["CM_PYPI_ARTIFACT_PATH"] = str(unpacked)
    env["CM_PYPI_ARTIFACT_SIZE"] = str(done.size)
