"""Fetch one Debian package and unpack it into the working folder."""

from pathlib import Path

from cm4bench.fetch.archive import unpack
from cm4bench.fetch.artifact import ArtifactError, DebianArtifact, fetch_debian


def preprocess(i):
    env = i["env"]
    _fetch(env, Path.cwd())
    return {"return": 0}


def _fetch(env, folder):
    name = str(env.get("CM_DEBIAN_ARTIFACT_NAME") or "")
    if not name:
        raise ArtifactError("no Debian package was named", hint='cmr "get debian artifact _package.NAME"')
    artifact = DebianArtifact(
        name, str(env.get("CM_DEBIAN_ARTIFACT_VERSION") or ""), str(env.get("CM_DEBIAN_ARTIFACT_SHA256") or "")
    )
    done = fetch_debian(artifact, folder, lists=folder / "tmp-apt")
    include = tuple(filter(None, str(env.get("CM_DEBIAN_ARTIFACT_MEMBERS") or "").split(",")))
    env["CM_DEBIAN_ARTIFACT_PATH"] = str(unpack(done.path, folder / name, include=include))
    env["CM_DEBIAN_ARTIFACT_DOWNLOADED_SHA256"] = done.sha256
    done.path.unlink()  # its content is in the folder; it can be fetched again
