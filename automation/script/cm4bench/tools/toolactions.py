"""`cm explain|diff|lint|doctor|completion script`, and `cmr` with `--explain`, `--lock`, `--replay`, `--plan=mermaid`.

The part of the adapter that is loaded only when one of these is asked for.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import adapter
from ..engine import Engine, Report, Request
from ..errors import CMBenchError
from ..manifest import Repo, is_yes
from ..plan import Plan

__all__ = ["completion", "diff", "doctor", "explain", "explain_within", "lint", "mermaid", "replay", "save_lock"]

DEFAULT_LOCK = "cm4bench.tools.lock.json"


def explain(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cm explain script "get cuda"`."""
    from .explain import explain as explained

    return _told(i, explained(adapter.engine_for(automation), adapter.request_from(i).tags))


def explain_within(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cmr "…" --explain=QUERY`: within the plan of this request."""
    from .explain import explain as explained

    request = adapter.request_from(i)
    query = request.tags if i["explain"] is True else str(i["explain"])
    return _told(i, explained(adapter.engine_for(automation), query, request))


def _told(i: Mapping[str, Any], found: Any) -> dict[str, Any]:
    from .explain import explanation_data, explanation_lines

    data = [explanation_data(one) for one in found]
    blocks = ("\n".join(explanation_lines(one)) for one in found)
    _show(i, data, "\n\n".join(blocks).splitlines())
    return {"return": 0, "explanations": data}


def mermaid(i: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """`--plan=mermaid`."""
    from .planmermaid import mermaid_lines

    text = "\n".join(mermaid_lines(plan))
    if i.get("out") == "con":
        print(text)
    return {"return": 0, "mermaid": text}


def save_lock(automation: Any, i: Mapping[str, Any], request: Request, report: Report | None = None) -> None:
    """`--lock=FILE`, of a plan, or of a run after it."""
    from .lock import lock_plan, lock_run
    from .lockfile import write_lock

    engine = adapter.engine_for(automation)
    lock = lock_run(engine, request, report) if report else lock_plan(engine, request)
    path = Path(DEFAULT_LOCK if i["lock"] is True else str(i["lock"])).expanduser()
    write_lock(lock, path)
    if i.get("out") == "con":
        files = sum(len(step.data) for step in lock.steps)
        print(f"locked {len(lock.steps)} steps and {files} files or folders in {path}", file=_notes(i))


def replay(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cmr --replay=FILE [--accept=KINDS | --replay_anyway]`."""
    from ..progress import Progress
    from .lockfile import read_lock
    from .replay import EVERYTHING, check, parse_accepted
    from .replay import replay as replayed

    if i["replay"] is True:
        raise CMBenchError("--replay names no lock", hint="cmr --replay=FILE")
    lock, given = read_lock(Path(str(i["replay"])).expanduser()), adapter.request_from(i)
    if given.tags and given.tags.replace(" ", ",") != lock.request.tags.replace(" ", ","):
        raise CMBenchError(f"the lock is of “{lock.request.tags}”, not of “{given.tags}”", hint="cmr --replay=FILE")
    accepted = EVERYTHING if is_yes(i.get("replay_anyway")) else parse_accepted(str(i.get("accept") or ""))
    if i.get("plan"):
        _, drift = check(adapter.engine_for(automation), lock, given)
        _show(i, [one._asdict() for one in drift], [str(one) for one in drift] or ["everything is as locked"])
        return {"return": 0, "drift": [one._asdict() for one in drift]}
    notes = _notes(i)
    progress = (
        Progress(quiet=is_yes(i.get("quiet")), verbose=given.verbose, stream=notes) if i.get("out") == "con" else None
    )
    with contextlib.redirect_stdout(notes) if notes is sys.stderr else contextlib.nullcontext():
        done = replayed(
            lambda: adapter.engine_for(automation, progress), lock, given, accepted, lambda drift: _announce(i, drift)
        )
    if i.get("out") == "con":
        print(_verdict(done), file=notes)
    if _wants_json(i):
        _print_json({"drift": [d._asdict() for d in done.drift], "outcome": [d._asdict() for d in done.outcome]})
    return {"return": 0, "new_env": dict(done.report.outcome.new_env), "new_state": dict(done.report.outcome.new_state)}


def _announce(i: Mapping[str, Any], drift: Iterable[Any]) -> None:
    for one in drift if i.get("out") == "con" else ():
        print(one, file=_notes(i), flush=True)


def _verdict(done: Any) -> str:
    data = sum(len(step.data) for step in done.lock.steps)
    if done.outcome:
        return "replayed; accepted differences:\n" + "\n".join(f"  {one}" for one in done.outcome)
    return f"replayed: {len(done.lock.steps)} steps and {data} files or folders are as the lock has them"


def diff(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cm diff script A B`, of two locks or two results."""
    names = [str(i.get("artifact") or ""), *(str(a) for a in i.get("artifacts") or ())]
    if len(names) != 2 or not all(names):
        raise CMBenchError("two files are compared", hint="cm diff script A.json B.json")
    lines = _differences(*(Path(name).expanduser() for name in names))
    _show(i, lines, lines or ["no difference that matters"])
    return {"return": 0, "differences": lines}


def _differences(old: Path, new: Path) -> list[str]:
    from .difference import compare_locks
    from .lockfile import is_lock, read_lock
    from .resultdifference import compare_results, read_result

    if is_lock(old) != is_lock(new):
        raise CMBenchError("a lock and a result cannot be compared", hint="name two locks, or two results")
    if is_lock(old):
        return [str(one) for one in compare_locks(read_lock(old), read_lock(new))]
    return compare_results(read_result(old), read_result(new))


def lint(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cm lint script [QUERY] [--repo=ALIAS | --path=FOLDER] [--all]`; advice is shown with `--all`.

    Raises:
        CMBenchError: errors were found.
    """
    from .scriptlint import findings_data, summary, units_of
    from .scriptlint import lint as linted

    engine = adapter.engine_for(automation)
    repos, catalog = _linted_repos(engine, i)
    units = [unit for repo in repos for unit in units_of(repo)]
    asked = adapter.request_from(i).tags
    found = linted(units, catalog, {catalog_script(engine, asked)} if asked else ())
    shown = [one for one in found if one.level != "advice" or is_yes(i.get("all"))]
    hidden = len(found) - len(shown)
    last = summary(found, 1 if asked else len(units)) + (" (--all shows the advice)" if hidden else "")
    _show(i, findings_data(found), [*(str(one) for one in shown), last])
    errors = sum(one.level == "error" for one in found)
    if errors:
        raise CMBenchError(f"{errors} of the findings are errors", hint="correct them and lint again")
    return {"return": 0, "findings": findings_data(found)}


def catalog_script(engine: Engine, query: str) -> str:
    """Alias of the one script to look at."""
    return engine.find_script(query).alias


def _linted_repos(engine: Engine, i: Mapping[str, Any]) -> tuple[list[Repo], Any]:
    if i.get("path"):
        folder = Path(str(i["path"])).expanduser().absolute()
        known = next((repo for repo in engine.repos if repo.path.resolve() == folder.resolve()), None)
        repo = known or _repo_at(folder)
        if not repo.script_root.is_dir():
            raise CMBenchError(
                f"{repo.script_root} is not there: no repository of scripts", hint="--path=FOLDER names one"
            )
        others = [other for other in engine.repos if other is not repo]
        return [repo], Engine([repo, *others], engine.home).catalog
    if not i.get("repo"):
        return list(engine.repos), engine.catalog
    chosen = [repo for repo in engine.repos if i["repo"] in (repo.alias, repo.uid)]
    if not chosen:
        names = ", ".join(repo.alias for repo in engine.repos)
        raise CMBenchError(
            f"no repository {i['repo']!r} is registered; there are {names}", hint="--path=FOLDER lints any"
        )
    return chosen, engine.catalog


def _repo_at(folder: Path) -> Repo:
    """A repository that nobody registered, as its own cmr.yaml describes it."""
    import yaml

    try:
        meta = yaml.safe_load((folder / "cmr.yaml").read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        meta = {}
    meta = meta if isinstance(meta, dict) else {}
    strict = is_yes((meta.get("cm4bench") or {}).get("strict"))
    return Repo(
        str(meta.get("alias") or folder.name), folder, str(meta.get("uid") or ""), str(meta.get("prefix") or ""), strict
    )


def doctor(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cm doctor script [--network]`."""
    from .doctor import check_lines, checks_data, diagnose

    checks = list(diagnose(adapter.engine_for(automation), network=is_yes(i.get("network"))))
    _show(i, checks_data(checks), check_lines(checks))
    return {"return": 0, "checks": checks_data(checks)}


def completion(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cm completion script --shell=bash`: what to `eval` in the shell."""
    from .completion import shell_code, write_table

    engine = adapter.engine_for(automation)
    table = write_table(engine.catalog, engine.home / "cm4bench")
    code = shell_code(str(i.get("shell") or "bash"), table)
    if i.get("out") == "con":
        print(code)
    return {"return": 0, "code": code}


def _wants_json(i: Mapping[str, Any]) -> bool:
    return is_yes(i.get("j")) or is_yes(i.get("json"))


def _notes(i: Mapping[str, Any]) -> Any:
    """Where words go that are not the result: programs read standard output."""
    return sys.stderr if _wants_json(i) else sys.stdout


def _show(i: Mapping[str, Any], data: Any, lines: Iterable[str]) -> None:
    if _wants_json(i):
        _print_json(data)
    elif i.get("out") == "con":
        print("\n".join(lines))


def _print_json(data: Any) -> None:
    print(json.dumps(data, indent=2, sort_keys=True, default=str))
