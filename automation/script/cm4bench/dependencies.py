"""From one dependency of a frame to the call it makes: condition, tags, and the environment let through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .conditions import CONDITION_KEYS, Verdict, judge
from .environment import Environment, Pending, expand, fits, is_pattern, plain_copy, template_keys
from .errors import CMBenchError
from .frame import Call, Frame, merge_values
from .manifest import is_yes
from .query import Query, parse_query, parse_tags
from .versions import VersionRange

__all__ = ["LOCAL_KEYS", "dependency_call", "give_back", "verdict_of"]

LOCAL_KEYS = (
    *("CM_VERSION", "CM_VERSION_MIN", "CM_VERSION_MAX", "CM_VERSION_MAX_USABLE", "CM_DETECTED_VERSION"),
    *("CM_INPUT", "CM_OUTPUT", "CM_OUTBASENAME", "CM_OUTDIRNAME", "CM_NAME", "CM_EXTRA_CACHE_TAGS"),
    *("CM_TMP_*", "CM_GIT_*", "CM_RENEW_CACHE_ENTRY"),
)
_LOCAL = {key for key in LOCAL_KEYS if not is_pattern(key)}
_LOCAL_BEGINNINGS = tuple(key[:-1] for key in LOCAL_KEYS if is_pattern(key))
_KNOWN_TO_ALL = ("CM_TMP_CURRENT_PATH",)
_NOT_OPTIONS = {
    *CONDITION_KEYS,
    *("tags", "names", "env", "state", "const", "const_state", "extra_cache_tags", "force_cache", "force_env_keys"),
    *("force_new_env_keys", "force_new_state_keys", "update_tags_from_env", "update_tags_from_env_with_prefix"),
    *("inherit_variation_tags", "skip_inherit_variation_groups", "reuse_version", "dynamic", "skip_if_fake_run"),
    *("adr", "add_deps_recursive", "ad", "add_deps", "version", "version_min", "version_max", "version_max_usable"),
    *("why", "inherit_cache_expiration"),
}


def verdict_of(dep: Mapping[str, Any], frame: Frame) -> Verdict:
    """Is the dependency wanted? A tag that hangs on an unknown value leaves it undecided as well."""
    verdict = judge(dep, frame.env, rehearsal=frame.rehearsal)
    if verdict.holds is not True:
        return verdict
    waits = tuple(v for v in _tag_values(dep, frame) if isinstance(v, Pending))
    if waits:
        return Verdict(None, f"its tags need {', '.join(v.key for v in waits)}", waits)
    return verdict


def dependency_call(dep: Mapping[str, Any], frame: Frame, phase: str) -> Call:
    """The call that a dependency makes in the frame's present state."""
    local_env = {k: expand(v, frame.env) for k, v in (dep.get("env") or {}).items()}
    return Call(
        query=_query(dep, frame, local_env),
        env=_visible_env(dep, frame, phase),
        state=frame.state.copy(),
        local_env=local_env,
        local_state=dep.get("state") or {},
        options=_options(dep, frame),
        const=_joined(frame.const, dep.get("const")),
        const_state=_joined(frame.const_state, dep.get("const_state")),
        adr=_joined(frame.adr, dep.get("adr") or dep.get("add_deps_recursive")),
        ad=dep.get("ad") or dep.get("add_deps") or {},
        version=VersionRange.from_mapping(dep),
        extra_cache_tags=_words(expand(str(dep.get("extra_cache_tags") or ""), frame.env)),
        force_cache=bool(dep.get("force_cache")),
        force_new_env_keys=_optional_tuple(dep.get("force_new_env_keys")),
        force_new_state_keys=_optional_tuple(dep.get("force_new_state_keys")),
        chain=frame.chain,
    )


