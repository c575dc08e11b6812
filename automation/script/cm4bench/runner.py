"""Running: the same walk as the resolver's, with real values. What is in the store is reused, the rest is made.

The runner decides nothing on its own: which script, which variations, whether a dependency is wanted and what a
step's identity is all come from the resolver's functions, asked again as values arrive. What only a step that really
runs needs is imported there: a run in which all is cached is the most frequent one.
"""

# paths are text on the way of every command, for importing pathlib costs 3 ms
# ruff: noqa: PTH109, PTH110, PTH113, PTH118, PTH121
from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .dependencies import dependency_call, give_back, verdict_of
from .deplists import DEP_LISTS
from .errors import CMBenchError, StepFailed
from .events import Event, Listener
from .foresight import own_up
from .frame import Call, Frame
from .history import History
from .manifest import is_yes
from .plan import Outcome, Step
from .query import parse_query
from .resolver import PHASES, Resolver, collect_new, phase_has_code, walk
from .store import Entry, Store
from .values import NamedTuple
from .workfolder import clear_leftovers, inside, map_env_keys, work_folder

if TYPE_CHECKING:
    from pathlib import Path

    from .hooks import Hooks

__all__ = ["RunOptions", "Runner"]

_BEFORE_CLAIM = PHASES[: PHASES.index("deps") + 1]
_INSIDE_CLAIM = PHASES[len(_BEFORE_CLAIM) :]


class RunOptions(NamedTuple):
    """How to run, not what. `renew`: make the requested script anew even if it is in the store.

    `keep_files`: leave CM's `tmp-*` files of uncached scripts where they ran. `debugged`: tags of scripts whose native
    part is also written to a file that runs without this engine.
    """

    logs: str
    verbose: bool = False
    renew: bool = False
    keep_files: bool = False
    debugged: tuple[str, ...] = ()


class _Skipped(Exception):
    """A hook said that the step need not go on; `instead` is what to run in its place."""

    def __init__(self, instead: Mapping[str, Any] | None) -> None:
        super().__init__()
        self.instead = instead


