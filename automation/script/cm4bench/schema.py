"""The words of the manifest format. In our own repositories an unknown one is an error with file and line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .conditions import CONDITION_KEYS
from .errors import did_you_mean
from .manifestfiles import manifest_files
from .shape import first_misfit

__all__ = ["Trail", "find_unknown_keys", "find_wrong_shape", "manifest_line", "unknown_keys"]

_DEP_LISTS = {"deps", "prehook_deps", "posthook_deps", "post_deps"}
_SHARED = _DEP_LISTS | {
    *("env", "default_env", "const", "state", "const_state", "new_env_keys", "new_state_keys", "docker"),
    *("ad", "adr", "add_deps", "add_deps_recursive", "input_mapping", "update_meta_if_env", "names"),
    *("script_name", "required_disk_space", "warning", "warnings", "default_version", "sources", "requires"),
}
_TOP = _SHARED | {
    *("alias", "uid", "automation_alias", "automation_uid", "tags", "name", "category", "category_sort", "sort"),
    *("cache", "can_force_cache", "cache_expiration", "extra_cache_tags_from_env", "dependent_cached_path"),
    *("variations", "default_variation", "default_variations", "variation_groups_order"),
    *("valid_variation_combinations", "invalid_variation_combinations", "versions", "version"),
    *("version_min", "version_max", "version_max_usable"),
    *("inputs", "outputs", "tests", "input_description", "docker_input_mapping", "customize"),
    *("local_env_keys", "clean_env_keys_post_deps", "env_key_mappings", "file_path_env_keys", "folder_path_env_keys"),
    *("clean_files", "clean_output_files", "print_env_at_the_end", "print_files_if_script_error"),
    *("developers", "tags_help", "gui", "min_cm_version", "private", "predeps", "mlc_compat", "_base", "desc", "docs"),
    *("exclusive", "one_version_per", "inputs_from"),
}
_VARIATION = _SHARED | {"group", "default", "default_variations", "base", "alias", "adr", "help"}
_VERSION = _SHARED
_DEP = set(CONDITION_KEYS) | {
    *("tags", "names", "env", "state", "const", "const_state", "version", "version_min", "version_max"),
    *("version_max_usable", "extra_cache_tags", "extra_cache_rm_tags", "force_cache", "force_env_keys", "verify"),
    *("force_new_env_keys", "force_new_state_keys", "update_tags_from_env", "update_tags_from_env_with_prefix"),
    *("inherit_variation_tags", "skip_inherit_variation_groups", "reuse_version", "dynamic", "skip_if_fake_run"),
    *("adr", "ad", "add_deps_recursive", "add_deps", "name", "quiet", "input", "output", "md5sum", "path", "why"),
}
_INPUT = {"env", "type", "choices", "default", "help", "min"}
_OUTPUT = {"type", "optional", "fact", "help"}
_REQUIREMENT = {"fact", "is", "at_least", "why", "hint"}
_SOURCE = {"name", "url", "sha256", "md5", "size", "license", "account", "when", "package", "version", "file", "note"}

Trail = tuple[str | int, ...]


def find_wrong_shape(raw: Mapping[str, Any], folder: Path) -> str | None:
    """The first value which is not of the kind that every reader of manifests relies on, as `file:line: …`, or None."""
    misfit = first_misfit(raw)
    if misfit is None:
        return None
    path, line = manifest_line(folder, misfit.trail)
    return f"{path}:{line}: {'.'.join(str(step) for step in misfit.trail)[:120]} {misfit.problem}"


def find_unknown_keys(raw: Mapping[str, Any], folder: Path) -> str | None:
    """The first unknown word of a manifest as `file:line: unknown key …`, or None. Lines are looked up only then."""
    for trail, known in unknown_keys(raw):
        key = str(trail[-1])
        path, line = manifest_line(folder, trail)
        where = " in " + ".".join(str(t) for t in trail[:-1]) if len(trail) > 1 else ""
        return f"{path}:{line}: unknown key {key!r}{where}{did_you_mean(key, sorted(known))}"
    return None


def unknown_keys(raw: Mapping[str, Any]) -> Iterator[tuple[Trail, set[str]]]:
    """Every unknown word, as the way to it, with the words that are known there."""
    yield from _unknown(raw, _TOP, ())
    yield from _in_block(raw, ())
    for name, block in _items(raw.get("variations")):
        yield from _unknown(block, _VARIATION, ("variations", name))
        yield from _in_block(block or {}, ("variations", name))
    for name, block in _items(raw.get("versions")):
        yield from _unknown(block, _VERSION, ("versions", name))
        yield from _in_block(block or {}, ("versions", name))
    for section, known in (("inputs", _INPUT), ("outputs", _OUTPUT)):
        for name, spec in _items(raw.get(section)):
            yield from _unknown(spec, known, (section, name))


def _in_block(block: Mapping[str, Any], trail: Trail) -> Iterator[tuple[Trail, set[str]]]:
    for section, known in (*((name, _DEP) for name in _DEP_LISTS), ("sources", _SOURCE), ("requires", _REQUIREMENT)):
        for index, item in enumerate(block.get(section) or ()):
            yield from _unknown(item, known, (*trail, section, index))


def _unknown(block: Any, known: set[str], trail: Trail) -> Iterator[tuple[Trail, set[str]]]:
    for key in block if isinstance(block, Mapping) else ():
        if key not in known:
            yield (*trail, key), known


def _items(block: Any) -> list[tuple[str, Any]]:
    return list(block.items()) if isinstance(block, Mapping) else []


def manifest_line(folder: Path, trail: Trail) -> tuple[Path, int]:
    """The manifest file and 1-based line of the key at `trail`, or of the nearest block around it that can be found."""
    import yaml

    files = list(manifest_files(folder))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    trees = []
    for path in files:
        with contextlib.suppress(yaml.YAMLError):  # JSON that is not YAML
            trees.append((path, yaml.compose(path.read_text(encoding="utf-8"), Loader=loader)))
    for length in range(len(trail), 0, -1):
        for path, tree in trees:
            line = _line_of(tree, trail[:length])
            if line:
                return path, line
    return (files or [folder])[0], 1


def _line_of(node: Any, trail: Trail) -> int:
    """1-based line of the key or list item at `trail`; 0 when it is not in this file. JSON is YAML enough for this."""
    line = 0
    for step in trail:
        inside = getattr(node, "value", None)
        inside = inside if isinstance(inside, list) else []
        if isinstance(step, int):
            if not (step < len(inside) and hasattr(inside[step], "start_mark")):
                return 0
            node = inside[step]
            line = int(node.start_mark.line) + 1
            continue
        # MLCFlow's manifests are read under CM's names
        spellings = (step, f"MLC_{step[3:]}") if step.startswith("CM_") else (step,)
        pair = next((p for p in inside if isinstance(p, tuple) and p[0].value in spellings), None)
        if pair is None:
            return 0
        line, node = int(pair[0].start_mark.line) + 1, pair[1]
    return line
