"""What resolutions have read of their calls, so that a call that differs in none of that is not resolved again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .environment import origin_parts
from .frame import Frame
from .plan import Step
from .values import NamedTuple

__all__ = ["Traces", "is_volatile", "memo_key"]

_VOLATILE = ("CM_TMP_", "CM_QUIET", "CM_VERBOSE", "CM_RENEW_CACHE_ENTRY")

Knowledge = tuple[int, bool]


def is_volatile(key: str) -> bool:
    """Does the key never matter to what a step gives? CM_TMP_PATH does: where a tool is looked for (`--path`)."""
    return key.startswith(_VOLATILE) and key != "CM_TMP_PATH"


class Readable(dict[str, bool]):
    """Which keys a step, or one inside of it, can refer to. Asked thousands of times per plan, so answers are kept."""

    def __init__(self, words: frozenset[str], beginnings: frozenset[str]) -> None:
        super().__init__()
        self.words = words
        self.beginnings = beginnings
        self._any_of = tuple(beginnings)

    def __missing__(self, key: str) -> bool:
        self[key] = answer = key in self.words or key.startswith(self._any_of)
        return answer


class Trace(NamedTuple):
    """One resolution, reusable by any call whose readable inputs have the same provenance.

    `when`: what was known then, where the step hangs on that (it is undecided).
    """

    reads: Readable
    seen: Mapping[str, str]
    step: Step
    when: Knowledge | None


class Traces:
    """All resolutions of a resolver, by the keys of their frames."""

    def __init__(self) -> None:
        self._traces: dict[str, list[Trace]] = {}
        self._reads: dict[str, Readable] = {}

    def find(self, frame: Frame, knowledge: Knowledge) -> Step | None:
        """The step that an equal call has led to, under what is known now."""
        for trace in self._traces.get(frame.key, ()):
            if trace.when in (None, knowledge) and _is_same(frame, trace):
                return trace.step
        return None

    def keep(self, frame: Frame, step: Step, when: Knowledge | None) -> None:
        reads = self._reader(frame, step)
        self._traces.setdefault(frame.key, []).append(Trace(reads, _seen(frame, reads, step), step, when))

    def clear(self) -> None:
        self._traces.clear()

    def _reader(self, frame: Frame, step: Step) -> Readable:
        recipe = frame.recipe
        words, beginnings = recipe.mentions | recipe.constants, frozenset(recipe.prefixes)
        for inner in {edge.step.id for edge in step.edges if edge.step is not None}:
            words, beginnings = words | self._reads[inner].words, beginnings | self._reads[inner].beginnings
        known = self._reads.get(step.id)
        if known is None or (known.words, known.beginnings) != (words, beginnings):
            self._reads[step.id] = Readable(words, beginnings)
        return self._reads[step.id]


def memo_key(frame: Frame) -> str:
    """Equal for calls of one script that differ in nothing but their environment and state."""
    call = frame.call
    return repr(
        (
            *(frame.script.folder, frame.selected.names, str(frame.version), call.force_new_env_keys),
            *(call.force_new_state_keys, call.extra_cache_tags, call.force_cache, sorted(frame.const.items())),
            *(_plain(frame.adr), _plain(call.ad), _plain(call.options)),
        )
    )


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str) if value else ""


def _seen(frame: Frame, reads: Readable, step: Step) -> dict[str, str]:
    """Provenance of each readable key of a call that does not come from inside the step."""
    env, state = frame.entry_env, frame.entry_state
    inside = step.produced | {step.id}
    origins = env.origins
    readable = [key for key in env if reads[key] and not is_volatile(key)]
    # values that other steps made come first: where two calls differ, they differ in these
    made = [key for key in readable if key in origins and not inside.issuperset(origin_parts(origins[key]))]
    seen = {key: env.provenance(key) for key in (*made, *(key for key in readable if key not in origins))}
    seen.update({f"state {key}": state.provenance(key) for key in state if reads[key] or key == "script_prefix"})
    return seen


def _is_same(frame: Frame, trace: Trace) -> bool:
    """Has the call nothing readable but what the resolution has seen? Most calls that differ do so in the first key."""
    env = frame.entry_env
    for key, before in trace.seen.items():
        if key.startswith("state "):
            break
        if key not in env or env.provenance(key) != before:
            return False
    return _seen(frame, trace.reads, trace.step) == trace.seen