class Runner:
    """Performs calls. One runner per request; `done` remembers each step so that equal ones run once."""

    def __init__(
        self,
        resolver: Resolver,
        store: Store,
        automation: Any,
        history: History,
        options: RunOptions,
        listener: Listener,
    ) -> None:
        self.resolver = resolver
        self.store = store
        self._automation = automation
        self.history = history
        self.options = options
        self.listener = listener
        self.done: dict[str, Outcome] = {}
        self.ran: list[str] = []
        self.made: list[str] = []

    @cached_property
    def hooks(self) -> Hooks:
        from .hooks import Hooks

        return Hooks(self._automation)

    def perform(self, call: Call) -> tuple[Outcome, Frame]:
        """Make or recall what a call asks for.

        Raises:
            CMBenchError: anything that went wrong, with the because-chain and the log.
        """
        frame, _ = self.resolver.open(call)
        try:
            return self._perform(call, frame), frame
        except CMBenchError as error:
            raise error.through(frame.chain) from error.__cause__

    def _perform(self, call: Call, frame: Frame) -> Outcome:
        step = self.resolver.known(frame) or self.resolver.resolve(call)
        if step.id in self.done:
            return self.done[step.id]
        renew = self.options.renew and not call.chain
        if step.cached and not renew and not self._differs(step, frame):
            if self._is_valid(step, frame):
                return self._reuse(step, frame)
            renew = True
        outcome = self._build(call, frame, step, renew) if step.caches else self._execute(frame, step, os.getcwd())
        self.done[step.id] = outcome
        return outcome

    # -- what is there already

    def _reuse(self, step: Step, frame: Frame) -> Outcome:
        self._tell("cached", frame)
        frame.requested.clear()
        outcome = step.outcome
        if any(dep.get("dynamic") for kind in DEP_LISTS for dep in frame.deps[kind]):
            outcome = self._refreshed(step, frame)
        self.done[step.id] = outcome
        return outcome

    def _refreshed(self, step: Step, frame: Frame) -> Outcome:
        """A cached outcome around which the dependencies marked `dynamic` run again."""
        walk(frame, self._visit_dynamic, lambda *_: None, phases=("deps", "prehook_deps"))
        give_back(frame, step.outcome.new_env, step.outcome.new_state, step.id)
        walk(frame, self._visit_dynamic, lambda *_: None, phases=("posthook_deps", "post_deps"))
        return Outcome(*collect_new(frame), step.outcome.version)

    def _visit_dynamic(self, frame: Frame, phase: str, dep: Mapping[str, Any]) -> None:
        if dep.get("dynamic"):
            self._visit(frame, phase, dep)

    def _is_valid(self, step: Step, frame: Frame) -> bool:
        """Ask the script's own `validate_cache.sh`, after the dependencies marked `dynamic`."""
        if "validate_cache.sh" not in frame.recipe.natives:
            return True
        walk(frame, self._visit_dynamic, lambda *_: None, phases=("deps",))
        from .validation import is_valid

        return is_valid(frame, self.hooks, step.outcome.version, self._log_path(frame, step))

    def _differs(self, step: Step, frame: Frame) -> bool:
        """Was the entry made under other input values than the present ones (say, another host)?"""
        entry, _ = self.store.find(step)
        if entry is None:
            return True
        if not set(entry.outcome.withheld) <= set(frame.entry_env):
            return True  # it made a secret, which is not kept
        now = _observed(frame, step)
        return any(now.get(key) != value for key, value in entry.observed.items() if key in now)

    # -- making it

    def _build(self, call: Call, frame: Frame, step: Step, renew: bool) -> Outcome:
        """Make a cache entry: dependencies first, then the script in the claimed folder."""
        observed = _observed(frame, step)
        log = self._log_path(frame, step)
        walk(frame, self._visit, lambda f, phase: self._act(f, phase, os.getcwd(), log), phases=_BEFORE_CLAIM)
        if step.undecided:
            step = self.resolver.resolve(call)
            if step.cached and not renew:
                return self._reuse(step, frame)
        with self.store.claim(step, lambda: self._tell("waiting", frame)):
            entry, _ = self.store.find(step)
            if entry and not renew and not self._differs(step, frame):
                return self._from_other_process(entry, frame)
            folder = str(self.store.clear_for_build(step))
            started = time.monotonic()
            with self.store.exclusive(str(frame.setting("exclusive") or ""), lambda: self._tell("waiting", frame)):
                outcome = self._execute(frame, step, folder, phases=_INSIDE_CLAIM)
            self.store.publish(step, outcome, observed, time.monotonic() - started)
            self.made.append(frame.label)
        return outcome

    def _from_other_process(self, entry: Entry, frame: Frame) -> Outcome:
        self._tell("cached", frame, detail="made by another process meanwhile")
        return entry.outcome.completed(frame.entry_env.values)

    def _execute(self, frame: Frame, step: Step, folder: str, phases: tuple[str, ...] = PHASES) -> Outcome:
        started = time.monotonic()
        if frame.recipe.has_code:
            self._tell("started", frame)
        log = self._log_path(frame, step)
        folder = work_folder(frame, folder)
        try:
            with inside(folder, frame):
                clear_leftovers(frame, folder, outputs=True)
                walk(frame, self._visit, lambda f, phase: self._act(f, phase, folder, log), phases=phases)
                outcome = self._conclude(frame)
                if _moved_to(folder) != folder and not self.options.keep_files:
                    clear_leftovers(frame, os.getcwd(), outputs=False)
        except _Skipped as skipped:
            outcome = self._instead(frame, skipped)
        except CMBenchError as error:
            error.log = error.log or _existing(log)
            self._tell("failed", frame, seconds=time.monotonic() - started)
            raise
        seconds = time.monotonic() - started
        self.ran.append(frame.label)
        self.history.add(frame.label, seconds)
        if not step.caches and not self.options.keep_files:
            clear_leftovers(frame, folder, outputs=False)
        if frame.recipe.has_code:
            self._tell("finished", frame, seconds=seconds, log=_existing(log))
        return outcome

    def _visit(self, frame: Frame, phase: str, dep: Mapping[str, Any]) -> None:
        verdict = verdict_of(dep, frame)
        if verdict.holds is False:
            return
        call = dependency_call(dep, frame, phase)
        if frame.env.text("CM_TMP_FAKE_DEPS") == "yes":
            return
        outcome, inner = self.perform(call)
        self.resolver.take(frame, self.resolver.known(inner) or self.resolver.resolve(call), outcome)

    def _act(self, frame: Frame, phase: str, folder: str, log: str) -> None:
        if not phase_has_code(frame, phase):
            return
        origin = self.resolver.phase_origin(frame, phase)
        if phase == "native":
            self._run_native(frame, _moved_to(folder), log)
        else:
            self._run_hook(frame, phase, log)
        own_up(frame, origin)
        frame.settle_env()

    def _run_hook(self, frame: Frame, phase: str, log: str) -> None:
        from .transfer import reporting, throttled

        with reporting(throttled(lambda done, total: self._tell("progress", frame, detail=_bytes_text(done, total)))):
            result = self.hooks.call(frame, phase, log)
        if result.get("version"):
            frame.env.set("CM_DETECTED_VERSION", str(result["version"]))
        frame.extra_tags += [str(tag) for tag in result.get("add_extra_cache_tags") or ()]
        if result.get("skip"):
            raise _Skipped(result.get("script"))
        if phase in ("predeps", "preprocess"):
            for kind in DEP_LISTS if phase == "predeps" else DEP_LISTS[1:]:
                frame.deps[kind] = frame.meta.get(kind, frame.deps[kind])

    def _run_native(self, frame: Frame, folder: str, log: str) -> None:
        from pathlib import Path

        from .compat.dialect import CM, dialect_of
        from .native import NativeRun, choose_script

        name = str(frame.native_input.get("script_name") or frame.script_name or "run")
        file = choose_script(frame.recipe.natives, name, frame.env.values)
        speech = dialect_of(frame)
        map_env_keys(frame)
        if not file:
            if name != "run":
                raise StepFailed(f"{frame.label} has no native script {name}.sh", code=16)
            return
        debugged = bool(self.options.debugged) and set(self.options.debugged) <= set(frame.script.tags)
        show = self.options.verbose or not frame.call.chain
        run = NativeRun(Path(folder), Path(log), show=show, keep_command=debugged)
        spoken = frame.env.values if speech is CM else speech.outward(frame.env.values)
        state = speech.state_outward(frame.state.values)
        try:
            run(frame.script.path / file, spoken, state)
        except StepFailed as error:
            if not is_yes(frame.call.options.get("ignore_script_error")):
                raise _with_files(error, frame, folder) from None
        run.read_back(spoken, state)
        if speech is not CM:
            frame.env.replace(speech.inward(spoken))
            frame.state.replace(speech.state_inward(state))

    def _instead(self, frame: Frame, skipped: _Skipped) -> Outcome:
        if not skipped.instead:
            return Outcome()
        tags = str(skipped.instead.get("tags") or "")
        call = frame.call._replace(query=parse_query(tags), env=frame.env.copy(), chain=frame.chain)
        return self.perform(call)[0]

    def _conclude(self, frame: Frame) -> Outcome:
        for key, fact in self.resolver.facts_of(frame).items():
            frame.env.setdefault(key, fact)
        new_env, new_state = collect_new(frame)
        if frame.rehearsal or frame.idle:
            return Outcome(new_env, new_state)
        if frame.script.outputs:
            from .outputs import check_outputs

            check_outputs(frame.script.outputs, new_env, frame.label)
        version = frame.env.text("CM_DETECTED_VERSION") or frame.env.text("CM_VERSION")
        if not frame.version._replace(exact="").admits(version):
            raise StepFailed(f"{frame.label} delivered version {version}, but {frame.version} was asked for")
        depends_on = frame.env.text("CM_GET_DEPENDENT_CACHED_PATH")
        return Outcome(new_env, new_state, version, tuple(frame.requested), _late_tags(frame), _elsewhere(depends_on))

    def _log_path(self, frame: Frame, step: Step) -> str:
        return f"{self.options.logs}/{frame.script.name}-{step.id[:8]}.log"

    def _tell(
        self, kind: str, frame: Frame, *, seconds: float = 0.0, detail: str = "", log: Path | None = None
    ) -> None:
        self.listener(Event(kind, frame.label, len(frame.call.chain), seconds, detail, log))


