"""The boundary to cmind: CM dictionaries in, CM dictionaries and exit codes out. Nothing CM-shaped goes further in."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .compat.runflags import environment_of, in_cm_names, with_extra_command
from .engine import Engine, Report, Request
from .errors import CMBenchError, StepFailed
from .events import Listener, silent
from .frame import merge_values
from .manifest import Repo, is_yes
from .versions import VersionRange

__all__ = ["engine_for", "guarded", "plan_action", "request_from", "run_action", "tags_of"]

_RESERVED = {
    *("action", "automation", "artifact", "artifacts", "tags", "out", "cmd", "unparsed_cmd", "common", "self"),
    *("parsed_automation", "parsed_artifact", "parsed_artifacts", "env", "state", "const", "const_state"),
    *("adr", "ad", "add_deps", "add_deps_recursive", "quiet", "q", "silent", "s", "verbose", "v", "j", "json", "new"),
    *("renew", "plan", "debug", "help", "version", "version_min", "version_max", "version_max_usable"),
    *("recursion", "recursion_spaces", "remembered_selections", "run_state", "local_env", "local_state"),
    *("save_to_json", "save_to_json_file", "time", "ignore_inheritance", "skip_write_test", "script_call_prefix"),
    *("print_env", "print_deps", "local_const", "local_const_state"),
    *("log", "logfile", "jobs", "assume", "lock", "replay", "replay_anyway", "accept", "explain"),
    *("container", "container_base", "container_wheels", "container_flags"),
    *("fake_run", "fake_deps", "prepare", "save_env", "shell", "repro", "repro_dir", "dump_version_info", "debug_uid"),
    *("skip_sys_utils", "skip_sudo", "skip_remembered_selections", "print_readme", "print_versions", "space", "pause"),
}
_AFTERWARDS = {
    *("save_env", "shell", "repro", "dump_version_info", "print_readme", "print_env", "print_versions", "time"),
    *("space", "pause"),
}
# of these, some scripts want to be told as well
_MAPPABLE = ("debug", "new", "q", "quiet", "tags", "time", "verbose", "version")


def engine_for(automation: Any, listener: Any = None) -> Engine:
    """An engine over the repositories that this cmind knows, in cmind's home folder."""
    cm = automation.cmind
    repos = [_repo(item) for item in cm.repos.lst] + list(_unregistered())
    kind: Any = Engine
    if os.environ.get("CM4BENCH_CAPSULE"):
        from .container.carried import CapsuleEngine

        kind = CapsuleEngine.here
    engine: Engine = kind(repos, str(cm.repos_path), automation=automation, listener=listener or silent)
    return engine


def _unregistered() -> Iterator[Repo]:
    """Repositories named by folder in CM4BENCH_REPOS: CM's, or MLCFlow's (which cmind cannot register)."""
    folders = [folder for folder in os.environ.get("CM4BENCH_REPOS", "").split(os.pathsep) if folder]
    if not folders:
        return
    from pathlib import Path

    import yaml

    for folder in folders:
        path = Path(folder).expanduser()
        about = next((path / name for name in ("cmr.yaml", "meta.yaml") if (path / name).is_file()), None)
        if about is None:
            raise CMBenchError(
                f"CM4BENCH_REPOS names {path}, which has neither cmr.yaml nor meta.yaml",
                hint="give the folder that holds script/",
            )
        meta = yaml.safe_load(about.read_text(encoding="utf-8")) or {}
        yield Repo(str(meta.get("alias") or path.name), path, str(meta.get("uid") or ""), str(meta.get("prefix") or ""))


def _repo(item: Any) -> Repo:
    meta = item.meta or {}
    strict = is_yes((meta.get("cm4bench") or {}).get("strict"))
    alias, uid, prefix = (str(meta.get(key) or "") for key in ("alias", "uid", "prefix"))
    return Repo(alias or str(item.path), os.path.normpath(item.path), uid, prefix, strict)


