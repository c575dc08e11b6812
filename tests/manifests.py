"""Manifests as nobody would write them: near the format, then bent; for tests that feed the engine anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cm4bench.schema import _DEP, _SHARED, _TOP, _VARIATION

__all__ = ["ALIASES", "environments", "queries", "repositories", "write_repository"]

ALIASES = ("one", "two", "three")
_KEYS = ("CM_A", "CM_B", "CM_VERSION", "+PATH", "CM_*", "<<<CM_A>>>", "+", "", "CM TMP", "é")
_WORDS = (*ALIASES, "_fast", "_n.8", "-_fast", "-one", "get", "..", "../../x", "", " ", ",", "_", "-", "-_", "#", "_n.")
_HOSTILE = ("$(touch canary)", "`touch canary`", '";touch canary;"', "<<<CM_B>>>", "<<<>>>", "\0", "\ud7ff", "x" * 300)

texts = st.one_of(st.sampled_from(_WORDS + _HOSTILE), st.text(max_size=6))
scalars = st.one_of(texts, st.integers(), st.floats(), st.booleans(), st.none())
keys = st.one_of(st.sampled_from(_KEYS), st.text(max_size=4))
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)
queries = st.lists(texts, max_size=4).map(",".join)
environments = st.dictionaries(keys, anything, max_size=4)
conditions = st.dictionaries(keys, st.one_of(scalars, st.lists(scalars, max_size=2)), max_size=2)
names = st.lists(st.sampled_from(("fast", "n.#", "n.8", "slow", "fast,slow", "ü", "..", "")), max_size=2)

_WELL_FORMED = {
    **dict.fromkeys(("env", "default_env", "const", "state", "const_state"), environments),
    **dict.fromkeys(("enable_if_env", "skip_if_env", "enable_if_any_env", "skip_if_any_env"), conditions),
    **dict.fromkeys(("tags", "extra_cache_tags"), queries),
    **dict.fromkeys(("names", "new_env_keys", "new_state_keys", "local_env_keys"), st.lists(keys, max_size=3)),
    **dict.fromkeys(("base", "default_variation"), names),
    **dict.fromkeys(("cache", "can_force_cache", "default", "force_cache", "dynamic"), st.booleans()),
    **dict.fromkeys(("version", "version_min", "version_max", "default_version"), scalars),
    **dict.fromkeys(("ad", "adr", "add_deps_recursive"), st.dictionaries(keys, environments, max_size=2)),
    "requires": st.lists(st.fixed_dictionaries({"fact": texts, "is": anything}), max_size=2),
    "outputs": st.dictionaries(keys, st.fixed_dictionaries({"type": st.sampled_from(["file", "str", "int"])})),
    "valid_variation_combinations": st.lists(names, max_size=2),
    "update_tags_from_env_with_prefix": st.dictionaries(texts, st.lists(keys, max_size=2), max_size=2),
}


def block(words: set[str], size: int, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping of some known keys; one value in eight is not of the kind that its key asks for."""
    kinds = {key: _WELL_FORMED.get(key, anything) for key in words} | more
    pairs = st.sampled_from(sorted(kinds)).flatmap(
        lambda key: st.tuples(st.just(key), st.integers(0, 7).flatmap(lambda n: kinds[key] if n else anything))
    )
    return st.lists(pairs, max_size=size).map(dict)


deps = st.lists(block(_DEP, 5).map(lambda dep: {"tags": "two", **dep}), max_size=3)
dep_lists = dict.fromkeys(("deps", "prehook_deps", "posthook_deps", "post_deps"), deps)
variations = st.dictionaries(
    st.sampled_from(("fast", "slow", "n.#", "fast,slow", "ü", "..")), block(_VARIATION, 4, **dep_lists), max_size=3
)
versions = st.dictionaries(st.sampled_from(("1", "1.0", "main", "../1")), block(_SHARED, 3, **dep_lists), max_size=2)
manifests = block(_TOP, 7, variations=variations, versions=versions, **dep_lists)
repositories = st.lists(manifests, min_size=1, max_size=3)


def write_repository(path: Path, raws: list[Mapping[str, Any]]) -> None:
    """Write manifests as scripts `one`, `two`, `three` with tags of the same names, unless they say otherwise."""
    for alias, raw in zip(ALIASES, raws, strict=False):
        folder = path / "script" / alias
        folder.mkdir(parents=True)
        (folder / "_cm.json").write_text(json.dumps({"alias": alias, "tags": [alias, "get"], **raw}))
