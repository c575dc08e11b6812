"""Resolution: a pure function from (call, catalogue, facts) to steps. Nothing is executed, fetched or written.

The resolver walks a script's phases in CM's order. Where a phase would run code, it foresees what the code may
change: keys it cannot know become Pending, and a condition that meets one stays in the plan as undecided. The runner
walks the same phases with the same functions, with real values in place of the pending ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .catalog import Catalog, Selection
from .conditions import Verdict
from .dependencies import dependency_call, give_back, verdict_of
from .deplists import DEP_LISTS, names_of
from .digest import digest
from .environment import Environment, Pending, fits, origin_parts
from .errors import CMBenchError, Conflict
from .facts import Facts
from .foresight import foresee
from .frame import Call, Frame, open_frame
from .plan import Edge, Outcome, Plan, Step
from .query import Query
from .recipe import RecipeBook
from .traces import Traces, is_volatile, memo_key
from .versions import VersionRange

__all__ = ["PHASES", "Resolver", "collect_new", "phase_has_code", "walk"]

PHASES = ("predeps", "deps", "preprocess", "prehook_deps", "native", "posthook_deps", "postprocess", "post_deps")
REHEARSED = ("deps", "prehook_deps")
_FORMAT = 2
_MAX_DEPTH = 80
_FROM_CACHE = "the first that is in the cache"

Visit = Callable[[Frame, str, Mapping[str, Any]], None]
Act = Callable[[Frame, str], None]


def walk(frame: Frame, visit: Visit, act: Act, phases: Sequence[str] = PHASES) -> None:
    """Take a frame through its phases: `visit` each dependency, `act` at each phase of the script's own code."""
    for phase in () if frame.idle else phases:
        if frame.rehearsal and phase not in REHEARSED:
            continue
        if phase in DEP_LISTS:
            for dep in list(frame.deps[phase]):
                if dep.get("tags"):
                    visit(frame, phase, dep)
        else:
            act(frame, phase)


