"""What a script's own code may change: foreseen in a plan, and given the same origins when it has really run."""

from __future__ import annotations

from .environment import Environment, Pending, is_pattern
from .frame import Frame

__all__ = ["foresee", "may_write", "own_up"]


def foresee(frame: Frame, phase: str, origin: str) -> None:
    """Mark what the frame's own code may change in this phase as not yet known."""
    promised = _promised(frame)
    by = f"{frame.label} ({phase})"
    for key in sorted(may_write(frame)):
        frame.env.set(key, Pending(origin, key, by, maybe=key not in promised), origin)
    for key in _own_states(frame):
        frame.state.set(key, frame.state.get(key), origin)


def own_up(frame: Frame, origin: str) -> None:
    """After the code of a phase really ran: give what it may have written the origin that the plan gave it."""
    for key in may_write(frame):
        if key in frame.env:
            frame.env.origins[key] = origin
    for key in _own_states(frame):
        if key in frame.state:
            frame.state.origins[key] = origin


def may_write(frame: Frame) -> set[str]:
    """Keys that the frame's own code can change: those it assigns, and promised ones that nothing has set yet."""
    keys = set(frame.recipe.writes) | {k for k in _promised(frame) if k not in frame.entry_env}
    return keys - set(frame.const)


def _promised(frame: Frame) -> set[str]:
    return {k for k in frame.new_env_keys if not is_pattern(k) and "<<<" not in k}


def _own_states(frame: Frame) -> list[str]:
    exact = [key for key in frame.new_state_keys if not is_pattern(key)]
    patterns = [key for key in frame.new_state_keys if is_pattern(key)]
    return exact + Environment(dict.fromkeys(sorted(frame.recipe.constants))).matching(patterns) if patterns else exact
