"""A call to a script, and the frame in which its values live while it is resolved or run.

Order of precedence, low to high (CM's): what the caller passes, `default_env`, `env`, flags (`inputs`), `const`,
then each variation, each complete combination, the version's block; constants are re-applied last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .conditions import judge
from .deplists import DEP_LISTS, add_to_named, append_deps, shallow_copies
from .environment import Environment, Pending, expand, merge_lists, plain_copy, template_keys
from .errors import CMBenchError, Conflict
from .manifest import Script, is_yes
from .query import Query
from .recipe import Recipe
from .values import NamedTuple
from .variations import Selected, layers, select_variations
from .versions import VersionRange

if TYPE_CHECKING:
    from .requirements import Requirement

__all__ = ["Call", "Frame", "merge_values", "open_frame"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})
_NOTHING = Environment()


class Call(NamedTuple):
    """One request for a script: from the user, or from a dependency of another step.

    `options` are flags that `inputs:`/`input_mapping:` may turn into environment keys; `adr` (add deps recursive)
    changes named dependencies at any depth, `ad` only direct ones.
    """

    query: Query
    env: Environment = _NOTHING
    state: Environment = _NOTHING
    local_env: Mapping[str, Any] = _EMPTY
    local_state: Mapping[str, Any] = _EMPTY
    options: Mapping[str, Any] = _EMPTY
    const: Mapping[str, Any] = _EMPTY
    const_state: Mapping[str, Any] = _EMPTY
    adr: Mapping[str, Any] = _EMPTY
    ad: Mapping[str, Any] = _EMPTY
    version: VersionRange = VersionRange()
    extra_cache_tags: tuple[str, ...] = ()
    force_cache: bool = False
    force_new_env_keys: tuple[str, ...] | None = None
    force_new_state_keys: tuple[str, ...] | None = None
    chain: tuple[str, ...] = ()


class Frame:
    """The working values of one step. Mutable: phases and dependencies change `env` and `state` as they go.

    `entry_env`/`entry_state` are what the step started from; `trail` lists the dependencies taken so far, `produced`
    the identities of all steps inside them, `requested` the tags of the dependencies as they were asked for; `key` is
    equal for calls that differ in nothing but their environment and state.
    """

    def __init__(self, call: Call, script: Script, recipe: Recipe, selected: Selected) -> None:
        raw = script.raw
        self.call = call
        self.script = script
        self.recipe = recipe
        self.selected = selected
        self.env = call.env.copy()
        self.state = call.state.copy()
        self.entry_env = self.entry_state = _NOTHING
        self.key = ""
        self.settings: dict[str, Any] = {}
        self.const = dict(call.const)
        self.const_state = dict(call.const_state)
        self.adr: dict[str, Any] = plain_copy(dict(call.adr))
        self.deps: dict[str, list[dict[str, Any]]] = {name: shallow_copies(raw.get(name)) for name in DEP_LISTS}
        self.new_env_keys = [str(key) for key in raw.get("new_env_keys") or ()]
        self.new_env_keys += [output.key for output in script.outputs if output.key not in self.new_env_keys]
        self.new_state_keys = [str(key) for key in raw.get("new_state_keys") or ()]
        self.script_name = str(call.options.get("script_name") or raw.get("script_name") or "")
        self.version = self.demanded = VersionRange()
        self.templated: set[str] = set()
        self.requirements: list[Requirement] = []
        self.native_input: dict[str, Any] = {"path": script.folder}
        self.trail: list[str] = []
        self.produced: set[str] = set()
        self.requested: list[str] = []
        self.extra_tags: list[str] = []
        self.conditional: list[Mapping[str, Any]] = []
        self.docker: dict[str, Any] = {}

    @cached_property
    def meta(self) -> dict[str, Any]:
        """The manifest as hooks see and change it, lists of dependencies included. Copied when a hook first runs."""
        for deps in self.deps.values():
            deps[:] = plain_copy(deps)
        lists = {name: self.deps[name] for name in DEP_LISTS if name in self.script.raw}
        return {**plain_copy(dict(self.script.raw)), **self.settings, **lists}

    def setting(self, key: str) -> Any:
        """A key of the manifest, as blocks (`settings`) and hooks have left it."""
        if "meta" in self.__dict__:
            return self.meta.get(key)
        return self.settings.get(key, self.script.raw.get(key))

    @property
    def label(self) -> str:
        """`get-python3 _lto`: how the step is named to the user."""
        return " ".join([self.script.alias, *(f"_{v}" for v in self.selected.names)])

    @property
    def chain(self) -> tuple[str, ...]:
        return (*self.call.chain, self.label)

    @property
    def slot(self) -> str:
        """What there can be only one version of, if the script says so (`one_version_per: KEY`)."""
        key = str(self.script.raw.get("one_version_per") or "")
        return f"{self.script.alias}:{self.env.text(key)}" if self.env.text(key) else ""

    @property
    def caches(self) -> bool:
        if self.rehearsal or is_yes(self.call.options.get("skip_cache")):
            return False
        return self.script.caches or (self.call.force_cache and self.script.can_force_cache)

    @property
    def rehearsal(self) -> bool:
        """CM's fake run: dependencies are made, the script's own code is left out."""
        return self.env.text("CM_TMP_FAKE_RUN") == "yes" or self._docker_says_no("real_run")

    @property
    def idle(self) -> bool:
        """Inside a container whose image has been made by this very script: nothing to do."""
        return self._docker_says_no("run")

    def _docker_says_no(self, key: str) -> bool:
        in_container = is_yes(self.env.get("CM_RUN_STATE_DOCKER"))
        return in_container and key in self.docker and not is_yes(self.docker[key])

    def settle_env(self) -> None:
        """Re-apply constants and fill templates whose keys have become known."""
        self.env.update(self.const)
        for key in sorted(self.templated & set(self.env)):
            filled = expand(self.env[key], self.env)
            if filled != self.env[key]:
                self.env.set(key, filled, filled.origin if isinstance(filled, Pending) else None)
        self.templated = {k for k in self.templated if k in self.env and template_keys(self.env[k])}


def open_frame(call: Call, script: Script, recipe: Recipe) -> Frame:
    """Apply a script's manifest to a call. Pure: nothing is run or read from disk.

    Raises:
        Conflict, ManifestError: contradictory variations or versions.
        CMBenchError: a flag with an impossible value, `ad` naming no dependency.
    """
    selected = select_variations(script, call.query.variations, call.query.excluded_variations)
    frame = Frame(call, script, recipe, selected)
    _apply_call(frame)
    _apply_script(frame)
    _require(frame, script.raw, script.alias)
    for name, block in layers(script, selected.names):
        _require(frame, block, f"{script.alias} {name}")
        _apply_block(frame, block)
    _apply_version(frame)
    _apply_docker_deps(frame)
    _apply_named_changes(frame)
    frame.settle_env()
    frame.entry_env, frame.entry_state = frame.env.copy(), frame.state.copy()
    return frame


def _require(frame: Frame, block: Mapping[str, Any], by: str) -> None:
    if block.get("requires"):
        from .requirements import read_requirements

        frame.requirements += read_requirements(block, by)


def _apply_call(frame: Frame) -> None:
    for key, value in frame.call.local_env.items():
        origin = value.origin if isinstance(value, Pending) else None
        _set(frame, key, value, origin)
    _merge_state(frame.state, frame.call.local_state)


def _apply_script(frame: Frame) -> None:
    raw = frame.script.raw
    frame.docker = merge_values({}, raw.get("docker") or {})
    _apply_env(frame, raw)
    _apply_inputs(frame)
    _merge_state(frame.state, raw.get("state") or {})
    frame.const.update(raw.get("const") or {})
    frame.settle_env()


def _apply_env(frame: Frame, block: Mapping[str, Any]) -> None:
    for key, value in (block.get("default_env") or {}).items():
        if key not in frame.env:
            _set(frame, key, value)
    for key, value in (block.get("env") or {}).items():
        _set(frame, key, value)
    frame.conditional += block.get("update_meta_if_env") or ()
    for change in frame.conditional:
        if judge(change, frame.env).holds:
            _apply_change(frame, change)


def _apply_change(frame: Frame, change: Mapping[str, Any]) -> None:
    """One `update_meta_if_env` entry whose condition holds; asked again whenever the environment has changed."""
    for key, value in (change.get("default_env") or {}).items():
        if key not in frame.env:
            _set(frame, key, value)
    for key, value in (change.get("env") or {}).items():
        _set(frame, key, value)
    _merge_state(frame.state, change.get("state") or {})
    frame.docker = merge_values(frame.docker, change.get("docker") or {})
    for name in DEP_LISTS:
        append_deps(frame.deps[name], shallow_copies(change.get(name)))
    frame.new_env_keys += [k for k in change.get("new_env_keys") or () if k not in frame.new_env_keys]
    for key in ("adr", "add_deps_recursive"):
        _merge_changes(frame.adr, change.get(key) or {})


def _set(frame: Frame, key: str, value: Any, origin: str | None = None) -> None:
    frame.env.set(key, plain_copy(value) if isinstance(value, (list, dict)) else value, origin)
    if template_keys(value):
        frame.templated.add(key)


def _apply_inputs(frame: Frame) -> None:
    for item in frame.script.inputs:
        if item.name in frame.call.options:
            try:
                value = item.parse(frame.call.options[item.name])
            except ValueError as error:
                given = frame.call.options[item.name]
                raise CMBenchError(
                    f"--{item.name}={given} {error}",
                    hint=f'cmr "{" ".join(frame.call.query.tags)}" --help lists the options',
                ) from None
            frame.const[item.env] = value
        elif item.default is not None and item.env not in frame.env:
            frame.env.set(item.env, item.default)


def _apply_block(frame: Frame, block: Mapping[str, Any]) -> None:
    """One variation or version block."""
    frame.docker = merge_values(frame.docker, block.get("docker") or {})
    _apply_env(frame, block)
    frame.const.update(block.get("const") or {})
    _merge_state(frame.state, block.get("state") or {})
    frame.const_state.update(block.get("const_state") or {})
    for name in DEP_LISTS:
        append_deps(frame.deps[name], shallow_copies(block.get(name)))
    for flag, key in (block.get("input_mapping") or {}).items():
        if flag in frame.call.options:
            _set(frame, str(key), frame.call.options[flag])
    frame.new_env_keys += [k for k in block.get("new_env_keys") or () if k not in frame.new_env_keys]
    frame.new_state_keys += [k for k in block.get("new_state_keys") or () if k not in frame.new_state_keys]
    frame.script_name = str(block.get("script_name") or frame.script_name)
    for key in ("default_version", "cache_expiration"):
        if block.get(key) is not None:
            frame.settings[key] = block[key]
    for key in ("adr", "add_deps_recursive"):
        _merge_changes(frame.adr, block.get(key) or {})
    _apply_direct(frame, [block.get("ad") or {}, block.get("add_deps") or {}])
    frame.settle_env()


def _apply_direct(frame: Frame, changes: Sequence[Mapping[str, Any]]) -> None:
    for change in changes:
        for name, info in change.items():
            hits = [add_to_named(frame.deps[kind], {name: info}, frame.env) for kind in DEP_LISTS]
            if not any(hits):
                raise Conflict(
                    f"{frame.script.alias}: {name} is not one of the dependency names "
                    f"({', '.join(_dependency_names(frame)) or 'it has none'})"
                )


def _dependency_names(frame: Frame) -> list[str]:
    names = [dep.get("names") or [] for kind in DEP_LISTS for dep in frame.deps[kind]]
    return sorted({str(n) for group in names for n in (group if isinstance(group, list) else [group])})


def _apply_named_changes(frame: Frame) -> None:
    _apply_direct(frame, [frame.call.ad])
    for kind in DEP_LISTS:
        add_to_named(frame.deps[kind], frame.adr, frame.env)


def _apply_docker_deps(frame: Frame) -> None:
    """Inside a container (`--docker_run_deps`) the dependencies of the `docker:` section come first."""
    if is_yes(frame.call.options.get("docker_run_deps")):
        more = [dep for dep in frame.docker.get("deps") or () if not is_yes(dep.get("skip_inside_docker"))]
        frame.deps["deps"][:0] = plain_copy(more)


def _apply_version(frame: Frame) -> None:
    asked = frame.call.version.over(VersionRange.from_mapping(frame.env.values, "CM_VERSION"))
    asked = asked.over(VersionRange.from_mapping(frame.script.raw))
    asked.check()
    frame.demanded = asked
    versions = frame.script.raw.get("versions") or {}
    block = asked.exact
    if not asked.exact:
        # CM takes the block of the default even where a bound moves the version away from it
        block = str(frame.setting("default_version") or "")
        asked = asked._replace(exact=asked.clamp(block))
    frame.version = asked
    for suffix, value in asked.env_suffixes():
        frame.env.set(f"CM_VERSION{suffix}", value)
    frame.env.set("CM_TMP_PIP_VERSION_STRING", asked.pip_string())
    if block in versions:
        _apply_block(frame, versions[block] or {})


def _merge_state(state: Environment, new: Mapping[str, Any]) -> None:
    for key, value in new.items():
        state.set(key, merge_values(state.get(key), value), state.origins.get(key))


def merge_values(old: Any, new: Any) -> Any:
    """Deep merge as CM merges states: mappings key by key, lists appended without repeats, the rest replaced."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{k: merge_values(old.get(k), v) for k, v in new.items()}}
    if isinstance(old, list) and isinstance(new, list):
        return merge_lists(old, new)
    return plain_copy(new)


def _merge_changes(target: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Join changes of named dependencies; their tags add up, whoever asked for them."""
    for name, info in new.items():
        old = target.get(name)
        target[name] = merge_values(old, info)
        if isinstance(old, Mapping) and isinstance(info, Mapping) and old.get("tags") and info.get("tags"):
            tags = merge_lists(str(old["tags"]).split(","), str(info["tags"]).split(","))
            target[name]["tags"] = ",".join(tags)