def request_from(i: Mapping[str, Any]) -> Request:
    """Read a CM input dictionary. Flags that are not CM's own become options of the script."""
    i = in_cm_names(i)
    verbose = is_yes(i.get("verbose") or i.get("v"))
    return Request(
        tags=tags_of(i),
        options={k: v for k, v in i.items() if k not in _RESERVED},
        env=environment_of(i),
        state=dict(i.get("state") or {}),
        const=dict(i.get("const") or {}),
        adr={**(i.get("add_deps_recursive") or {}), **(i.get("adr") or {})},
        ad={**(i.get("add_deps") or {}), **(i.get("ad") or {})},
        version=VersionRange.from_mapping(i),
        renew=is_yes(i.get("new")) or is_yes(i.get("renew")),
        verbose=verbose,
        flags={name: i[name] for name in _MAPPABLE if name in i},
        jobs=_jobs(i),
        assume=_flat(i.get("assume") or {}),
    )


def _jobs(i: Mapping[str, Any]) -> int:
    """`--jobs=N`; by default as many as there are processors. `-j` alone means JSON, as in CM."""
    given = i.get("jobs")
    if given is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not str(given).isdigit() or int(str(given)) < 1:
        raise CMBenchError(f"--jobs={given} must be a number of processes, 1 or more")
    return int(str(given))


def _flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`--assume.cuda.driver=570` arrives as nested dictionaries; facts have dotted names."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value})
    return flat


def tags_of(i: Mapping[str, Any]) -> str:
    """The request as one comma-separated text: the first word of the command line, then `--tags`, then more words.

    After a whole request (`cmr "set venv" NAME`) a plain word is an argument of the script; it reads it from its input.
    """
    first, tags = (str(i.get(key) or "").strip() for key in ("artifact", "tags"))
    more = [str(a).strip() for a in i.get("artifacts") or () if isinstance(a, str)]
    if " " in first or "," in first:
        more = [word for word in more if word.startswith("_") or " " in word or "," in word]
    return ",".join(word for word in (first, tags, *more) if word)


