"""Actions of `cm ACTION script` beside run and plan: find, show, help, add, test, native_run, doc, dockerfile."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..adapter import engine_for, request_from, tags_of
from ..catalog import Catalog
from ..engine import Request
from ..errors import CMBenchError, NotFound
from ..manifest import Script, is_yes
from ..query import Query, parse_query
from .artifacts import found_script

__all__ = ["add", "doc", "docker", "dockerfile", "gui", "help_", "native_run", "search", "show", "test", "version"]

Answer = dict[str, Any]


def _matching(automation: Any, i: Mapping[str, Any]) -> tuple[Query, list[Script]]:
    """By name (alias, uid, `repository:alias`, a pattern of aliases) if the first word is one, else by tags."""
    engine = engine_for(automation)
    named = _named(engine.catalog, i)
    text = "" if named else tags_of(i)
    query = engine.query(text) if text else Query()
    return query, named or engine.catalog.find(query)


def _named(catalog: Catalog, i: Mapping[str, Any]) -> list[Script]:
    word = str(i.get("artifact") or "").strip()
    if not word or " " in word or i.get("tags") or i.get("artifacts"):
        return []
    repo, _, name = word.rpartition(":")
    alias, _, uid = name.partition(",")
    owner = repo.partition(",")[0]
    return [
        s
        for s in catalog
        if (uid or alias) == s.uid or (not uid and fnmatch.fnmatchcase(s.alias, alias))
        if owner in ("", s.repo.alias, s.repo.uid)
    ]


def search(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Scripts by name, or by tags and variations; their folders are printed one a line."""
    text = tags_of(i)
    try:
        query, scripts = _matching(automation, i)
    except NotFound:
        query, scripts = parse_query(text), []
    if i.get("named") and not i.get("tags"):
        scripts = _named(engine_for(automation).catalog, i)
    if i.get("out") == "con":
        print("\n".join(str(script.path) for script in scripts))
    found = [found_script(script) for script in scripts]
    return {
        "return": 0,
        "list": found,
        "unfiltered_list": found,
        "found_scripts": bool(found),
        "script_tags": [*query.tags, *(f"-{t}" for t in query.excluded_tags)],
        "variation_tags": [*query.variations, *(f"-{v}" for v in query.excluded_variations)],
    }


def show(automation: Any, i: Mapping[str, Any]) -> Answer:
    """What the matching scripts are: name, tags, folder, one line each."""
    _, scripts = _matching(automation, i)
    if i.get("out") == "con":
        for script in scripts:
            print(f"{script.alias}: {script.raw.get('name') or ''}\n  {' '.join(script.tags)}\n  {script.path}")
        print(f"{len(scripts)} scripts")
    return {"return": 0, "list": [found_script(script) for script in scripts]}


def help_(automation: Any, i: Mapping[str, Any]) -> Answer:
    """The options, variations and outputs of one script."""
    from ..helptext import help_lines

    print("\n".join(help_lines(engine_for(automation).find_script(request_from(i).tags))))
    return {"return": 0}


def version(automation: Any, i: Mapping[str, Any]) -> Answer:
    """The version of this repository."""
    import yaml

    for parent in Path(__file__).resolve().parents:
        if (parent / "cmr.yaml").is_file():
            text = str(yaml.safe_load((parent / "cmr.yaml").read_text(encoding="utf-8")).get("version") or "")
            break
    else:
        from importlib.metadata import version as installed

        text = installed("cm4bench")
    if i.get("out") == "con":
        print(text)
    return {"return": 0, "version": text}


def test(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Load and plan every matching script, as it stands and as its `tests.run_inputs` say; nothing is run.

    Raises:
        CMBenchError: some cannot be planned; names each with the reason.
    """
    engine = engine_for(automation)
    _, scripts = _matching(automation, i)
    problems = [f"{aside.path}: {aside.cause}" for aside in engine.catalog.set_aside] if not tags_of(i) else []
    for script in scripts:
        for inputs in _test_inputs(script):
            try:
                engine.plan(_test_request(script, inputs))
            except CMBenchError as error:
                problems.append(f"{script.alias}: {error.cause}")
    if problems:
        raise CMBenchError(f"{len(problems)} of {len(scripts)} scripts cannot be planned:\n  " + "\n  ".join(problems))
    if i.get("out") == "con":
        print(f"{len(scripts)} scripts load and plan")
    return {"return": 0}


def _test_inputs(script: Script) -> list[Mapping[str, Any]]:
    tests = script.raw.get("tests") or {}
    return [item for item in tests.get("run_inputs") or [{}] if isinstance(item, Mapping)]


def _test_request(script: Script, inputs: Mapping[str, Any]) -> Request:
    variations = str(inputs.get("variations_list") or "")
    options = {k: v for k, v in inputs.items() if k not in ("env", "variations_list")}
    return Request(f"{script.uid or script.alias},{variations}", options=options, env=inputs.get("env") or {})


def native_run(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Run `--command` through a shell script that first exports `--env.KEY`; the status is in `return_code`."""
    import subprocess

    from ..native import export_lines

    lines = [*(i.get("script") or ["#!/bin/bash", ""]), *export_lines(i.get("env") or {}), str(i.get("command") or "")]
    path = Path(str(i.get("script_name") or "tmp-native-run.sh"))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"return": 0, "return_code": subprocess.run(["bash", str(path)]).returncode}