class Resolver:
    """Resolves calls against one catalogue and one set of facts, remembering what it has resolved."""

    def __init__(
        self,
        catalog: Catalog,
        recipes: RecipeBook,
        facts: Facts,
        recall: Callable[[Step], tuple[Outcome | None, str]],
        has_made: Callable[[str, Sequence[str]], bool] = lambda *_: False,
        choose: Callable[[Selection, str], int] | None = None,
    ) -> None:
        self.catalog = catalog
        self.recipes = recipes
        self.facts = facts
        self.recall = recall
        self.has_made = has_made
        self.choose = choose
        self.done: Mapping[str, Outcome] = {}
        self.agreed: dict[str, VersionRange] = {}
        self._traces = Traces()
        self._selections: dict[str, Selection] = {}
        self._makers: dict[str, str] = {}
        self._supposing = False
        self._has_slots = False

    def plan(self, call: Call) -> Plan:
        """Resolve a request; where several steps ask for versions of one thing, all get one that suits them.

        Raises:
            CMBenchError: as `resolve`; Conflict where no version suits all.
        """
        plan = Plan(self.resolve(call), str(call.query))
        if not self._has_slots:
            return plan
        from .conflicts import agree

        while (agreed := agree(plan)) and not agreed.items() <= self.agreed.items():
            self.agreed.update(agreed)
            self._traces.clear()
            plan = Plan(self.resolve(call), str(call.query))
        return plan

    def open(self, call: Call) -> tuple[Frame, Selection]:
        """Select the script of a call and apply its manifest. Raises CMBenchError with the chain of scripts."""
        try:
            if len(call.chain) > _MAX_DEPTH:
                raise _endless(call.chain)
            selection = self._select(call)
            frame = open_frame(call, selection.script, self.recipes[selection.script.folder])
            common = self.agreed.get(frame.slot) if self.agreed and frame.slot else None
            if common is not None and str(frame.demanded) and frame.demanded != common:
                frame = open_frame(call._replace(version=common), selection.script, frame.recipe)
            if frame.requirements:
                from .requirements import refuse_unmet

                refuse_unmet(frame.requirements, self.facts.values)
            frame.key = memo_key(frame)
            return frame, selection
        except CMBenchError as error:
            raise error.through((*call.chain, str(call.query))) from None

    def resolve(self, call: Call) -> Step:
        """The step that answers a call, with everything it depends on.

        Raises:
            CMBenchError: nothing matches, contradictions, a dependency cycle; carries the because-chain.
        """
        frame, selection = self.open(call)
        known = self.known(frame)
        if known is not None:
            return known
        step = self._resolve_frame(frame, selection)
        self._traces.keep(frame, step, self._knowledge if step.undecided else None)
        return self._settled(step, frame)

    def known(self, frame: Frame) -> Step | None:
        """The step of a frame that has been resolved before, whatever has happened in it since it was opened."""
        step = self._traces.find(frame, self._knowledge)
        return None if step is None else self._settled(step, frame)

    def reconsider(self) -> None:
        """Forget what was resolved: entries have been made behind the resolver's back."""
        self._traces.clear()

    @property
    def _knowledge(self) -> tuple[int, bool]:
        """What an undecided step hangs on besides its inputs: it may decide itself once more steps have run."""
        return len(self.done), self._supposing

    def phase_origin(self, frame: Frame, phase: str) -> str:
        """Identity of what the frame's own code does in a phase, given all that led there. Same in plan and run."""
        inputs = self._own_inputs(frame, frozenset(frame.produced))
        return f"{_short_hash([frame.recipe.sha256, sorted(frame.selected.names), inputs, frame.trail])}.{phase}"

    def _select(self, call: Call) -> Selection:
        """For what may never be wanted the catalogue alone decides: nobody is asked, the cache makes no difference."""
        key = f"{call.query.folder}|{call.query}{'?' * self._supposing}"
        if key not in self._selections:
            selection = self.catalog.select(call.query)
            if not self._supposing:
                selection = self._chosen(self._preferred(selection, call.query), call.query)
            self._selections[key] = selection
        return self._selections[key]

    def _chosen(self, selection: Selection, query: Query) -> Selection:
        """What the user takes of several scripts, if there is a user; remembered as long as the resolver lives."""
        if not (selection.others and self.choose) or selection.because == _FROM_CACHE:
            return selection
        scripts = (selection.script, *selection.others)
        chosen = scripts[self.choose(selection, str(query))]
        because = selection.because if chosen is selection.script else f"chosen of {len(scripts)}"
        return Selection(chosen, tuple(s for s in scripts if s is not chosen), because)

    def _preferred(self, selection: Selection, query: Query) -> Selection:
        """Of several scripts, as in CM, the first that has made what is asked for before."""
        words = [*query.tags, *(f"_{v}" for v in query.variations)]
        for script in (selection.script, *selection.others) if selection.others else ():
            if script.caches and self.has_made(script.uid, words):
                others = tuple(s for s in (selection.script, *selection.others) if s is not script)
                return Selection(script, others, _FROM_CACHE)
        return selection

    def _resolve_frame(self, frame: Frame, selection: Selection) -> Step:
        edges: list[Edge] = []

        def visit(frame: Frame, phase: str, dep: Mapping[str, Any]) -> None:
            edges.append(self._visit(frame, phase, dep))

        def act(frame: Frame, phase: str) -> None:
            if phase_has_code(frame, phase):
                foresee(frame, phase, self.phase_origin(frame, phase))

        walk(frame, visit, act)
        return self._conclude(frame, selection, edges)

    def _visit(self, frame: Frame, phase: str, dep: Mapping[str, Any]) -> Edge:
        verdict = verdict_of(dep, frame)
        if verdict.holds is False:
            return Edge(phase, str(dep["tags"]), False, verdict.because)
        call = dependency_call(dep, frame, phase)
        if frame.env.text("CM_TMP_FAKE_DEPS") == "yes":
            return Edge(phase, frame.requested[-1], True, "named only (fake_deps)")
        if verdict.holds is None:
            return self._perhaps(frame, phase, call, verdict)
        child = self.resolve(call)
        self.take(frame, child, child.outcome)
        return Edge(
            phase, str(call.query), True, str(dep.get("why") or verdict.because), child, names=tuple(names_of(dep))
        )

    def take(self, frame: Frame, child: Step, outcome: Outcome) -> None:
        """Hand a dependency's outcome to the frame that asked for it."""
        frame.produced |= child.produced | {child.id}
        give_back(frame, outcome.new_env, outcome.new_state, child.id)

    def _perhaps(self, frame: Frame, phase: str, call: Call, verdict: Verdict) -> Edge:
        """An undecided dependency: shown in the plan; what it would produce becomes uncertain.

        Inside of one, further undecided ones are only named: their number grows exponentially with the depth, and
        "install it if it is not found" often leads back to where it started.
        """
        if self._supposing:
            return Edge(phase, str(call.query), None, verdict.because, None, verdict.waits_on)
        self._supposing = True
        try:
            child = self.resolve(call)
        except CMBenchError:
            return Edge(phase, str(call.query), None, verdict.because, None, verdict.waits_on)
        finally:
            self._supposing = False
        origin = f"{child.id}?"
        give_back(frame, {k: Pending(origin, k, child.label, maybe=True) for k in child.outcome.new_env}, {}, origin)
        return Edge(phase, str(call.query), None, verdict.because, child, verdict.waits_on)

    def _conclude(self, frame: Frame, selection: Selection, edges: list[Edge]) -> Step:
        children = [edge.step for edge in edges if edge.step is not None]
        produced = frozenset(frame.produced)
        ingredients = self._ingredients(frame, edges, produced)
        identity = _short_hash(ingredients)
        slot = frame.slot
        self._has_slots = self._has_slots or bool(slot)
        self._makers[identity] = frame.script.folder
        return Step(
            id=identity,
            script=frame.script,
            label=frame.label,
            variations=frame.selected.reasons,
            version=frame.version.exact,
            selected_because=selection.because,
            caches=frame.caches,
            cached=False,
            miss="",
            edges=tuple(edges),
            outcome=self._foreseen_outcome(frame, identity),
            ingredients=ingredients,
            runs_code=frame.recipe.has_code,
            sources=_active_sources(frame),
            produced=produced,
            undecided=any(e.wanted is None for e in edges) or any(c.undecided for c in children),
            slot=slot,
            asked=frame.demanded,
        )

    def _foreseen_outcome(self, frame: Frame, identity: str) -> Outcome:
        """What the step will give back; outputs that host facts already tell are known before it runs."""
        new_env, new_state = collect_new(frame)
        for key, value in new_env.items():
            if isinstance(value, Pending):
                new_env[key] = Pending(identity, key, frame.label, value.maybe)
        new_env.update(self.facts_of(frame))
        return Outcome(new_env, new_state, frame.version.exact)

    def facts_of(self, frame: Frame) -> dict[str, Any]:
        """Outputs of a frame that are host facts, but for those that were set from outside."""
        known, entry, produced = self.facts.values, frame.entry_env, frozenset(frame.produced)
        return {
            o.key: known[o.fact]
            for o in frame.script.outputs
            if o.fact in known and (o.key not in entry or self._made_inside(entry, o.key, frame, produced, [o.key]))
        }

    def _settled(self, step: Step, frame: Frame) -> Step:
        """The step, with what it really gave if it has run already or is in the cache."""
        if step.id in self.done:
            return step._replace(outcome=self.done[step.id])
        if not step.caches or step.cached:
            return step
        outcome, miss = self.recall(step)
        if outcome is None:
            return step._replace(miss=miss)
        return step._replace(outcome=outcome.completed(frame.entry_env.values), cached=True, undecided=False)

    def _ingredients(self, frame: Frame, edges: list[Edge], produced: frozenset[str]) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "script": frame.script.uid or frame.script.folder,
            "recipe": frame.recipe.sha256,
            "variations": sorted(frame.selected.names),
            "version": str(frame.version),
            "inputs": self._own_inputs(frame, produced),
            "state": self._own_states_read(frame, produced),
            "deps": [[e.phase, e.query, _edge_identity(e)] for e in edges if e.wanted is not False],
            "extra_cache_tags": sorted(frame.call.extra_cache_tags),
            "keys": [frame.call.force_new_env_keys, frame.call.force_new_state_keys],
            "facts": self.facts_of(frame),
            "platform": self.facts.platform if frame.caches else "",
            **_when_set(frame),
        }

    def _own_inputs(self, frame: Frame, produced: frozenset[str]) -> dict[str, str]:
        """Provenance of each key the script's own text can read, but for what it or its dependencies make anyway."""
        entry = frame.entry_env
        return {
            key: entry.provenance(key)
            for key in sorted(entry)
            if frame.recipe.may_read(key)
            and not is_volatile(key)
            and not self._made_inside(entry, key, frame, produced, frame.new_env_keys)
        }

    def _own_states_read(self, frame: Frame, produced: frozenset[str]) -> dict[str, str]:
        """The same for state keys."""
        entry = frame.entry_state
        return {
            key: entry.provenance(key)
            for key in sorted(entry)
            if _reads_state(frame, key) and not self._made_inside(entry, key, frame, produced, frame.new_state_keys)
        }

    def _made_inside(
        self, entry: Environment, key: str, frame: Frame, produced: frozenset[str], own: Sequence[str]
    ) -> bool:
        """Was the value made by a step inside of this one, or, if it is one of `own`, by this very script before?"""
        if key not in entry.origins:
            return False
        outside = [part for part in origin_parts(entry.origins[key]) if part not in produced]
        if any(self._makers.get(part) != frame.script.folder for part in outside):
            return False
        return not outside or any(fits(key, pattern) for pattern in own)