def _late_tags(frame: Frame) -> tuple[str, ...]:
    """Cache tags made of values that the step's dependencies and hooks have given (CM's `deps-…`)."""
    tags = list(frame.extra_tags)
    for item in frame.setting("extra_cache_tags_from_env") or ():
        words = frame.env.text(str(item["env"])).split(",")
        tags += [f"deps-{item.get('prefix', '')}{word}" for word in words if word]
    return tuple(tags)


def _moved_to(folder: str) -> str:
    """A hook may have gone elsewhere (`--download_path`); the native script runs where it is now, as in CM."""
    return folder if os.path.samefile(folder, os.getcwd()) else os.getcwd()


def _existing(log: str) -> Path | None:
    """The log, if anything was written."""
    if not os.path.exists(log):
        return None
    from pathlib import Path

    return Path(log)


def _elsewhere(path: str) -> str:
    """A path that the step hangs on, unless it is the step's own folder."""
    return path if path and os.path.exists(path) and not os.path.samefile(path, os.getcwd()) else ""


def _with_files(error: StepFailed, frame: Frame, folder: str) -> StepFailed:
    """Add the files that the manifest wants shown when the script fails."""
    for name in frame.setting("print_files_if_script_error") or ():
        path = os.path.join(folder, str(name))
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read().splitlines()
            error.log_tail = [*error.log_tail, f"{name}:", *text[-12:]]
    return error


def _observed(frame: Frame, step: Step) -> dict[str, Any]:
    """Present values of the inputs that came from other steps: provenance alone does not pin those of uncached ones."""
    keys = step.ingredients.get("inputs") or {}
    return {k: frame.entry_env[k] for k, origin in keys.items() if origin.startswith("@") and k in frame.entry_env}


def _bytes_text(done: int, total: int | None) -> str:
    from .units import megabytes

    return f"{megabytes(done)} of {megabytes(total)}" if total else megabytes(done)