_NEW_CUSTOMIZE = '''"""What must be computed before and after the native script; delete the file if nothing must."""


def preprocess(i):
    return {"return": 0}


def postprocess(i):
    return {"return": 0}
'''


def add(automation: Any, i: Mapping[str, Any]) -> Answer:
    """A new script folder: `cm add script [REPO:]NAME --tags=a,b`. In `local` if no repository is named.

    Raises:
        CMBenchError: no name or tags, unknown repository, or the folder is there already.
    """
    import uuid

    import yaml

    name, repo_name = _new_name(i)
    tags = [t.strip() for t in str(i.get("tags") or "").split(",") if t.strip()]
    if not name or not tags:
        raise CMBenchError("a new script needs a name and tags", hint="cm add script get-thing --tags=get,thing")
    folder = _repo_path(automation, repo_name) / "script" / name
    if folder.exists():
        raise CMBenchError(f"{folder} is there already", hint="choose another name", code=8)
    manifest = {
        **{"alias": name, "uid": uuid.uuid4().hex[:16], "automation_alias": "script"},
        **{"automation_uid": "5b4e0237da074764", "category": "Other", "name": str(i.get("name") or name)},
        **{"tags": tags, **(i.get("meta") or {})},
    }
    folder.mkdir(parents=True)
    (folder / "_cm.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    (folder / "customize.py").write_text(_NEW_CUSTOMIZE, encoding="utf-8")
    (folder / "run.sh").write_text(f'#!/bin/bash\necho "{name}"\n', encoding="utf-8")
    if i.get("out") == "con":
        print(f"made {folder}")
    return {"return": 0, "path": str(folder), "meta": manifest}


def _new_name(i: Mapping[str, Any]) -> tuple[str, str]:
    repo, _, name = str(i.get("artifact") or "").rpartition(":")
    return Path(name.split(",")[0]).name, repo.split(",")[0]


def _repo_path(automation: Any, name: str) -> Path:
    repos = engine_for(automation).repos
    wanted = name or "local"
    if wanted == ".":
        here = Path.cwd()
        return next((r.path for r in repos if r.path == here or r.path in here.parents), here)
    path = next((repo.path for repo in repos if wanted in (repo.alias, repo.uid)), None)
    if path is None:
        known = ", ".join(repo.alias for repo in repos)
        raise CMBenchError(f"no repository is called {wanted!r}", hint=f"registered: {known}")
    return path


def doc(automation: Any, i: Mapping[str, Any]) -> Answer:
    """A page of Markdown per script, printed, or written to `--output_dir`."""
    from ..helptext import help_lines

    _, scripts = _matching(automation, i)
    pages = {s.alias: f"# {s.alias}\n\n```\n" + "\n".join(help_lines(s)) + "\n```\n" for s in scripts}
    folder = i.get("output_dir")
    for name, text in pages.items():
        if folder:
            Path(str(folder)).mkdir(parents=True, exist_ok=True)
            (Path(str(folder)) / f"{name}.md").write_text(text, encoding="utf-8")
        elif i.get("out") == "con":
            print(text)
    return {"return": 0, "pages": pages}


def dockerfile(automation: Any, i: Mapping[str, Any]) -> Answer:
    """CM's word for `cm container script`: the image's recipe, printed, or its build folder in `--output`.

    Raises:
        CMBenchError: the plan is impossible, or `--docker_base_image` is not pinned by a digest.
    """
    from ..container import actions

    answer = actions.container(automation, _with_container_flags(i))
    return {**answer, "dockerfile": answer["text"]}


def docker(automation: Any, i: Mapping[str, Any]) -> Answer:
    """CM's word for `--container=docker`, or `=podman` where only that is installed.

    Raises:
        CMBenchError: neither is usable, or one of them failed.
    """
    import shutil

    from ..container import actions

    given = _with_container_flags(i)
    if is_yes(i.get("docker_skip_run_cmd")) and not i.get("output"):
        raise CMBenchError(
            "no --output was given", hint='cm dockerfile script "…" --output=FOLDER, then build it there'
        )
    if is_yes(i.get("docker_skip_run_cmd")):
        return actions.container(automation, given)
    found = next((name for name in ("docker", "podman") if shutil.which(name)), "docker")
    return actions.run_in_container(automation, {**given, "container": str(i.get("container") or found)})


_CONTAINER_FLAGS = {"docker_base_image": "container_base", "docker_extra_run_args": "container_flags"}


def _with_container_flags(i: Mapping[str, Any]) -> Answer:
    """CM's `--docker_…` flags that have a counterpart; the plan decides what the others said."""
    ours = {_CONTAINER_FLAGS[name]: i[name] for name in _CONTAINER_FLAGS if i.get(name)}
    return {**{k: v for k, v in i.items() if not k.startswith("docker_")}, **ours}


def gui(automation: Any, i: Mapping[str, Any]) -> Answer:
    """The form of one script in the web app, or its first page: `cmr "gui" --script=TAGS`, with the flags of that.

    Raises:
        CMBenchError: no script fits.
    """
    engine, tags = engine_for(automation), tags_of(i)
    if tags:
        engine.find_script(tags)
    flags = {key: value for key, value in i.items() if key not in _OF_THE_CALL}
    web = {"action": "run", "automation": "script", "tags": "gui", **({"script": tags} if tags else {})}
    answer: Answer = automation.cmind.access({**flags, **web})
    return answer


_OF_THE_CALL = ("action", "automation", "artifact", "artifacts", "parsed_artifact", "parsed_artifacts", "cmd", "tags")
