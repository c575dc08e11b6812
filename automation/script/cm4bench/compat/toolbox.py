"""Helpers that customize.py files call on `i['automation']`: find tools, detect versions, run native scripts.

Each takes and returns dictionaries, because CM scripts written for other engines call them. Return 16 means "not
found, and that is no error"; 2 that a native script failed.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..contract import ScriptInput, hook_input
from ..deplists import add_to_named
from ..environment import Environment
from ..errors import CMBenchError
from ..native import NativeRun, choose_script
from ..versions import VersionRange
from .dialect import dialect_of

__all__ = [
    "available_variations",
    "clean_some_tmp_files",
    "detect_version_using_script",
    "find_artifact",
    "find_file_back",
    "find_file_deep",
    "find_file_in_paths",
    "get_default_path_list",
    "parse_version",
    "run_native_script",
    "update_deps",
]

Answer = dict[str, Any]
# `python3` also stands for python3.9, python3.11, python3-2 …: CM's own list of endings
_ENDINGS = ("", ".N", ".NN", "-N", "-NN", "N", "NN", "N.N", "NN.N", "NN.NN")
_VERSION_FILE = "tmp-ver.out"


def _problem(cause: str, code: int = 1) -> Answer:
    return {"return": code, "error": cause}


# -- running a script's native part


def run_native_script(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Run `script_name` of the calling script with `env`; the environment as the script left it is in `env_tmp`."""
    given: ScriptInput = i["run_script_input"]
    env = i.get("env") or {}
    before = {key: given.get(key) for key in ("env", "state", "script_name")}
    given["state"] = dict(given.get("state") or {})
    try:
        answer = _run(given, env, str(i["script_name"]), "detect_version" if i.get("detect_version") else "")
    finally:
        given.update(before)
    return {**answer, "env_tmp": dict(env)}


def _run(given: ScriptInput, env: dict[str, Any], name: str, hook: str = "") -> Answer:
    """The native script, then (if it has one) the script's version hook, in the current folder."""
    frame = given.frame
    speech = dialect_of(frame)
    env.update(speech.outward(frame.const))
    given["env"] = env
    env[speech.key("CM_TMP_CURRENT_SCRIPT_PATH")] = str(frame.script.path)
    env[speech.key("CM_TMP_CURRENT_SCRIPT_WORK_PATH")] = str(Path.cwd())
    file = choose_script(frame.recipe.natives, name, speech.inward(env))
    if file:
        run = NativeRun(Path.cwd(), Path(given.log_file), show=False)
        try:
            run(frame.script.path / file, env, given["state"])
        except CMBenchError as error:
            return _problem(error.cause, 2)
        run.read_back(env, given["state"])
    elif name != "run":
        return _problem(f"{frame.label} has no native script {name}.sh", 16)
    detect: Callable[[Any], Answer] | None = getattr(given.module, hook, None) if hook else None
    return detect(hook_input(frame, given, hook, env)) if detect else {"return": 0}


# -- versions


