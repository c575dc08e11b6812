"""CM's extraction contract over cm4bench.fetch.archive."""

from pathlib import Path

from cm4bench.fetch.archive import ArchiveError, unpack


def preprocess(i):
    env = i["env"]
    result = _extract(env)
    env["CM_EXTRACT_EXTRACTED_PATH"] = env["CM_GET_DEPENDENT_CACHED_PATH"] = str(result)
    if final := env.get("CM_EXTRACT_FINAL_ENV_NAME"):
        env[final] = str(result)
    return {"return": 0}


def _extract(env):
    given = str(env.get("CM_EXTRACT_FILEPATH") or "").strip()
    if not given:
        raise ArchiveError("nothing to unpack: no archive was given", hint="give one: --input=FILE")
    archive = Path(given).expanduser().absolute()
    base = Path(str(env.get("CM_EXTRACT_PATH") or Path.cwd())).expanduser().absolute()
    folder = base / (Path(str(env.get("CM_EXTRACT_TO_FOLDER") or "")).name or stem_of(archive.name))
    include = tuple(filter(None, str(env.get("CM_EXTRACT_MEMBERS") or "").split(",")))
    unpack(archive, folder, include=include)
    wanted = str(env.get("CM_EXTRACT_EXTRACTED_FILENAME") or "")
    if wanted and not (folder / wanted).exists():
        raise ArchiveError(f"{archive.name} does not hold {wanted}", hint=f"what it holds is in {folder}")
    return folder / wanted if wanted else folder


def stem_of(name):
    """`a-1.2.tar.gz` → `a-1.2`."""
    stem = Path(name).stem
    return Path(stem).stem if stem.endswith(".tar") else stem
