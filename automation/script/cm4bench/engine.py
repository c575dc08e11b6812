"""The engine as a library: `Engine(repos, home).plan(request)` and `.run(request)`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .catalog import Catalog, Selection
from .environment import Environment
from .errors import CMBenchError, did_you_mean
from .events import Event, Listener, silent
from .facts import Facts, read_facts
from .frame import Call
from .history import History
from .manifest import Repo, Script, is_yes
from .plan import Outcome, Plan
from .query import Query, is_uid, parse_query, parse_tags
from .recipe import RecipeBook
from .resolver import Resolver
from .runner import Runner, RunOptions
from .store import Store, entry_uid
from .values import NamedTuple
from .versions import VersionRange

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Engine", "Report", "Request"]


class Request(NamedTuple):
    """What a user asks for.

    `options` are flags for the script's own inputs; `env` values are set from outside; `jobs`: how many cache entries
    may be made side by side; `assume`: host facts to plan with in place of the real ones; `flags`: those of CM itself,
    which a script may take as inputs too.
    """

    tags: str
    options: Mapping[str, Any] = MappingProxyType({})
    env: Mapping[str, Any] = MappingProxyType({})
    state: Mapping[str, Any] = MappingProxyType({})
    const: Mapping[str, Any] = MappingProxyType({})
    adr: Mapping[str, Any] = MappingProxyType({})
    ad: Mapping[str, Any] = MappingProxyType({})
    version: VersionRange = VersionRange()
    renew: bool = False
    verbose: bool = False
    jobs: int = 1
    assume: Mapping[str, Any] = MappingProxyType({})
    flags: Mapping[str, Any] = MappingProxyType({})


class Report(NamedTuple):
    """What a run gave: the script's outcome, its final environment and state, and which steps were run or reused.

    `done` holds the outcome of every step by its identity, for `Engine.plan(request, done)`; `requested` the tags of
    the requested script's own dependencies that were asked for.
    """

    outcome: Outcome
    env: Mapping[str, Any]
    state: Mapping[str, Any]
    plan: Plan
    ran: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    done: Mapping[str, Outcome] = MappingProxyType({})
    requested: tuple[str, ...] = ()


class Engine:
    """Plans and runs scripts of the given repositories; everything it keeps lies under `home` (CM's home folder)."""

    def __init__(
        self,
        repos: Sequence[Repo],
        home: str | os.PathLike[str],
        *,
        automation: Any = None,
        facts: Facts | None = None,
        listener: Listener = silent,
    ) -> None:
        self.repos = tuple(repos)
        self._home = os.fspath(home)
        self.listener = listener
        self._facts = facts
        self._automation = automation
        self.choose: Callable[[Selection, str], int] | None = None

    @cached_property
    def catalog(self) -> Catalog:
        return Catalog.open(self.repos, self._private)

    @cached_property
    def store(self) -> Store:
        return Store(self._home)

    @cached_property
    def facts(self) -> Facts:
        return self._facts or read_facts()

    @cached_property
    def history(self) -> History:
        return History(f"{self._private}/history.bin")

    @cached_property
    def recipes(self) -> RecipeBook:
        return RecipeBook(f"{self._private}/recipes.bin")

    @property
    def home(self) -> Path:
        from pathlib import Path

        return Path(self._home)

    @property
    def _private(self) -> str:
        return f"{self._home}/cm4bench"

    def plan(self, request: Request, done: Mapping[str, Outcome] = MappingProxyType({})) -> Plan:
        """What `run` would do. Starts no process, opens no connection, writes nothing but the engine's own index.

        With `done` of a report it is the plan as that run settled it.

        Raises:
            CMBenchError: the request cannot be answered; see its cause, chain and hint.
        """
        resolver = self._resolver(request.assume)
        resolver.done = done
        plan = resolver.plan(self._call(request))
        self.recipes.save()
        return plan

    def run(self, request: Request) -> Report:
        """Plan, then make what is not there yet.

        Raises:
            CMBenchError: before anything ran, when the plan shows that it cannot work; or from a step that failed.
        """
        if request.assume:
            raise CMBenchError("--assume is for planning only", hint="add --plan, or leave --assume out")
        call = self._call(request)
        resolver = self._resolver()
        plan = resolver.plan(call)
        self._announce(plan)
        runner = self._runner(resolver, request)
        try:
            if request.jobs > 1 and not request.renew:
                self._make_ahead(runner, plan, call, request.jobs)
            outcome, frame = runner.perform(call)
        finally:
            self.recipes.save()
            self.history.save()
        made = tuple(runner.ran), tuple(runner.made)
        asked = tuple(frame.requested)
        return Report(outcome, frame.env.values, frame.state.values, plan, *made, runner.done, asked)

    def _make_ahead(self, runner: Runner, plan: Plan, call: Call, width: int) -> None:
        """Make independent entries side by side, where there are several to make."""
        if sum(1 for step in plan.to_run() if step.caches) < 2:
            return
        from .ahead import find_jobs, make_ahead

        make_ahead(runner, find_jobs(runner.resolver, plan, call), width)
        runner.resolver.reconsider()

    def _resolver(self, assumed: Mapping[str, Any] = MappingProxyType({})) -> Resolver:
        facts = self.facts._replace(values={**self.facts.values, **assumed}) if assumed else self.facts
        return Resolver(self.catalog, self.recipes, facts, self.store.recall, self.store.has_made, self.choose)

    def _runner(self, resolver: Resolver, request: Request) -> Runner:
        keep = is_yes(request.options.get("dirty"))
        options = RunOptions(
            *(f"{self._private}/logs", request.verbose, request.renew),
            keep_files=keep,
            debugged=self._debugged(request),
        )
        runner = Runner(resolver, self.store, self._automation, self.history, options, self.listener)
        resolver.done = runner.done
        return runner

    def _debugged(self, request: Request) -> tuple[str, ...]:
        """Tags of the scripts to debug: `--debug_script_tags`, or with `--debug_script` those of the one asked for."""
        if is_yes(request.options.get("debug_script")):
            return self.find_script(request.tags).tags
        return tuple(tag for tag in str(request.options.get("debug_script_tags") or "").split(",") if tag)

    def _announce(self, plan: Plan) -> None:
        steps, to_run = plan.steps(), plan.to_run()
        making = {entry_uid(step.id) for step in to_run if step.caches}
        if making:
            self.store.sweep(making)
        self.listener(Event("planned", detail=f"{len(steps)} steps, {len(steps) - len(to_run)} of them cached"))

    def _call(self, request: Request) -> Call:
        query = self.query(request.tags)
        self._refuse_unknown_options(query, request.options)
        return Call(
            query=query,
            env=Environment(request.env),
            state=Environment(request.state),
            options={**self._mapped_flags(query, request.flags), **request.options},
            const=request.const,
            adr=request.adr,
            ad=request.ad,
            version=request.version,
            extra_cache_tags=tuple(t for t in str(request.options.get("extra_cache_tags") or "").split(",") if t),
            force_cache=bool(request.options.get("force_cache")),
        )

    def _mapped_flags(self, query: Query, flags: Mapping[str, Any]) -> dict[str, Any]:
        """Flags of CM's own that this script also takes as inputs (`--debug`, `--version`, `--new`)."""
        inputs = {item.name for item in self.catalog.select(query).script.inputs} if flags else set()
        return {name: value for name, value in flags.items() if name in inputs}

    def find_script(self, tags: str) -> Script:
        """The script that a request would choose. Raises NotFound."""
        return self.catalog.select(self.query(tags)).script

    def query(self, text: str) -> Query:
        """Tags, or one script by uid, alias, `repository:alias` or a pattern of aliases; either with `_variations`."""
        if not text.strip():
            raise CMBenchError("no script was named", hint='cmr "detect os" runs a script by its tags')
        # `print,_text.two words` is a list of tags, `print hello _v,raw` is words
        listed = "," in text and " " not in text.split(",")[0].strip()
        query = parse_tags(text) if listed else parse_query(text)
        name = query.tags[-1] if query.tags else ""
        if len(query.tags) > 2 or not name or (self.catalog.has_tag(name) and len(query.tags) == 1):
            return query
        # `alias,uid` is CM's full form of a name
        script = self.catalog.by_name(name) if len(query.tags) == 1 or is_uid(name) else None
        return query._replace(tags=script.tags, folder=script.folder) if script else query

    def _refuse_unknown_options(self, query: Query, options: Mapping[str, Any]) -> None:
        """In repositories that opted into strictness a mistyped flag is an error, not a silent no-op."""
        script = self.catalog.select(query).script
        known = {item.name for item in script.inputs} | _COMMON_OPTIONS
        unknown = [name for name in options if name not in known] if script.repo.strict else []
        if unknown:
            near = did_you_mean(unknown[0], sorted(known))
            raise CMBenchError(
                f"{script.alias} has no option --{unknown[0]}{near}",
                hint=f'cmr "{" ".join(query.tags)}" --help lists its options',
            )


_COMMON_OPTIONS = {
    *("path", "input", "output", "outdirname", "outbasename", "name", "extra_cache_tags", "force_cache", "script_name"),
    *("skip_compile", "skip_run", "accept_license", "skip_system_deps", "git_ssh", "gh_token", "debug"),
    *("skip_cache", "ignore_script_error", "dirty", "docker_run_deps", "cache_expiration"),
    *("debug_script", "debug_script_tags"),
}