def run_action(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cm run script`: plan, run, report."""
    if i.get("explain") or i.get("replay"):
        from .tools import toolactions

        return (toolactions.replay if i.get("replay") else toolactions.explain_within)(automation, i)
    if is_yes(i.get("plan")) or str(i.get("plan") or "") in ("json", "tree", "mermaid"):
        return plan_action(automation, i)
    if is_yes(i.get("help")):
        return help_action(automation, i)
    if i.get("container"):
        from .container import actions

        return actions.run_in_container(automation, i)
    if not i.get("recursion"):
        i = with_extra_command(i)
    automation.given_input = i
    afterwards = _afterwards(i)
    quiet, as_json = is_yes(i.get("quiet")), is_yes(i.get("j")) or is_yes(i.get("json"))
    to_console = i.get("out") == "con"
    request = request_from(i)
    # programs read standard output: what scripts and progress print to it must not get between
    with contextlib.redirect_stdout(sys.stderr) if as_json or not to_console else contextlib.nullcontext():
        progress = _progress(request.verbose) if to_console and not quiet else None
        engine = engine_for(automation, progress)
        if to_console and not quiet and sys.stdin and sys.stdin.isatty():
            from .compat.choices import choose_script

            engine.choose = choose_script
        report = engine.run(request)
        if to_console and not quiet:
            _print_closing(report)
        if i.get("lock"):
            _save_lock(automation, i, request, report)
        if afterwards:
            afterwards(report)
    result = _result(i, report)
    if as_json:
        _print_json(result)
    return result


def _afterwards(i: Mapping[str, Any]) -> Callable[[Report], None] | None:
    """What CM's flags want done after the run; None for most runs, which then import nothing for it."""
    if not _AFTERWARDS & i.keys():
        return None
    from .compat.afterrun import AfterRun

    return AfterRun(i)


def _progress(verbose: bool) -> Listener:
    from .progress import Progress

    return Progress(verbose=verbose)


def plan_action(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cm plan script`, `cmr … --plan[=json]`."""
    from .planview import plan_data, plan_lines

    engine, request = engine_for(automation), request_from(i)
    plan = engine.plan(request)
    if i.get("lock"):
        _save_lock(automation, i, request)
    if i.get("plan") == "mermaid":
        from .tools import toolactions

        return toolactions.mermaid(i, plan)
    data = plan_data(plan, engine.history)
    if i.get("plan") == "json" or is_yes(i.get("j")) or is_yes(i.get("json")):
        _print_json(data)
    elif i.get("out") == "con":
        print("\n".join(plan_lines(plan, engine.history)))
    return {"return": 0, "plan": data}


def _save_lock(automation: Any, i: Mapping[str, Any], request: Request, report: Report | None = None) -> None:
    from .tools import toolactions

    toolactions.save_lock(automation, i, request, report)


def help_action(automation: Any, i: dict[str, Any]) -> dict[str, Any]:
    """`cmr "tags" --help`: what the script is, its options, variations and outputs."""
    from .helptext import help_lines

    engine = engine_for(automation)
    script = engine.find_script(request_from(i).tags)
    print("\n".join(help_lines(script)))
    return {"return": 0}


def _result(i: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """CM's answer. The caller's own `env` and `state` mappings get what is new, as scripts that call scripts expect."""
    new_env, new_state = dict(report.outcome.new_env), dict(report.outcome.new_state)
    env, state = i.get("env"), i.get("state")
    env, state = ({} if env is None else env), ({} if state is None else state)
    env.update(merge_values(env, new_env))
    state.update(merge_values(state, new_state))
    if is_yes(i.get("print_deps")):
        new_state["print_deps"] = [f"cm run script --tags={tags}" for tags in report.requested]
    return {
        **{"return": 0, "env": env, "new_env": new_env, "state": state, "new_state": new_state},
        **{"deps": list(report.requested), "version": report.outcome.version},
    }


def _print_closing(report: Report) -> None:
    """What the script found or made, and whether anything had to be fetched for it."""
    script, given = report.plan.root.script, report.outcome.new_env
    shown = script.raw.get("print_env_at_the_end") or {output.key: output.key for output in script.outputs}
    for key, text in shown.items():
        if key in given:
            print(f"{text}: {given[key]}")
    if report.made:
        print(f"{len(report.made)} cached step{'s' * (len(report.made) != 1)} made: {', '.join(report.made)}")
    elif any(step.cached for step in report.plan.steps()):
        print("nothing was downloaded or installed: every cached step was reused")


def _print_json(data: Any) -> None:
    import json

    print(json.dumps(data, indent=2, sort_keys=True, default=str))


def guarded(automation: Any, i: dict[str, Any], action: Any) -> dict[str, Any]:
    """Turn every diagnosed problem into CM's return code. On the console it is printed here, once, whole."""
    debug = is_yes(i.get("debug"))
    try:
        return action(automation, i)  # type: ignore[no-any-return]
    except CMBenchError as error:
        if debug:
            raise
        return _failure(automation, i, error)
    except OSError as error:
        if debug:
            raise
        where = f": {error.filename}" if error.filename else ""
        cause = f"{error.strerror or error}{where}"
        return _failure(automation, i, CMBenchError(cause, hint="run the same command with --debug to see where"))
    except KeyboardInterrupt:
        interrupted = CMBenchError("interrupted", hint="run the same command again: finished steps are kept", code=130)
        return _failure(automation, i, interrupted)
    except RecursionError:
        return _failure(automation, i, StepFailed("the dependencies never end: a script depends on itself"))


def _failure(automation: Any, i: Mapping[str, Any], error: CMBenchError) -> dict[str, Any]:
    if i.get("out") == "con":
        sys.stdout.flush()
        print(f"\n{error.render()}", file=sys.stderr, flush=True)
        # cmind's command line would print the cause a second time
        automation.cmind.output = "shown"
    details = {"cause": error.cause, "chain": list(error.chain), "hint": error.hint, "log": str(error.log or "")}
    return {"return": error.code, "error": error.render(), "cm4bench": details}