def detect_version_using_script(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Run the script's native part and its `detect_version`; `detected_version`, or 16 if it is not a wanted one."""
    env = i.get("env") or {}
    given: ScriptInput = i["run_script_input"]
    version = _version_under(given, env)
    if isinstance(version, dict):
        return _problem("version was not detected", 16)
    return {"return": 0, "detected_version": version}


def _version_under(given: ScriptInput, env: dict[str, Any]) -> str | Answer:
    """The version detected with this environment if it is admitted; else the answer that says why not."""
    wanted = VersionRange.from_mapping(env, dialect_of(given.frame).key("CM_VERSION"))
    answer = _run(given, env, str(given.get("script_name") or given.frame.script_name or "run"), "detect_version")
    if answer.get("return"):
        return answer
    version = answer.get("version") or ""
    if version == "" or version == -1:
        return {"return": 0}
    return str(version) if wanted.admits(str(version)) else {"return": 0}


def parse_version(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Read a version out of `tmp-ver.out` (or `file_name`) by a regular expression, into `which_env[env_key]`."""
    path = Path(i.get("file_name") or _VERSION_FILE)
    if not path.is_file():
        return _problem(f"{path} was not written: the version cannot be detected", 16)
    text = path.read_text(encoding="utf-8", errors="replace")
    match = re.compile(i["match_text"]).search(text) if i["match_text"] else None
    number = int(i["group_number"])
    if match is None:
        return _problem(f"version was not detected ({text.strip()})")
    if number > (match.lastindex or 0):
        return _problem(f"{i['match_text']!r} has no group {number}: version was not detected")
    env, version = i["which_env"], match.group(number)
    env[i["env_key"]] = version
    prefix = "MLC" if str(i["env_key"]).startswith("MLC_") else "CM"
    env[f"{prefix}_DETECTED_VERSION"] = version
    return {"return": 0, "version": version, "string": text}


# -- finding files


def find_artifact(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Find a tool: the file asked for by `--input`, else in the `--path` folders, else in a search path variable.

    With `detect_version`, each candidate is asked for its version and only an admitted one is taken. Sets
    `env[env_path_key]` and prepends the folder to the `+` list of the search path if it is not on it.
    """
    env = i["env"]
    given = i.get("run_script_input") or {}
    prefix = _prefix(given)
    try:
        folders, name = _where_to_look(env, prefix, i)
    except ValueError as error:
        return _problem(str(error))
    state = dict(given.get("state") or {})
    found = find_file_in_paths(
        automation,
        {
            **{k: i[k] for k in ("detect_version", "env_path_key", "hook") if k in i},
            **{"paths": folders, "file_name": name, "select": True, "env": dict(env)},
            **{"select_default": env.get(f"{prefix}_QUIET") == "yes", "run_script_input": given},
        },
    )
    if isinstance(given, dict):
        given["state"] = state
    if found["return"]:
        return found
    if not found["found_files"]:
        return _problem(f"{name} not found", 16)
    return _found(env, found["found_files"][0], i)


def _prefix(given: Any) -> str:
    return dialect_of(given.frame).prefix if isinstance(given, ScriptInput) else "CM"


def _where_to_look(env: Mapping[str, Any], prefix: str, i: Mapping[str, Any]) -> tuple[list[str], str]:
    forced = str(env.get(f"{prefix}_INPUT") or "").strip()
    if forced:
        if not Path(forced).is_file():
            raise ValueError(f"file {forced} doesn't exist")
        return [os.path.dirname(forced)], os.path.basename(forced)  # noqa: PTH119,PTH120
    folders = str(env.get(f"{prefix}_TMP_PATH") or "").split(os.pathsep)
    if folders == [""]:
        return get_default_path_list(None, i), str(i["file_name"])
    if env.get(f"{prefix}_TMP_PATH_IGNORE_NON_EXISTANT") != "yes":
        missing = next((f for f in folders if f.strip() and not Path(f).is_dir()), None)
        if missing:
            raise ValueError(f"path {missing} doesn't exist")
    return folders, str(i["file_name"])


def _found(env: dict[str, Any], file: str, i: Mapping[str, Any]) -> Answer:
    folder, usual = os.path.dirname(file), get_default_path_list(None, i)  # noqa: PTH120
    if folder not in usual:
        key = "+" + str(i.get("default_path_env_key") or "")
        if folder not in env.get(key, []):
            env[key] = [folder, *env.get(key, [])]
        for relative, extra in (i.get("extra_paths") or {}).items():
            path = os.path.normpath(f"{folder}/../{relative}")
            if Path(path).exists():
                env.setdefault(extra, []).append(path)
    if i.get("env_path_key"):
        env[i["env_path_key"]] = file
    return {
        "return": 0,
        "found_path": folder,
        "found_file_path": file,
        "found_file_name": os.path.basename(file),  # noqa: PTH119
        "default_path_list": usual,
    }


def get_default_path_list(automation: Any, i: Mapping[str, Any]) -> list[str]:
    """Folders of the search path variable named by `default_path_env_key`."""
    key = i.get("default_path_env_key") or ""
    return os.environ.get(key, "").split(os.pathsep) if key else []


def find_file_in_paths(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Files of a name (`file_name`) or pattern (`file_name_re`) in folders, each once; see `find_artifact`."""
    files: list[str] = []
    for file in _candidates(i):
        if any(_same(file, other) for other in files):
            continue
        if i.get("hook"):
            answer = i["hook"]({"file": file})
            if answer["return"]:
                return answer  # type: ignore[no-any-return]
            if answer.get("skip"):
                continue
        files.append(file)
    if not i.get("select"):
        return {"return": 0, "found_files": files}
    if i.get("detect_version"):
        admitted = _with_wanted_version(files, i)
        if isinstance(admitted, dict):
            return admitted
        files = admitted
    return {"return": 0, "found_files": _choose(files, quiet=bool(i.get("select_default")))}


def _candidates(i: Mapping[str, Any]) -> Iterator[str]:
    for folder in dict.fromkeys(i["paths"]):
        if not folder or not Path(folder).is_dir():
            continue
        if i.get("file_name_re"):
            names = sorted(path.name for path in Path(folder).iterdir())
            yield from (os.path.join(folder, n) for n in names if re.match(i["file_name_re"], n))  # noqa: PTH118
        else:
            # glob, not Path.glob: names may hold a folder part, and the result must keep the folder's spelling
            base = os.path.join(folder, i["file_name"])  # noqa: PTH118
            for ending in _ENDINGS:
                yield from sorted(glob.glob(base + ending.replace("N", "[0-9]")))  # noqa: PTH207


def _same(left: str, right: str) -> bool:
    try:
        return Path(left).samefile(right)
    except OSError:
        return False


def _with_wanted_version(files: Iterable[str], i: Mapping[str, Any]) -> list[str] | Answer:
    given: ScriptInput = i["run_script_input"]
    admitted = []
    for file in files:
        env = {**(i.get("env") or {}), i["env_path_key"]: file}
        version = _version_under(given, env)
        if isinstance(version, str):
            admitted.append(file)
            if i.get("select_default"):
                break
        elif version["return"] not in (0, 2):
            return version
    return admitted


def _choose(files: list[str], *, quiet: bool) -> list[str]:
    """The first; on a terminal the user is asked, unless the run is quiet."""
    from .choices import choose

    if len(files) < 2 or quiet:
        return files[:1]
    return [files[choose("several files fit", files)]]


def find_file_deep(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Folders anywhere below `paths` that hold `file_name`; `restrict_paths` keeps those with one of these parts."""
    found = [
        folder for top in i["paths"] for folder, _, files in os.walk(top, followlinks=False) if i["file_name"] in files
    ]
    parts = i.get("restrict_paths") or []
    return {"return": 0, "found_paths": [f for f in found if not parts or any(part in f for part in parts)]}


def find_file_back(automation: Any, i: Mapping[str, Any]) -> Answer:
    """The nearest folder from `path` upwards that holds `file_name`; empty if none does."""
    start = Path(i["path"])
    folders = [start, *start.parents]
    return {"return": 0, "found_path": next((str(f) for f in folders if (f / i["file_name"]).is_file()), "")}


# -- small things


def update_deps(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Change dependencies by name from within a hook."""
    add_to_named(i["deps"], i["update_deps"], Environment(i.get("env") or {}))
    return {"return": 0}


def clean_some_tmp_files(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Remove the files of CM's native protocol that would confuse a tool which scans the working folder."""
    env = i.get("env") or {}
    folder = env.get("CM_TMP_CURRENT_SCRIPT_WORK_PATH") or env.get("MLC_TMP_CURRENT_SCRIPT_WORK_PATH")
    for name in ("tmp-run.bat", "tmp-state.json") if folder else ():
        Path(str(folder), name).unlink(missing_ok=True)
    return {"return": 0}


def available_variations(automation: Any, i: Mapping[str, Any]) -> Answer:
    """An error that lists the variations of a script."""
    meta = i["meta"]
    names = " ".join(sorted(f"_{v}" for v in meta.get("variations") or {}))
    return _problem(f"{meta.get('alias')}: a variation is needed; it has {names}")