def _endless(chain: Sequence[str]) -> CMBenchError:
    """Names the loop; its chain stops where the loop closes, so that the message stays on one screen."""
    closed = next((n for n, label in enumerate(chain) if label in chain[:n]), 9)
    loop = " → ".join(chain[chain.index(chain[closed]) : closed + 1])
    error = Conflict(f"the dependencies never end: {loop}", hint="break the loop in one of these manifests")
    return error.through(chain[: closed + 1])


def _when_set(frame: Frame) -> dict[str, Any]:
    """Ingredients of few steps."""
    expiration = frame.call.options.get("cache_expiration", frame.setting("cache_expiration"))
    rare = {"cache_expiration": "" if expiration is None else str(expiration), "rehearsal": frame.rehearsal}
    return {key: value for key, value in rare.items() if value}


def collect_new(frame: Frame) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a frame gives back: keys of its environment and state that its manifest names as new."""
    if frame.idle:
        return {}, {}
    keys, states = frame.call.force_new_env_keys, frame.call.force_new_state_keys
    wanted = [*(frame.new_env_keys if keys is None else keys)]
    wanted += [frame.env.text(k[3:-3]) for k in wanted if k.startswith("<<<") and k.endswith(">>>")]
    new_env = {k: frame.env[k] for k in frame.env.matching(wanted)}
    new_state = {k: frame.state[k] for k in frame.state.matching(frame.new_state_keys if states is None else states)}
    return new_env, new_state


def phase_has_code(frame: Frame, phase: str) -> bool:
    """Does the script bring code of its own for this phase?"""
    if phase == "native":
        return bool(frame.recipe.natives)
    return phase in frame.recipe.hooks and not (phase == "predeps" and frame.setting("predeps") is False)


def _reads_state(frame: Frame, key: str) -> bool:
    return key in frame.recipe.constants or (key == "script_prefix" and bool(frame.recipe.natives))


def _edge_identity(edge: Edge) -> str:
    name = edge.step.id if edge.step else ""
    if edge.wanted:
        return name
    return f"{name}? {edge.because} @ {[(p.origin, p.key) for p in edge.waits_on]}"


def _active_sources(frame: Frame) -> tuple[Any, ...]:
    on = set(frame.selected.names)
    return tuple(s for s in frame.script.sources if not s.when or on & set(s.when))


def _short_hash(value: Any) -> str:
    return digest(json.dumps(value, sort_keys=True, default=str))