def give_back(frame: Frame, new_env: Mapping[str, Any], new_state: Mapping[str, Any], origin: str) -> None:
    """Merge what a dependency produced. Local keys that the frame already holds win, as in CM."""
    frame.trail.append(origin)
    kept = {k: v for k, v in new_env.items() if not (k in frame.env and _is_local(k, frame))}
    frame.env.merge_new(kept, origin)
    for key, value in new_state.items():
        before = frame.state.origins.get(key, "")
        frame.state.set(key, merge_values(frame.state.get(key), value), f"{before}+{origin}" if before else origin)
    for key, value in frame.const_state.items():
        frame.state.set(key, merge_values(frame.state.get(key), value), frame.state.origins.get(key))
    frame.settle_env()


def _options(dep: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """What else the dependency says is input to its script; MLCFlow's entries may live as long as their parent's."""
    options = {k: v for k, v in dep.items() if k not in _NOT_OPTIONS}
    lifetime = frame.call.options.get("cache_expiration", frame.setting("cache_expiration"))
    if lifetime is not None and is_yes(dep.get("inherit_cache_expiration")):
        options.setdefault("cache_expiration", lifetime)
    return options


def _query(dep: Mapping[str, Any], frame: Frame, local_env: Mapping[str, Any]) -> Query:
    words = [str(dep["tags"])]
    for prefix, keys in (dep.get("update_tags_from_env_with_prefix") or {}).items():
        words += [f"{prefix}{v}" for v in _settled([local_env.get(k, frame.env.get(k)) for k in keys])]
    words += _settled([frame.env.get(k) for k in dep.get("update_tags_from_env") or ()])
    text = ",".join(words)
    if dep.get("inherit_variation_tags"):
        text += "".join(f",_{v}" for v in _inherited(dep, frame, text))
    frame.requested.append(text)
    try:
        return parse_tags(text)
    except CMBenchError as error:
        raise error.through(frame.chain) from None


def _tag_values(dep: Mapping[str, Any], frame: Frame) -> list[Any]:
    local = dep.get("env") or {}
    prefixed = dep.get("update_tags_from_env_with_prefix") or {}
    keys = [key for group in prefixed.values() for key in group if not local.get(key)]
    return [frame.env.get(key) for key in (*keys, *(dep.get("update_tags_from_env") or ()))]


def _settled(values: list[Any]) -> list[str]:
    known = [v for v in values if v is not None and not isinstance(v, Pending)]
    return [str(v) for v in known if str(v).strip()]


def _inherited(dep: Mapping[str, Any], frame: Frame, text: str) -> list[str]:
    skipped = set(dep.get("skip_inherit_variation_groups") or ())
    members = {m for group, names in frame.selected.groups.items() if group in skipped for m in names}
    prefixes = tuple(m[:-1] for m in members if m.endswith(".#"))
    excluded = parse_query(text).excluded_variations
    return [
        name
        for name in frame.selected.names
        if name not in members and name not in excluded and not (prefixes and name.startswith(prefixes))
    ]


def _visible_env(dep: Mapping[str, Any], frame: Frame, phase: str) -> Environment:
    env = frame.env.copy()
    if phase == "post_deps":
        hidden = env.matching(frame.script.raw.get("clean_env_keys_post_deps") or ())
    else:
        hidden = [key for key in env if _is_local(key, frame)]
    kept = set(_KNOWN_TO_ALL) | set(frame.env.matching(dep.get("force_env_keys") or ()))
    for key in hidden:
        if key not in kept and not (dep.get("reuse_version") and key.startswith("CM_VERSION")):
            env.discard(key)
    for key in frame.templated:
        if key in env and template_keys(env[key]):
            env.discard(key)
    return env


def _is_local(key: str, frame: Frame) -> bool:
    own = frame.script.raw.get("local_env_keys") or ()
    return key in _LOCAL or key.startswith(_LOCAL_BEGINNINGS) or any(fits(key, str(pattern)) for pattern in own)


def _joined(base: Mapping[str, Any], more: Any) -> dict[str, Any]:
    return merge_values(dict(base), more) if more else plain_copy(dict(base))  # type: ignore[no-any-return]


def _words(text: Any) -> tuple[str, ...]:
    return tuple(w.strip() for w in str(text).split(",") if w.strip() and "<<<" not in w)


def _optional_tuple(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(str(v) for v in value)
